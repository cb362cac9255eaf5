"""Why pip, uv, poetry or conda installed nothing, or something that does not fit: conflicts, missing files, hashes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.inputs.log import pythons
from tfenv.inputs.log.tracebacks import python_of
from tfenv.model.evidence import Symptom
from tfenv.model.package import TENSORFLOWS, Name, normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfenv.facts.database import Database
    from tfenv.inputs.log.requirements import Edge

_TENSORFLOWS = (*TENSORFLOWS, Name("tensorflow-intel"), Name("tf-nightly"), Name("intel-tensorflow"))
_KIN = re.compile(r"(?:tensorflow|tf|tflite|keras)(?:-|$)")
_NAME = r"[A-Za-z][\w.-]{0,80}?"

_NO_FILE: Final = (
    re.compile(
        rf"(?:satisfies the requirement|No matching distribution found for) (?P<name>{_NAME})(?:\[[\w,-]*\])?\s?"
        r"(?P<wants>[<>=!~]=?=?\s?\d[\w.*!+,<>=~ ]{0,60})?(?=[\s;(,]|$)",
        re.MULTILINE,
    ),
    re.compile(rf"[Bb]ecause (?P<name>{_NAME})(?:==(?P<version>\d[\w.]*))? has no (?:wheels|usable wheels)"),
    re.compile(rf"[Uu]nable to find installation candidates for (?P<name>{_NAME}) \((?P<version>\d[\w.+]*)\)"),
    re.compile(
        rf"Failed building wheel for (?P<name>{_NAME})$|Failed to build `(?P<name_b>{_NAME})(?:==|`)", re.MULTILINE
    ),
    re.compile(rf"(?P<name>{_NAME})-(?P<version>\d[\w.]*)-\S{{1,120}}\.whl is not a supported wheel"),
)
_PYTHON = re.compile(
    rf"[Pp]ackage '?(?P<name>{_NAME})'? requires a different Python: (?P<has>\d\.\d+[\d.]*)"
    r" not in '(?P<wants>[^'\n]{1,60})'"
)
_HASHES = re.compile(
    r"DO NOT MATCH THE HASHES|Hash mismatch for `?(?P<name>[\w.-]{1,80}?)(?:[-=@]|`|$)|BadZipFile"
    r"|File is not a zip file|Wheel .{0,80}(?:is invalid|corrupted)|ChecksumMismatchError"
)
_FROM = re.compile(r"^\s+(?P<name>[A-Za-z][\w.-]*?)(?:[<>=!~].{0,60})? from http", re.MULTILINE)


def symptoms(text: str, found: Sequence[Edge], database: Database) -> Iterator[Symptom]:
    """What an installer could not do, or warns of having done.

    Args:
        text: the log.
        found: the requirements in it.
        database: the facts.
    """
    yield from _clashes([edge for edge in found if edge.installed])
    yield from _conflicts([edge for edge in found if not edge.installed], text, database)
    yield from pythons.symptoms(text)
    yield from _contradictions(text, database)
    yield from _never_published(text)
    yield from _without_file(text, database)
    yield from _damaged(text)


def _clashes(found: list[Edge]) -> Iterator[Symptom]:
    """Installed packages of which one does not have what another requires; those of TensorFlow first."""
    for edge in sorted(found, key=lambda edge: edge.by not in _TENSORFLOWS):
        missing = not edge.has
        yield Symptom(
            code="package-missing" if missing else "package-incompatible",
            subject=edge.name,
            cause=f"{edge.words}, and {'it is not' if missing else f'{edge.name} {edge.has} is'} installed",
            line=edge.line,
            package=edge.name,
            wanted=_together(edge.name, found) or edge.wants,
            general=edge.by is not None and not _near(edge),
            advice=f"pip install --upgrade {edge.by}   # a release that goes with the rest"
            if edge.by is not None and edge.by not in _TENSORFLOWS
            else None,
        )


def _near(edge: Edge) -> bool:
    """Does it concern TensorFlow or what stands around it?"""
    return any(name is not None and (name in _TENSORFLOWS or _KIN.match(name)) for name in (edge.by, edge.name))


def _together(name: Name, found: list[Edge]) -> SpecifierSet | None:
    """What all of TensorFlow's own distributions want of a package; ``None`` if they want nothing."""
    wants = [edge.wants for edge in found if edge.name == name and edge.by in _TENSORFLOWS and edge.wants is not None]
    return SpecifierSet(",".join(map(str, wants))) if wants else None


def _conflicts(found: list[Edge], text: str, database: Database) -> Iterator[Symptom]:
    """Requirements that no release meets together."""
    failed = _FAILED.search(text)
    if failed is None:
        return
    for edge in found:
        if edge.name == "python" and edge.by is not None and edge.wants is not None:
            yield _of_python(edge)
    by_name: dict[Name, list[Edge]] = {}
    for edge in found:
        if edge.name != "python":
            by_name.setdefault(edge.name, []).append(edge)
    any_clash = False
    for name, some in by_name.items():
        if (pair := _apart(name, some, database)) is not None:
            any_clash = True
            yield _of_pair(name, *pair, database)
    if any_clash or len(by_name) != 1:
        return
    ((name, some),) = by_name.items()
    if len(some) > 1 and all(edge.by is not None for edge in some):
        yield Symptom(
            code="python-no-wheel",
            subject=name,
            cause=f"{some[0].words}, and pip finds no release of {name} that this Python and platform can install",
            line=some[0].line,
            package=name,
            installing=True,
        )


_FAILED = re.compile(
    r"conflicting dependencies|ResolutionImpossible|No solution found|version solving failed|unsatisfiable"
    r"|Unsatisfiable|could not be installed|none of the providers|SolverProblemError|ResolutionFailure|incompatible"
)


def _apart(name: Name, some: list[Edge], database: Database) -> tuple[Edge, Edge] | None:
    """Two requirements that no release meets; the one that stays first."""
    known = [edge for edge in some if edge.wants is not None and str(edge.wants)]
    ordered = sorted(known, key=lambda edge: (edge.by not in _TENSORFLOWS, edge.by is None))
    for at, one in enumerate(ordered):
        for other in ordered[at + 1 :]:
            if (one.by != other.by or one.by is None) and not _meet(name, one, other, database):
                return one, other
    return None


def _meet(name: Name, one: Edge, other: Edge, database: Database) -> bool:
    """Is there a release that both admit? Without a list of releases the bounds themselves are tried."""
    both = SpecifierSet(f"{one.wants or ''},{other.wants or ''}".strip(","))
    versions = list(database.projects.rows(name)) or list(database.releases.versions(name))
    bounds = [bound.version.removesuffix(".*") for bound in both]
    for text in bounds:
        try:
            version = Version(text)
        except InvalidVersion:
            continue
        versions += [version, Version(f"{version}.1") if not version.is_prerelease else version]
    return any(both.contains(version, prereleases=True) for version in versions)


def _of_pair(name: Name, stays: Edge, goes: Edge, database: Database) -> Symptom:
    """A conflict: the user's own pin changes, or else the release of the other package that requires too much."""
    package, wanted = name, stays.wants if stays.by is not None or goes.by is None else goes.wants
    advice = None
    if goes.by is not None and stays.by is not None:
        fitting = _fitting(goes.by, name, stays, database)
        package, wanted = goes.by, None if fitting is None else SpecifierSet(f"=={fitting}")
        advice = f"take a release of {goes.by} that goes with {name}{stays.wants}, or put it into its own environment"
    return Symptom(
        code="keras-mismatch" if name == "keras" else "package-incompatible",
        subject=name,
        cause=f"{stays.words}, and {goes.words}: no release of {name} meets both",
        line=goes.line,
        package=package,
        wanted=wanted,
        advice=advice,
    )


def _fitting(by: Name, name: Name, stays: Edge, database: Database) -> Version | None:
    """The newest release of a package whose requirement of another one goes with what stays."""
    for version in sorted(database.projects.rows(by), reverse=True):
        row = database.projects.rows(by)[version]
        if version.is_prerelease or row.yanked or row.requires is None:
            continue
        asked = [one for one in map(PackagingRequirement, row.requires) if normalize(one.name) == name]
        edges = [replace(stays, by=by, wants=one.specifier) for one in asked]
        if all(not str(edge.wants) or _meet(name, stays, edge, database) for edge in edges):
            return version
    return None


def _of_python(edge: Edge) -> Symptom:
    return Symptom(
        code="python-no-wheel",
        subject=f"{edge.by} {edge.version}".strip(),
        cause=f"{edge.words}",
        line=edge.line,
        python=pythons.newest(edge.wants or SpecifierSet()),
        package=None,
        installing=True,
    )


def _without_file(text: str, database: Database) -> Iterator[Symptom]:
    """Packages that have no file for this Python and platform."""
    for match in _PYTHON.finditer(text):
        python = pythons.newest(SpecifierSet(match["wants"]))
        yield Symptom(
            code="python-no-wheel",
            subject=normalize(match["name"]),
            cause=f"{match['name']} requires Python {match['wants']}, and this is {match['has']}",
            line=_line(text, match),
            python=python,
            installing=True,
        )
    seen = set()
    for pattern in _NO_FILE:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            name = normalize(groups["name"])
            if name in _TENSORFLOWS[:-1] or name in seen or name in ("the", "some"):
                continue
            seen.add(name)
            version = groups.get("version")
            what = f"{name} {version}" if version else name
            platforms = _other_platforms(name, version, text, database)
            yield Symptom(
                code="platform-no-wheel" if platforms else "python-no-wheel",
                subject=name,
                cause=f"{what} has no file that this Python and platform can install"
                + (f"; its wheels for this Python are for {platforms}" if platforms else ""),
                line=_line(text, match),
                package=None if platforms else name,
                asked=_exact(version or groups.get("wants") or ""),
                installing=True,
                advice="take a platform that it has a wheel for; on Linux one with glibc (`python:3.12-slim`)"
                if platforms
                else f"take a Python and a platform that {name} has a wheel for, or do without it",
            )


def _exact(text: str) -> Version | None:
    """The release that is asked for, if it is one."""
    try:
        return Version(text.strip().lstrip("=").strip())
    except InvalidVersion:
        return None


def _other_platforms(name: Name, version: str | None, text: str, database: Database) -> str:
    """The platforms that a release has wheels for, if it has one for the Python that the log names; else nothing."""
    python = python_of(text)
    asked = _exact(version or "")
    row = None if asked is None else database.projects.rows(name).get(asked)
    if row is None or python is None or row.source:
        return ""
    tag = f"cp{python.major}{python.minor}-"
    here = [each.rpartition("-")[2] for each in row.tags if each.startswith(tag)]
    return ", ".join(dict.fromkeys(here))


_MATCHES = re.compile(
    rf"Could not find a version that matches (?P<name>{_NAME})(?P<wants>(?:[<>=!~]=?=?[\w.*]+,?){{2,12}})"
)


def _contradictions(text: str, database: Database) -> Iterator[Symptom]:
    """Requirements of one package that pipenv prints together, without who has them; the rows know who may."""
    for match in _MATCHES.finditer(text):
        name = normalize(match["name"])
        bounds = list(SpecifierSet(match["wants"].rstrip(",")))
        exact = [bound for bound in bounds if bound.operator == "=="]
        others = SpecifierSet(",".join(str(bound) for bound in bounds if bound not in exact))
        by, better = _who_pins(name, str(exact[0]), others, database) if exact else (None, None)
        cause = f"no release of {name} is {match['wants'].rstrip(',')}: two packages require different releases"
        yield Symptom(
            code="package-incompatible",
            subject=by or name,
            cause=f"{cause}; {by} pins {exact[0]}" if by is not None else cause,
            line=_line(text, match),
            package=by,
            wanted=better,
            advice=f"loosen the pin of the package that requires {exact[0] if exact else name}",
        )


def _who_pins(
    name: Name, pin: str, others: SpecifierSet, database: Database
) -> tuple[Name | None, SpecifierSet | None]:
    """A package some release of which pins another one so, and its releases that go with the other requirements."""
    for project in sorted(database.projects.names):
        rows = database.projects.rows(project)
        asked = {
            version: SpecifierSet(match[1])
            for version, row in rows.items()
            for text in row.requires or ()
            if (match := re.fullmatch(rf"{re.escape(name)}\s*\(?([<>=!~][^;\[]*?)\)?(?:\s*;.*)?", text)) is not None
        }
        if SpecifierSet(pin) in asked.values():
            fitting = [
                version
                for version, specifier in asked.items()
                if any(others.contains(each) and specifier.contains(each) for each in database.projects.rows(name))
            ]
            return project, SpecifierSet(f"=={min(fitting)}") if fitting else None
    return None, None


_UNPUBLISHED = re.compile(
    rf"there (?:is|are) no versions? of (?P<name>{_NAME})(?P<marker>\{{[^}}\n]{{1,80}}\}})?==(?P<version>\d[\w.]*)"
    rf"\s+and\s+(?P<by>{_NAME})==(?P<by_version>\d[\w.]*)\s+depends\s+on"
)


def _never_published(text: str) -> Iterator[Symptom]:
    """A release that another one requires, and that no index has."""
    for match in _UNPUBLISHED.finditer(text):
        name, by, marker = normalize(match["name"]), f"{match['by']} {match['by_version']}", match["marker"]
        where = f" where {marker.strip('{}')}" if marker else ""
        yield Symptom(
            code="package-incompatible",
            subject=str(name),
            cause=f"{by} requires {name} {match['version']}{where}, a release that was never published",
            line=_line(text, match),
            advice=f"take another release of {match['by']}, or resolve for your platform only: in `pyproject.toml` "
            "`[tool.uv]` `environments = [\"sys_platform == 'linux'\"]`",
        )


def _damaged(text: str) -> Iterator[Symptom]:
    """Downloads that are not what the index or the lock describes."""
    match = _HASHES.search(text)
    if match is None:
        return
    where = _FROM.search(text, match.end())
    name = match.groupdict().get("name") or (where["name"] if where is not None else "")
    subject = normalize(name) if name else "download"
    again = (
        f"pip install --no-cache-dir --force-reinstall {subject}" if name else "pip cache purge, then the same again"
    )
    yield Symptom(
        code="package-broken",
        subject=subject,
        cause="the file that arrived is not the one whose hash was expected: a damaged download, or another file",
        line=_line(text, match),
        advice=f"{again}   # downloads it again; if the hash differs still, the lock or the index is wrong",
    )


def _line(text: str, match: re.Match[str]) -> str:
    end = text.find("\n", match.end())
    return text[text.rfind("\n", 0, match.start()) + 1 : end if end >= 0 else None].strip()
