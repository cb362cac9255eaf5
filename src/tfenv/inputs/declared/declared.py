"""What a file of another tool declares."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.inputs.requirements import hidden
from tfenv.model.package import Elsewhere, Requirement, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tfenv.model.package import Name

_PATH = re.compile(r"[a-z][a-z0-9+.-]*:|[./~\\]|.*\.(whl|zip|tar\.gz|tgz|tar\.bz2)$|[^\[;@]*[/\\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyFile:
    """What one file declares.

    Attributes:
        requirements: wanted packages, each with file and key as `source`.
        constraints: bounds on packages that are not wanted for themselves.
        python: allowed versions of Python; ``None`` if the file does not say.
        pins: packages and versions that a lock holds.
        conda: names among these that conda installs, under conda's names.
        elsewhere: dependencies that come from somewhere else.
        files: further requirements files, relative to the file.
        index_url: the file's first index; ``None`` if it names none.
        extra_index_urls: its other indexes.
        cuda: CUDA whose libraries conda shall install; ``None`` if none.
        cudnn: likewise cuDNN.
        complete: whether `pins` lists everything that is installed.
        notes: one line for each thing that was not read.
    """

    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    python: SpecifierSet | None = None
    pins: tuple[tuple[Name, Version], ...] = ()
    conda: tuple[str, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    files: tuple[str, ...] = ()
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    cuda: Version | None = None
    cudnn: Version | None = None
    complete: bool = False
    notes: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Collector:
    """Collects what a reader finds; values of a wrong type become notes, never errors.

    Attributes:
        name: name of the file.
    """

    name: str
    requirements: list[Requirement] = field(default_factory=list)
    elsewhere: list[Elsewhere] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    def line(self, text: object, key: str) -> None:
        """One requirement in the syntax of PEP 508."""
        # the parser of packaging: 4 modules that a request without requirements does not need
        from packaging.requirements import InvalidRequirement
        from packaging.requirements import Requirement as PackagingRequirement

        where = f"{self.name}: {key}"
        if not isinstance(text, str):
            self.note(f"{where}: `{text}` is not a requirement")
            return
        try:
            parsed = PackagingRequirement(text)
        except (InvalidRequirement, RecursionError) as error:
            if _PATH.match(text):
                self.elsewhere.append(Elsewhere(name=None, place=hidden(text), where=where))
            else:
                self.note(f"{where}: `{hidden(text)}` is not a requirement: {str(error).splitlines()[0]}")
            return
        if parsed.url is not None:
            self.away(parsed.name, parsed.url, key)
        else:
            self.requirements.append(Requirement.of(parsed, source=where))

    def lines(self, values: object, key: str) -> None:
        """A list of requirements, or a text with one on each line."""
        if isinstance(values, str):
            values = [line for line in map(str.strip, values.splitlines()) if line and not line.startswith("#")]
        for value in values if isinstance(values, list | tuple) else ():
            self.line(value, key)

    def away(self, name: str | None, place: object, key: str) -> None:
        """A dependency from another place than an index."""
        project = None if name is None else normalize(name)
        self.elsewhere.append(Elsewhere(name=project, place=hidden(str(place)), where=f"{self.name}: {key}"))

    def note(self, text: str) -> None:
        """A line about something that was not read."""
        self.notes[text] = None

    def drop(self, names: Mapping[Name, object], key: str) -> None:
        """Take out requirements whose source is another one, by name."""
        for requirement in [each for each in self.requirements if each.name in names]:
            self.requirements.remove(requirement)
            self.away(requirement.name, names[requirement.name], key)


def table(value: object, *keys: str) -> dict[str, object]:
    """The table at a path of keys; empty if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def tables(value: object) -> Iterator[dict[str, object]]:
    """The tables of a list."""
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict):
            yield each


def text(value: object) -> str:
    """A text; empty if the value is none."""
    return value if isinstance(value, str) else ""


def specifier(value: object) -> SpecifierSet | None:
    """A specifier; ``None`` if the value is none."""
    try:
        return SpecifierSet(value) if isinstance(value, str) else None
    except InvalidSpecifier:
        return None


def version(value: object) -> Version | None:
    """A version; ``None`` if the value is none."""
    try:
        return Version(value.removeprefix("==")) if isinstance(value, str) else None
    except InvalidVersion:
        return None


def roots(names: Iterable[Name], needed: Iterable[Name]) -> list[Name]:
    """Packages of a lock that no other one requires: what was asked for, where the lock does not say."""
    inner = set(needed)
    return [name for name in dict.fromkeys(names) if name not in inner]
