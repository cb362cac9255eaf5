"""Which projects come along with a release of TensorFlow: `constraints/facts/closures.txt`.

Names only: they are asked for ahead of need, and a name too many or too few changes nothing but time.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from tfenv.model.package import Name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

_HEADER: Final = (
    "# Written by `tfenv facts update closures`: a minor release of TensorFlow, the projects of its lock on the\n"
    "# newest Python, and after a `+` those that a lock for CUDA has beside them.\n"
)
_PATCHES: Final = 6
"""no minor release had more patch releases"""

Closure = tuple[tuple[Name, ...], tuple[Name, ...]]
"""Projects, and those for CUDA."""


class Closures:
    """The rows of `closures.txt`, newest release first."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def rows(self) -> dict[str, Closure]:
        """By minor release (`2.17`); empty without the file."""
        if not self._path.is_file():
            return {}
        found = {}
        for line in self._path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                stem, _, rest = line.partition(" ")
                names, _, cuda = rest.partition("+")
                found[stem] = tuple(map(Name, names.split())), tuple(map(Name, cuda.split()))
        return found

    def of(self, tensorflow: SpecifierSet, *, cuda: bool) -> tuple[Name, ...]:
        """What will probably be locked beside the newest release that is allowed; empty if nothing is known."""
        for stem, (names, more) in self.rows.items():
            if any(tensorflow.contains(f"{stem}.{patch}") for patch in range(_PATCHES)):
                return (*names, *more) if cuda else names
        return ()


def dumps(rows: Mapping[str, Closure]) -> str:
    """The text of `closures.txt`."""
    lines = [f"{stem} {' '.join([*names, *(['+', *cuda] if cuda else [])])}\n" for stem, (names, cuda) in rows.items()]
    return _HEADER + "".join(lines)
