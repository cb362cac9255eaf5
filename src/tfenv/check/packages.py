"""The rules about packages, asked of a configuration: metadata and what it should have said. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.check.subject import DISTRIBUTIONS, fitting_tags, requirements
from tfenv.facts.rows import cited
from tfenv.model import tags
from tfenv.model.package import Name
from tfenv.model.report import Caution, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.specifiers import Specifier, SpecifierSet

    from tfenv.check.subject import Subject
    from tfenv.facts.database import Database
    from tfenv.model.configuration import Configuration
    from tfenv.model.package import Requirement

_KERAS = ("keras", "tf-keras")
_FIRST = ("protobuf", "numpy", "ml-dtypes", "h5py", "keras", "wrapt", "gast")
"""In the order in which `import tensorflow` fails over them."""


def problems(about: Subject, configuration: Configuration, database: Database) -> tuple[list[Problem], list[Caution]]:
    """Packages whose version TensorFlow does not work with."""
    said = dict(configuration.packages)
    patches = database.patches.of(about.facts.name, about.facts.version, about.platform)
    dropped = {name for patch in patches for name in patch.drop}
    declared = [one for one in requirements(about, database) if one.name not in dropped]
    repaired = [one for patch in patches for one in patch.add if not one.name.startswith("__")]
    found: dict[Name, Problem] = {}
    for requirement in (*repaired, *declared):
        given = said.get(requirement.name)
        if given is None or requirement.name in found or requirement.name in DISTRIBUTIONS:
            continue
        if not _applies(requirement, about) or compatible(given, requirement.specifier):
            continue
        because = (
            f"{about.words} requires {requirement.name}{requirement.specifier}",
            *filter(None, requirement.because.split("\n")),
            f"{requirement.name} is {_plain(given)}",
        )
        sources = cited(requirement.source)
        code = "keras-mismatch" if requirement.name in _KERAS else "package-incompatible"
        found[requirement.name] = Problem(code=code, subject=requirement.name, because=because, sources=sources)
    for name, _ in configuration.packages:
        if name not in found and (problem := _companion(name, about, configuration, database)) is not None:
            found[name] = problem
    asked, cautions = _keras(about, configuration, database)
    for problem in asked:
        found.setdefault(Name(problem.subject), problem)
    ordered = sorted(found.values(), key=lambda each: (*_FIRST, each.subject).index(each.subject))
    return ordered, cautions


def _keras(about: Subject, configuration: Configuration, database: Database) -> tuple[list[Problem], list[Caution]]:
    """Can `tf.keras` be what is asked for, and with what?"""
    keras = configuration.keras
    row = None if keras is None else database.companions.keras_of(about.facts.version, keras)
    if row is None:
        return [], []
    said = dict(configuration.packages)
    lacking = [str(one) for one in row.requires if one.name not in said and not one.name.startswith("__")]
    settings = [f"{name}={value}" for name, value in row.environment]
    problems = [
        Problem(
            code="keras-mismatch",
            subject="keras" if one.name.startswith("__") else one.name,
            because=(f"Keras {keras} is asked for", f"of {about.words}, {one.because}"),
            sources=cited(one.source),
        )
        for one in row.requires
        if one.name.startswith("__") or (one.name in said and not compatible(said[one.name], one.specifier))
    ]
    needed = " and ".join([*lacking, *settings])
    told = [Caution(code="assumed", message=f"{needed} is there: it makes `tf.keras` Keras {keras}")] if needed else []
    return problems, told


def _companion(name: Name, about: Subject, configuration: Configuration, database: Database) -> Problem | None:
    """A package that was made for another TensorFlow."""
    version = configuration.version_of(name)
    if version is None or name in DISTRIBUTIONS:
        return None
    said = dict(configuration.packages)
    for requirement in database.companions.asks(name, version):
        wanted = requirement.specifier
        if requirement.name in DISTRIBUTIONS:
            fits = wanted.contains(about.facts.version, prereleases=True)
        else:
            fits = (given := said.get(requirement.name)) is None or compatible(given, wanted)
        if not fits:
            return Problem(
                code="keras-mismatch" if name in _KERAS else "companion-mismatch",
                subject=name,
                because=(*filter(None, requirement.because.split("\n")), f"here it meets {about.words}"),
                sources=cited(requirement.source),
            )
    return None


def compatible(given: SpecifierSet, wanted: SpecifierSet) -> bool:
    """Is there a version that both allow? Told by the versions that they name and those just beside them."""
    both = given & wanted
    return any(both.contains(version, prereleases=True) for version in {*_near(given), *_near(wanted)}) or not str(both)


def pip(about: Subject, configuration: Configuration) -> list[Problem]:
    """A pip that is too old to know the platform tag of any wheel."""
    version = configuration.version_of("pip")
    if version is None or about.python is None or not about.platform.is_linux:
        return []
    needed = [tags.pip_for(tag) for wheel in about.wheels for tag in fitting_tags(wheel, about.platform, about.python)]
    if not needed or any(floor is None or version >= floor for floor in needed):
        return []
    lowest = min(floor for floor in needed if floor is not None)
    return [
        Problem(
            code="platform-no-wheel",
            subject="pip",
            because=(
                f"the wheels of {about.words} have platform tags that pip knows from {lowest} on",
                f"pip is {version}, and sees no wheel",
            ),
            sources=(about.source, tags.PIP_SOURCE),
        )
    ]


def _applies(requirement: Requirement, about: Subject) -> bool:
    if requirement.marker is None:
        return True
    python = about.python or Version("3.10")
    values = {**tags.markers(about.platform, python), "extra": ""}
    return requirement.marker.evaluate(values)


def _near(specifiers: SpecifierSet) -> Iterator[Version]:
    for one in specifiers:
        yield from _beside(one)


def _beside(one: Specifier) -> Iterator[Version]:
    try:
        version = Version(one.version.removesuffix(".*"))
    except ValueError:
        return
    yield version
    release = version.release
    yield Version(".".join(map(str, (*release[:-1], release[-1] + 1))))
    yield Version(f"{'.'.join(map(str, release))}.0.1")
    # just below, so that `<2` and `>1.2` meet at 1.999…
    for position in range(len(release)):
        if release[position] > 0:
            lower = (*release[:position], release[position] - 1)
            yield Version(".".join(map(str, (*lower, 99999, 99999))))


def _plain(given: SpecifierSet) -> str:
    """`2.1.0` for `==2.1.0`."""
    text = str(given)
    return (
        match[1]
        if (match := re.fullmatch(r"={2,3}([^,*]+)", text))
        else f"asked for as {text}"
        if text
        else "not pinned"
    )
