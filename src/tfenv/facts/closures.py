"""Projects that are installed with a release of TensorFlow: `constraints/facts/closures.txt`.

Only names, whose index pages are requested in advance. A wrong or missing name changes only the time taken.
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
PATCHES: Final = 6
"""No minor release of TensorFlow had more patch releases."""

Closure = tuple[tuple[Name, ...], tuple[Name, ...]]
"""Projects of a lock, and the further ones for CUDA."""


class Closures:
    """The rows of `closures.txt`, newest release first."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def rows(self) -> dict[str, Closure]:
        """Rows by minor release (`2.17`); empty if the file does not exist."""
        if not self._path.is_file():
            return {}
        found = {}
        for line in self._path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                stem, _, rest = line.partition(" ")
                names, _, cuda = rest.partition("+")
                found[stem] = tuple(map(Name, names.split())), tuple(map(Name, cuda.split()))
        return found

    def stem(self, tensorflow: SpecifierSet) -> str | None:
        """The newest allowed minor release that has a row."""
        return next((stem for stem in self.rows if any(map(tensorflow.contains, _patches(stem)))), None)

    def of(self, tensorflow: SpecifierSet, *, cuda: bool) -> tuple[Name, ...]:
        """Projects that will probably be locked with the newest allowed release; empty if none are known."""
        names, more = self.rows.get(self.stem(tensorflow) or "", ((), ()))
        return (*names, *more) if cuda else names


def _patches(stem: str) -> list[str]:
    return [f"{stem}.{patch}" for patch in range(PATCHES)]


def dumps(rows: Mapping[str, Closure]) -> str:
    """The text of `closures.txt`."""
    lines = [f"{stem} {' '.join([*names, *(['+', *cuda] if cuda else [])])}\n" for stem, (names, cuda) in rows.items()]
    return _HEADER + "".join(lines)
