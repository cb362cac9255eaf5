"""Version constraints of Poetry and of npm-like tools, as specifiers of PEP 440.

Source: https://python-poetry.org/docs/dependency-specification/
"""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

_PART = re.compile(r"(?P<operator>\^|~(?!=)|===?|!=|[<>]=?|~=)?\s*(?P<version>[^\s,<>=!~^|]+)")


def alternatives(text: str) -> tuple[SpecifierSet, ...]:
    """The alternatives of a constraint, which `||` separates.

    Raises:
        ValueError: the text is not a constraint.
    """
    return tuple(_all(part) for part in re.split(r"\|\|?", text))


def _all(text: str) -> SpecifierSet:
    """Constraints that must all hold, separated by commas or spaces."""
    stripped = text.strip()
    if not stripped or _PART.sub("", stripped).strip(", "):
        raise ValueError(f"`{text}` is not a version constraint")
    try:
        return SpecifierSet(
            ",".join(filter(None, (_one(each["operator"], each["version"]) for each in _PART.finditer(stripped))))
        )
    except (InvalidSpecifier, InvalidVersion):
        raise ValueError(f"`{text}` is not a version constraint") from None


def _one(operator: str | None, text: str) -> str:
    if text == "*":
        return ""
    if operator not in ("^", "~"):
        return f"{operator or '=='}{text}"
    low = Version(text.removesuffix(".*"))
    parts = list(low.release)
    if operator == "~":
        kept = min(len(parts), 2)
    else:
        kept = next((index + 1 for index, part in enumerate(parts) if part), len(parts))
    high = [*parts[: kept - 1], parts[kept - 1] + 1]
    return f">={low},<{'.'.join(map(str, high))}"
