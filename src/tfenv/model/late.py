"""Requirements with plain text, parsed on first use, because most are for extras that are never requested.

Plain text is recognized without parsing: a name, extras, specifiers of the usual form, comparisons of PEP 508 variables
with literals, matching brackets. `packaging` parses any other text at once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from tfenv.model.package import Name, Requirement, normalize

_VERSION = r"\d+(?:\.\d+)*(?:(?:a|b|rc|\.post|\.dev)\d+)*"
_SPECIFIER = rf"(?:[=!]=\s*{_VERSION}(?:(?<=\d)\.\*)?|(?:<=?|>=?)\s*{_VERSION}|~=\s*\d+\.{_VERSION})"
_PLAIN = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[\w.-]+(?:\s*,\s*[\w.-]+)*)\])?"
    rf"\s*(?P<bracket>\()?\s*(?P<specifier>{_SPECIFIER}(?:\s*,\s*{_SPECIFIER})*)?\s*(?(bracket)\))"
    r"\s*(?:;\s*(?P<marker>.*\S)\s*)?",
    re.ASCII,
)
_WILD_AFTER_SUFFIX = re.compile(r"(?:a|b|rc|post|dev)\d+\.\*")
_VARIABLES = (
    r"(?:python_version|python_full_version|sys_platform|platform_system|platform_machine|os_name|extra"
    r"|implementation_name|platform_python_implementation)"
)
_CLAUSE = rf"\(*\s*{_VARIABLES}\s*(?:==|!=|<=|>=|<|>)\s*(?:'[\w. +-]*'|\"[\w. +-]*\")\s*\)*"
_MARKER = re.compile(rf"{_CLAUSE}(?:\s+(?:and|or)\s+{_CLAUSE})*", re.ASCII)
_EXTRA = re.compile(r"\bextra\s*==\s*(?:'([\w.-]+)'|\"([\w.-]+)\")")
_OR = re.compile(r"\sor\s")


def late(text: str, source: str) -> Requirement | None:
    """A requirement that parses itself on demand; ``None`` if its text is not plain."""
    match = _PLAIN.fullmatch(text)
    if match is None or _WILD_AFTER_SUFFIX.search(text):
        return None
    marker = match["marker"] or ""
    if marker and (_MARKER.fullmatch(marker) is None or not _balanced(marker)):
        return None
    made = object.__new__(_Late)
    put = object.__setattr__
    put(made, "name", _name(match["name"]))
    put(made, "any_of", ())
    put(made, "extras", _extras(match["extras"]))
    put(made, "because", "")
    put(made, "source", source)
    put(made, "code", "")
    put(made, "tier", "")
    put(made, "brought", "metadata")
    put(made, "_specifier", match["specifier"] or "")
    put(made, "condition", marker)
    return made


class _Late(Requirement):
    """Parse the text; Python calls this only for attributes that are not set yet."""

    __slots__ = ("_specifier", "condition")
    _specifier: str
    condition: str

    def __getattr__(self, attribute: str) -> Any:
        if attribute == "specifier":
            value: Any = specifiers(self._specifier)
        elif attribute == "marker":
            value = _marker(self.condition) if self.condition else None
        elif attribute in ("_specifier", "condition"):  # an object that `replace` made
            value = "" if attribute == "_specifier" or self.marker is None else str(self.marker)
        else:
            raise AttributeError(attribute)
        object.__setattr__(self, attribute, value)
        return value

    def may_hold(self, extra: str) -> bool:
        only = _only_for(self.condition)
        return only is None or only == extra

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Requirement) and _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(_values(self))


def _values(one: Requirement) -> tuple[object, ...]:
    """All fields in the order of the class, for comparison and hash."""
    named = (one.name, one.specifier, one.any_of, one.extras, one.marker)
    return (*named, one.because, one.source, one.code, one.tier, one.brought)


def _balanced(marker: str) -> bool:
    depth = 0
    for sign in marker:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return False
    return depth == 0


@lru_cache(maxsize=4096)
def _only_for(marker: str) -> str | None:
    """The extra without which a marker cannot hold; ``None`` if there is no such single extra."""
    found = _EXTRA.search(marker)
    return None if found is None or _OR.search(marker) else normalize(found[1] or found[2])


@lru_cache(maxsize=4096)
def specifiers(text: str) -> SpecifierSet:
    """A set of specifiers; equal texts share one object."""
    return SpecifierSet(text)


@lru_cache(maxsize=4096)
def _marker(text: str) -> Marker:
    return Marker(text)


def _extras(text: str | None) -> frozenset[str]:
    return frozenset(normalize(extra.strip()) for extra in text.split(",")) if text else frozenset()


@lru_cache(maxsize=4096)
def _name(text: str) -> Name:
    return normalize(text)
