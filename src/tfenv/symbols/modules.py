"""Private modules in the wheels of TensorFlow: `constraints/symbols/modules.txt`.

::

    modules = symbols.load().modules
    modules.having("tensorflow.python.keras.layers")     # the releases whose wheel has it; None: none ever had

The file lists the releases that were read, one for each minor release, with their wheels; then the modules, each with
the runs of these releases that have it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

from packaging.version import Version

from tfenv.facts.location import damaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_HEADER: Final = (
    "# Written by `tfenv facts update modules`: the release read of each minor release, and its wheel; modules.\n"
)
_INSTALLED: Final = re.compile(r"^[^/]+\.data/(?:pure|plat)lib/")
_FILE: Final = re.compile(r"(.+?)(?:/__init__)?(?:\.py|(?:\.cpython-\w+(?:-[\w-]+)?|\.abi3)?\.so)")
_PRIVATE: Final = tuple(
    f"tensorflow.{one}" for one in ("compiler", "core", "examples", "lite.python", "python", "tools")
)
"""Private packages; the other modules are generated from the public names, which are in `constraints/symbols/api`."""


def module_of(member: str) -> str:
    """The dotted name of the private module in a member of a wheel; empty if it is not one."""
    found = _FILE.fullmatch(_INSTALLED.sub("", member))
    if found is None:
        return ""
    name = re.sub(r"^tensorflow_core(?=\.)", "tensorflow", found[1].replace("/", "."))
    private = name in _PRIVATE or name.startswith(tuple(f"{one}." for one in _PRIVATE))
    return name if private and all(part.isidentifier() for part in name.split(".")) else ""


@dataclass(frozen=True, slots=True)
class ModuleTable:
    """The content of the file: the wheel of each release, oldest first, and the releases that have each module."""

    sources: Mapping[Version, str]
    having: Mapping[str, tuple[Version, ...]]

    @classmethod
    def made(cls, sources: Mapping[Version, str], modules: Mapping[Version, Iterable[str]]) -> Self:
        """The content, from the modules of each release."""
        found: dict[str, list[Version]] = {}
        for version in sorted(sources):
            for name in modules[version]:
                found.setdefault(name, []).append(version)
        return cls(
            {version: sources[version] for version in sorted(sources)},
            {name: tuple(found[name]) for name in sorted(found)},
        )

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read the file.

        Raises:
            ValueError: the text is damaged.
        """
        sources: dict[Version, str] = {}
        having: dict[str, tuple[Version, ...]] = {}
        for line in text.splitlines():
            name, tab, rest = line.partition("\t")
            if line.startswith("#"):
                continue
            if not tab:
                raise ValueError(f"`{line}` is not a row")
            if name.startswith("tensorflow."):
                releases = tuple(sources)
                having[name] = tuple(one for part in rest.split(" ") for one in _between(part, releases))
            else:
                sources[Version(name)] = rest
        return cls(sources, having)

    def dumps(self) -> str:
        """The canonical text of the file."""
        releases = tuple(self.sources)
        lines = [f"{version}\t{source}\n" for version, source in self.sources.items()]
        lines += [f"{name}\t{_ranges(some, releases)}\n" for name, some in self.having.items()]
        return "".join((_HEADER, *lines))

    def of(self, release: Version) -> frozenset[str]:
        """The modules of a release."""
        return frozenset(name for name, releases in self.having.items() if release in releases)


class ModuleRanges:
    """The private modules of each minor release; read on first use.

    Raises:
        UsageError: the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _table(self) -> ModuleTable:
        try:
            return ModuleTable.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise damaged(self._path, error) from None

    def having(self, module: str) -> tuple[Version, ...] | None:
        """The releases that have a module, one for each minor release, oldest first; ``None`` if none has."""
        return self._table.having.get(module)


def _between(part: str, releases: tuple[Version, ...]) -> tuple[Version, ...]:
    first, dash, last = part.partition("-")
    start = releases.index(Version(first)) if first else 0
    end = start if not dash else releases.index(Version(last)) if last else len(releases) - 1
    return releases[start : end + 1]


def _ranges(some: Iterable[Version], releases: tuple[Version, ...]) -> str:
    """Runs of releases, such as `1.4.1-2.4.4 2.6.5-`; a run up to the newest release has no end."""
    places = [releases.index(one) for one in some]
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][1] == place - 1:
            runs[-1][1] = place
        else:
            runs.append([place, place])
    spans = []
    for first, last in runs:
        end = "-" if last == len(releases) - 1 else "" if last == first else f"-{releases[last]}"
        spans.append(f"{releases[first]}{end}")
    return " ".join(spans)
