"""Who requires what, in the words of pip, uv, poetry and conda: one sentence of theirs, one edge.

::

    numba 0.53.1 requires llvmlite<0.37,>=0.36, but you have llvmlite 0.39.1 which is incompatible.        pip
    tensorflow 2.10.0 depends on protobuf<3.20 and >=3.9.2                                                 pip
    Because tensorflow==2.16.1 depends on numpy>=1.23.5,<2.0.0 and your project depends on numpy>=2, …     uv
    error: numpy 1.18.5 is installed but numpy~=1.19.2 is required by {'tensorflow'}                       setuptools
    tensorflow (2.15.1) depends on keras (>=2.15.0,<2.16)                                                  poetry
    - tensorflow==1.14.0 -> python[version='>=2.7,<2.8.0a0|>=3.6,<3.7.0a0']                                conda
    package tensorflow-2.10.0-cuda112py39 requires python >=3.9,<3.10.0a0, but none of the providers …     mamba
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from tfenv.model.package import Name, normalize

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = r"[A-Za-z][\w.-]{0,80}?"
_VERSION = r"v?\d[\w.!+*-]{0,40}"
_BOUND = r"(?:[<>=!~^]=?=?\s?\d[\w.!+*]{0,30})"
_SPEC = rf"(?:{_BOUND}(?:(?:\s?,\s?|\s?\|\|?\s?| and |\s){_BOUND}){{0,12}})"

_EXTRA = r"(?:\[[\w,-]*\])?"

_EDGES: Final = (
    re.compile(rf"package (?P<by>{_NAME})-(?P<version>\d[\w.]*)-\w+ requires (?P<name>{_NAME}) (?P<wants>{_SPEC})"),
    re.compile(
        rf"(?P<by>{_NAME})[ -](?P<version>{_VERSION})(?: has requirement| requires) (?P<name>{_NAME}){_EXTRA}"
        rf"\s?\(?(?P<wants>{_SPEC})?\)?(?:;[^,\n]{{0,80}})?, (?:but you(?:'ll)? have \S{{1,80}} (?P<has>{_VERSION})"
        r"|which is not installed)"
    ),
    re.compile(
        rf"VersionConflict: \((?P<name>{_NAME}) (?P<has>{_VERSION}) \([^)\n]{{0,300}}\), "
        rf"Requirement\.parse\('{_NAME}(?P<wants>{_SPEC})[^'\n]{{0,80}}'\)(?:, \{{'(?P<by>{_NAME})'\}})?"
    ),
    re.compile(
        rf"(?P<by>{_NAME})(?: \(?|==)(?P<version>{_VERSION})\)? (?:depends on|requires) (?P<name>{_NAME}){_EXTRA}"
        rf"(?:\s?\(?(?P<wants>{_SPEC})\)?|\s?\(\*\))?(?=[\s,;.)]|$)"
    ),
    re.compile(
        rf"(?P<by>[Yy]our? (?:project|workspace)|{_NAME}|you) (?:depends on|requires?) (?:both )?(?P<name>{_NAME})"
        rf"{_EXTRA}\s?\(?(?P<wants>{_SPEC})\)?"
    ),
    re.compile(rf"[Tt]he user requested (?:\(constraint\) )?(?P<name>{_NAME}){_EXTRA}(?P<wants>{_SPEC})?(?=\s|$)"),
)
_SETUPTOOLS = re.compile(
    rf"(?P<name>{_NAME}) (?P<has>{_VERSION}) is installed but {_NAME}(?P<wants>{_SPEC})"
    rf" is required by \{{'(?P<by>{_NAME})'"
)
_BOTH = re.compile(
    rf"(?P<by>{_NAME}) (?:depends on|requires) both (?P<name>{_NAME}) \((?P<wants>{_SPEC})\)"
    rf" and (?P<other>{_NAME}) \((?P<other_wants>{_SPEC})\)"
)
_CONDA = re.compile(
    rf"^\s*-\s+(?P<by>{_NAME})(?:==?(?P<version>{_VERSION}))?(?:\[[^\]\n]{{0,80}}\])? -> (?P<name>{_NAME})"
    r"\[version='(?P<wants>[^'\n]{1,400})'",
    re.MULTILINE,
)
_TREE = re.compile(
    rf"─ (?P<by>{_NAME}) (?P<version>\d[\w.]*) would require\n[│ ]*[└├]─ (?P<name>{_NAME}) (?P<wants>{_SPEC})"
)
"""The tree of libmamba."""
_PROJECT = re.compile(r"(?i:your? (?:project|workspace)|you)$")
_CARET = re.compile(r"\^\s?(?P<version>\d[\w.]*)")
_TILDE = re.compile(r"(?<![\w])~\s?(?P<version>\d[\w.]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A requirement that a tool printed.

    Attributes:
        by: project that requires; ``None`` for the user's own request.
        version: release of that project, empty if it was not printed.
        name: project that is required.
        wants: versions of it; empty if any will do; ``None`` if they were not understood.
        has: version that is installed instead, or empty.
        line: the line it was read from.
        installed: whether the tool speaks of installed packages, not of a resolution.
    """

    by: Name | None
    version: str
    name: Name
    wants: SpecifierSet | None
    has: str
    line: str
    installed: bool

    @property
    def words(self) -> str:
        """`tensorflow 2.10.0 requires protobuf<3.20`."""
        wants = "" if self.wants is None else str(self.wants)
        if self.by is None:
            return f"{self.name}{wants} was asked for"
        return f"{self.by}{f' {self.version}' if self.version else ''} requires {self.name}{wants}"


def edges(text: str) -> tuple[Edge, ...]:
    """Every requirement of a log, in its order, each once."""
    found: dict[tuple[object, ...], Edge] = {}
    for edge in _edges(text):
        found.setdefault((edge.by, edge.version, edge.name, edge.wants), edge)
    return tuple(found.values())


def specifier(text: str | None) -> SpecifierSet | None:
    """Versions as any of the tools writes them; ``None`` if that has no like here.

    Of alternatives (`>=2.7,<2.8|>=3.6,<3.7`) the span from the lowest to the highest counts.
    """
    if text is None or text.strip() in ("", "*"):
        return SpecifierSet()
    parts = [part for part in re.split(r"\|\|?", text) if part.strip()]
    if len(parts) > 1:
        first, last = specifier(parts[0]), specifier(parts[-1])
        if first is None or last is None:
            return None
        low = [one for one in first if one.operator.startswith((">", "=", "~"))]
        high = [one for one in last if one.operator.startswith(("<", "=", "~"))]
        return SpecifierSet(",".join(map(str, (*low, *high))))
    text = _CARET.sub(lambda match: _up_to(match["version"], caret=True), parts[0])
    text = _TILDE.sub(lambda match: _up_to(match["version"], caret=False), text)
    bounds = re.findall(r"[<>=!~]=?=?\s?\d[\w.!+*]*", re.sub(r"(?<![<>=!~])=(?!=)", "==", text))
    try:
        return SpecifierSet(",".join(re.sub(r"(?<=\d)a0$", "", bound.replace(" ", "")) for bound in bounds))
    except InvalidSpecifier:
        return None


_MARKER = re.compile(r"(?<=[\w\]])\{[^{}\n]{1,120}\}(?=[\s<>=!~,]|$)")
"""A marker as uv prints it after a name: `tensorflow-intel{sys_platform == 'win32'}`."""


def _edges(text: str) -> Iterator[Edge]:
    text = _MARKER.sub("", text)
    joined = re.sub(r"\n[ \t│]{2,}(?![ \t]*(?:[-*]|The user|[\w.-]+ \d\S* depends))", " ", text)
    for line in joined.split("\n"):
        if len(line) > _LONGEST or not _WORTH.search(line):
            continue
        taken: list[tuple[int, int]] = []
        for match in _BOTH.finditer(line):
            taken.append(match.span())
            for name, wants in (("name", "wants"), ("other", "other_wants")):
                yield Edge(
                    by=None,
                    version="",
                    name=normalize(match[name]),
                    wants=specifier(match[wants]),
                    has="",
                    line=line.strip(),
                    installed=False,
                )
        for pattern in _EDGES:
            for match in pattern.finditer(line):
                start, end = match.span()
                if all(end <= first or start >= last for first, last in taken):
                    taken.append((start, end))
                    yield _edge(match, line)
    for match in (*_CONDA.finditer(text), *_TREE.finditer(text), *_SETUPTOOLS.finditer(text)):
        yield _edge(match, match[0])


_LONGEST: Final = 20_000
_WORTH = re.compile(r"requires?\b|requirement|depends on|requested|VersionConflict")


def _edge(match: re.Match[str], line: str) -> Edge:
    groups = match.groupdict()
    by = groups.get("by")
    has = groups.get("has") or ""
    return Edge(
        by=None if by is None or _PROJECT.match(by) else normalize(by),
        version=groups.get("version") or "",
        name=normalize(match["name"]),
        wants=specifier(groups.get("wants")),
        has=has,
        line=" ".join(line.split()),
        installed=bool(has) or "not installed" in match[0],
    )


def _up_to(version: str, *, caret: bool) -> str:
    """`^1.2` is `>=1.2,<2`; `~1.2` is `>=1.2,<1.3` (poetry)."""
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    place = next((at for at, number in enumerate(numbers) if number), 0) if caret else min(1, len(numbers) - 1)
    above = ".".join(map(str, (*numbers[:place], numbers[place] + 1)))
    return f">={version},<{above}"
