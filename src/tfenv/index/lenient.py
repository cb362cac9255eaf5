"""Requirements and specifiers of old metadata, parsed after known mistakes are corrected.

`packaging` follows PEP 440 and PEP 508 strictly, but old wheels do not. Mistakes with only one plausible meaning are
corrected: `>=1.0.*`, `==1.0*`, a missing or doubled comma, stray quotes, `!=~`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from tfenv.model.late import late
from tfenv.model.package import Name, Requirement
from tfenv.store.foreign import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

UNREADABLE = Name("__known_bad")
"""Stands for a requirement that cannot be parsed, or that an index cannot meet: no target has its version 0."""

_NEVER = SpecifierSet("==0")

_SLIPS = (
    (re.compile(r"!=\s*~"), "!="),
    (re.compile(r"(?<=[\d*])\s*(?=(?:[<>!=~]=|[<>]))"), ","),  # >=1.0<2
    (re.compile(r"((?:>=|<=|~=|>|<)\s*[\w.!+]+?)\.\*"), r"\1"),  # >=1.0.*
    (re.compile(r"([!=]=\s*\d+(?:\.\d+)*)\*"), r"\1.*"),  # ==1.0*
    (re.compile(r"\.\.+\*"), ".*"),
    (re.compile(r",\s*(?=,|\)|$)"), ""),  # doubled or trailing comma
)

_LONGEST = 10_000
"""characters of a requirement; the longest on PyPI have some 2,000"""
_DEEPEST = 100
_DIGITS = re.compile(r"\d{100}")
"""a number that no version has"""
_NAME = re.compile(r"\s*[\w.-]+\s*(?:\[[^\]]*\])?")


@lru_cache(maxsize=4096)
def specifier(text: str) -> SpecifierSet | None:
    """A `Requires-Python`; ``None`` if it is empty or cannot be parsed even after corrections."""
    if _is_abusive(text):
        return None
    text = text.strip()
    for attempt in (text, _mend(re.sub(r"['\"()]", "", text))):
        try:
            return SpecifierSet(attempt) if attempt else None
        except InvalidSpecifier:
            continue
    return None


def requirements(lines: Iterable[str], *, source: str) -> tuple[Requirement, ...]:
    """Every `Requires-Dist`; one that cannot be parsed becomes a requirement of `UNREADABLE` with the reason."""
    return tuple(_requirement(line.strip(), source) for line in lines if line.strip())


@lru_cache(maxsize=8192)
def _requirement(line: str, source: str) -> Requirement:
    if _is_abusive(line):
        return _unreadable(f"its metadata contains `{shown(line)}`, which is not a requirement", None, source)
    if (plain := late(line, source)) is not None:
        return plain
    body, semicolon, condition = line.partition(";")
    name = _NAME.match(body)
    split = name.end() if name is not None else 0
    mended = body[:split] + _mend(body[split:]).strip() + (f" ;{condition}" if semicolon else "")
    for attempt in (line, mended):
        try:
            return Requirement.of(PackagingRequirement(attempt), source=source)
        except (InvalidRequirement, RecursionError):
            continue
        except ValueError as error:  # it names a URL
            return _unreadable(str(error), PackagingRequirement(attempt).marker, source)
    marker = None
    if condition.strip():
        try:
            marker = Marker(condition)
        except (InvalidMarker, RecursionError):
            marker = None
    return _unreadable(f"its metadata contains `{shown(line)}`, which is not a requirement", marker, source)


def _is_abusive(text: str) -> bool:
    """Whether a text is so long, or nests so deeply, that parsing it would take long or fail late."""
    return len(text) > _LONGEST or text.count("(") > _DEEPEST or _DIGITS.search(text) is not None


def _unreadable(because: str, marker: Marker | None, source: str) -> Requirement:
    return Requirement(name=UNREADABLE, specifier=_NEVER, marker=marker, because=because, source=source)


def _mend(text: str) -> str:
    for pattern, replacement in _SLIPS:
        text = pattern.sub(replacement, text)
    return text
