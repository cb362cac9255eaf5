"""Which modules lie in the wheels of TensorFlow and Keras, the private ones too: `constraints/modules.txt`.

::

    modules = database.load().modules
    modules.having("tensorflow.python.keras.layers")     # the releases whose wheel has it; None: none ever had

The file lists the releases that were read, one for each minor release, with their wheels; then the modules, each with
the first and the last of these releases that have it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

from packaging.version import Version

from tfenv.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_HEADER: Final = (
    "# Written by `tfenv facts update --modules`: the release read of each minor release, and its wheel; modules.\n"
)
_INSTALLED: Final = re.compile(r"^[^/]+\.data/(?:pure|plat)lib/")
_FILE: Final = re.compile(r"(.+?)(?:/__init__)?(?:\.py|(?:\.cpython-\w+(?:-[\w-]+)?|\.abi3)?\.so)")
_GENERATED: Final = re.compile(r"(^|\.)(_api|_v1|_v2|_tf_keras)(\.|$)|^keras\.api\.|\.lib[^.]*$")
_PRIVATE: Final = tuple(
    f"tensorflow.{one}" for one in ("compiler", "core", "examples", "lite.python", "python", "tools")
)
"""Of TensorFlow the rest is generated from its public names, which `constraints/api` holds."""


def module_of(member: str) -> str:
    """The module that a member of a wheel is; empty if it is none, or none that is kept."""
    found = _FILE.fullmatch(_INSTALLED.sub("", member))
    if found is None:
        return ""
    name = re.sub(r"^tensorflow_core(?=\.)", "tensorflow", found[1].replace("/", "."))
    if _GENERATED.search(name) or not all(part.isidentifier() for part in name.split(".")):
        return ""
    return name if name.startswith(("keras.", *(f"{one}." for one in _PRIVATE))) or name in _PRIVATE else ""


@dataclass(frozen=True, slots=True)
class Modules:
    """Of one package: the wheel of each release that was read, oldest first; the releases that have each module."""

    sources: Mapping[Version, str]
    having: Mapping[str, tuple[Version, ...]]

    @classmethod
    def made(cls, sources: Mapping[Version, str], modules: Mapping[Version, Iterable[str]]) -> Self:
        """From the modules of each release."""
        found: dict[str, list[Version]] = {}
        for version in sorted(sources):
            for name in modules[version]:
                found.setdefault(name, []).append(version)
        return cls(
            {version: sources[version] for version in sorted(sources)},
            {name: tuple(found[name]) for name in sorted(found)},
        )

    def of(self, release: Version) -> frozenset[str]:
        """The modules of a release."""
        return frozenset(name for name, releases in self.having.items() if release in releases)


@dataclass(frozen=True, slots=True)
class ModuleTable:
    """The file: modules by package."""

    packages: Mapping[str, Modules]

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read it.

        Raises:
            ValueError: it is damaged.
        """
        sources: dict[str, dict[Version, str]] = {}
        having: dict[str, dict[str, tuple[Version, ...]]] = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name, *rest = line.split("\t")
            package = name.partition(".")[0]
            if len(rest) == 2:
                sources.setdefault(package, {})[Version(rest[0])] = rest[1]
                continue
            (ranges,) = rest
            releases = tuple(sources[package])
            having.setdefault(package, {})[name] = tuple(
                one for part in ranges.split(" ") for one in _between(part, releases)
            )
        return cls({package: Modules(sources[package], having.get(package, {})) for package in sources})

    def dumps(self) -> str:
        """The one text that says the same."""
        lines = [_HEADER]
        for package in sorted(self.packages):
            lines += [f"{package}\t{version}\t{source}\n" for version, source in self.packages[package].sources.items()]
        for package in sorted(self.packages):
            held = self.packages[package]
            releases = tuple(held.sources)
            lines += [f"{name}\t{_ranges(some, releases)}\n" for name, some in held.having.items()]
        return "".join(lines)


class ModuleRanges:
    """The table, asked.

    Raises:
        UsageError: the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _table(self) -> ModuleTable:
        try:
            return ModuleTable.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(f"`{self._path}` is damaged: {error}") from None

    def having(self, module: str) -> tuple[Version, ...] | None:
        """The releases that have a module, one for each minor release, oldest first; ``None`` if none has."""
        held = self._table.packages.get(module.partition(".")[0])
        return None if held is None else held.having.get(module)


def _between(part: str, releases: tuple[Version, ...]) -> tuple[Version, ...]:
    first, dash, last = part.partition("-")
    start = releases.index(Version(first)) if first else 0
    end = start if not dash else releases.index(Version(last)) if last else len(releases) - 1
    return releases[start : end + 1]


def _ranges(some: Iterable[Version], releases: tuple[Version, ...]) -> str:
    """`1.4.1-2.4.4 2.6.5-`: runs of releases; one that goes on to the newest has no end."""
    places = [releases.index(one) for one in some]
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][1] == place - 1:
            runs[-1][1] = place
        else:
            runs.append([place, place])
    told = []
    for first, last in runs:
        end = "-" if last == len(releases) - 1 else "" if last == first else f"-{releases[last]}"
        told.append(f"{releases[first]}{end}")
    return " ".join(told)
