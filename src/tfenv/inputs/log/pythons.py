"""Pythons that uv and poetry name as the reason why nothing could be installed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from tfenv.model.evidence import Symptom
from tfenv.model.package import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = r"[A-Za-z][\w.-]{0,80}?"
_HERE = re.compile(r"You(?:'re using| require| are using)\s+CPython\s+(?P<python>\d\.\d+)")
_TAGS = re.compile(
    rf"but\s+(?:we\s+only\s+found\s+wheels\s+for\s+)?`(?P<name>{_NAME})`\s+\(v(?P<version>\d[\w.]*)\)\s+"
    r"(?:only\s+has\s+wheels\s+)?with\s+the\s+following\s+Python\s+(?:ABI|implementation)\s+tags?:"
    r"(?P<tags>(?:\s*`\w+`,?(?:\s*and)?)+)"
)
"""The hint of uv."""
_RANGE = re.compile(
    r"supported Python range \((?P<range>[^)\n]{1,60})\) is not compatible with some of the required packages"
    r" Python requirement:(?P<rows>(?:\n\s+- [^\n]{1,300})+)"
)
_ROW = re.compile(rf"- (?P<name>{_NAME}) requires Python (?P<wants>[^\n]{{1,60}}?), so it will not be")
"""The complaint of poetry."""


def facts(text: str) -> Iterator[Mapping[str, str]]:
    """The Python that uv resolved for, and the release that it looked at last."""
    if (match := _HERE.search(text)) is not None:
        yield {"python": match["python"]}
    for match in _TAGS.finditer(text):
        name = normalize(match["name"])
        yield {"tf" if name == "tensorflow" else f"packages.{name}": match["version"]}


def symptoms(text: str) -> Iterator[Symptom]:
    """Releases without a wheel for the Python in use, or for every Python that the project allows."""
    here = _HERE.search(text)
    for match in _TAGS.finditer(text):
        known = [Version(f"{tag[0]}.{tag[1:]}") for tag in re.findall(r"`cp(\d{2,3})m?`", match["tags"])]
        if not known:
            continue
        now = f", and none for Python {here['python']}" if here is not None else ""
        yield Symptom(
            code="python-no-wheel",
            subject=f"{match['name']} {match['version']}",
            cause=f"{match['name']} {match['version']} has wheels for Python {min(known)} to {max(known)}{now}",
            line=_line(text, match),
            python=max(known),
            installing=True,
        )
    for match in _RANGE.finditer(text):
        yield from _of_poetry(match, _line(text, match))


def newest(wants: SpecifierSet) -> Version | None:
    """The newest minor of Python 3 that a specifier admits, the last patch of each tried."""
    for minor in range(14, 4, -1):
        if wants.contains(f"3.{minor}.99") or wants.contains(f"3.{minor}.0"):
            return Version(f"3.{minor}")
    return None


def _of_poetry(match: re.Match[str], line: str) -> Iterator[Symptom]:
    """A project that allows Pythons which some package does not; of several releases the most generous one counts."""
    best: dict[str, tuple[Version, SpecifierSet]] = {}
    for row in _ROW.finditer(match["rows"]):
        try:
            wants = SpecifierSet(row["wants"].replace(" ", ""))
        except InvalidSpecifier:
            continue
        python = newest(wants)
        if python is not None and (row["name"] not in best or best[row["name"]][0] < python):
            best[row["name"]] = (python, wants)
    if not best:
        return
    name, (python, wants) = min(best.items(), key=lambda item: item[1][0])
    lower = match["range"].partition(",")[0].strip()
    allowed = f"{lower},<{python.major}.{python.minor + 1}"
    yield Symptom(
        code="python-no-wheel",
        subject=name,
        cause=f"the project allows Python {match['range']}, and {name} needs {wants}",
        line=line,
        python=python,
        installing=True,
        advice=f'in `pyproject.toml` set the Python of the project to "{allowed}"',
    )


def _line(text: str, match: re.Match[str]) -> str:
    end = text.find("\n", match.start())
    return text[text.rfind("\n", 0, match.start()) + 1 : end if end >= 0 else None].strip()
