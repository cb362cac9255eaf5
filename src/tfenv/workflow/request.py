"""From options, requirements files and `pyproject.toml` to one `Goal`."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.errors import UsageError
from tfenv.inputs import project as project_file
from tfenv.inputs import requirements as requirements_file
from tfenv.inputs.request import PREFERENCES, ProjectRequest
from tfenv.model.goal import PYPI, Goal
from tfenv.model.package import Requirement
from tfenv.store import files
from tfenv.workflow.target import read_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfenv.facts.database import Database
    from tfenv.model.machine import Machine
    from tfenv.model.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, and what may not stand in it.

    Attributes:
        request: without credentials.
        indexes: as they were given, credentials and all.
        notes: one line for each thing that was left out of account.
    """

    request: Goal
    indexes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def gather(
    options: ProjectRequest,
    *,
    database: Database,
    detect: Callable[[], Machine],
    project: Path | None = None,
    target: str | None = None,
    profile: Path | None = None,
) -> Asked:
    """Everything that is asked for: options replace keys of `[tool.tfenv]`, lists of requirements add up.

    Args:
        options: of the command line.
        database: to look names of GPUs up.
        detect: looks at this host, for `--gpu auto`.
        project: a `pyproject.toml`, or ``None``.
        target: a table of `[tool.tfenv.targets]`.
        profile: a machine, as `tfenv doctor --save` wrote it; what is asked for besides replaces parts of it.

    Raises:
        UsageError: something cannot be understood; all faults of a file at once.
    """
    requirements: list[Requirement] = []
    notes: list[str] = []
    wanted = options
    base = Path()
    if project is not None:
        base = project.parent
        read = project_file.loads(files.read(project), project.name, target=target)
        requirements += read.dependencies
        requirements += (read.python,) if read.python is not None else ()
        notes += read.notes
        wanted = _overlay(read.request, options, base)
    asked_files = requirements_file.read(
        tuple(map(Path, wanted.requirements_files)),
        files.read,
        constraints=tuple(map(Path, wanted.constraints_files)),
        environment=os.environ,
    )
    requirements += asked_files.requirements
    notes += asked_files.notes
    requirements += (_requirement(text) for text in wanted.requirements)
    specifier, prerelease = read_specifier(wanted.tf)
    requirements, tensorflow = _split_tensorflow(requirements, specifier)
    first = wanted.index_url or asked_files.index_url or PYPI
    indexes = tuple(dict.fromkeys((first, *wanted.extra_index_urls, *asked_files.extra_index_urls)))
    machine = read_target(
        gpus=wanted.gpu,
        known=lambda: database.gpus,
        detect=detect,
        driver=wanted.driver,
        python=wanted.python,
        platform=wanted.platform,
        glibc=wanted.glibc,
        cpu=wanted.cpu,
    )
    request = Goal(
        tensorflow=tensorflow,
        target=machine if profile is None else _on_profile(profile, machine, wanted),
        requirements=tuple(dict.fromkeys(requirements)),
        constraints=asked_files.constraints,
        indexes=tuple(map(_without_credentials, indexes)),
        exclude_newer=read_moment(wanted.exclude_newer),
        keras=_keras(wanted.keras),
        newest=_prefer(wanted.prefer) == "newest",
        prereleases=wanted.prereleases or prerelease,
    )
    return Asked(request=request, indexes=indexes, notes=tuple(notes))


def _on_profile(path: Path, asked: Target, wanted: ProjectRequest) -> Target:
    """The machine of a profile, and whatever else is said of it."""
    from tfenv.workflow.profile import read_profile

    profile = read_profile(path)
    said: dict[str, Any] = {"python": asked.python}
    if wanted.gpu:
        said |= {"accelerator": asked.accelerator, "cuda_major": asked.cuda_major, "gpus": asked.gpus}
        said |= {"driver": profile.driver if asked.accelerator is profile.accelerator else None}
    for key in ("driver", "platform", "glibc", "cpu"):
        said |= {key: getattr(asked, key)} if getattr(wanted, key) is not None else {}
    return replace(profile, **said)


def _keras(major: int | None) -> int | None:
    if major not in (None, 2, 3):
        raise UsageError(f"--keras {major}: there are Keras 2 and Keras 3")
    return major


def _prefer(word: str | None) -> str | None:
    if word not in (None, *PREFERENCES):
        raise UsageError(f"--prefer `{word}` is neither {' nor '.join(PREFERENCES)}")
    return word


def project_here() -> Path | None:
    """`pyproject.toml` of the working directory, if it has a table `[tool.tfenv]`."""
    path = Path("pyproject.toml")
    return path if path.is_file() and "[tool.tfenv" in files.read(path) else None


def read_specifier(text: str | None) -> tuple[SpecifierSet, bool]:
    """What `--tf` means, and whether it names a pre-release: `2.17.1` is exactly that, `2.17` any patch of it.

    Raises:
        UsageError: it is neither a version nor a specifier.
    """
    if not text:
        return SpecifierSet(), False
    try:
        version = Version(text)
    except InvalidVersion:
        try:
            specifier = SpecifierSet(text)
        except InvalidSpecifier:
            raise UsageError(
                f"--tf `{text}` is neither a version nor a specifier",
                hint='such as `2.17.1`, `2.17` or `">=2.15,<2.18"`',
            ) from None
        return specifier, bool(specifier.prereleases)
    exact = len(version.release) > 2 or version.is_prerelease
    return SpecifierSet(f"=={version}" if exact else f"=={version}.*"), version.is_prerelease


def read_moment(text: str | None) -> datetime | None:
    """A date (its first moment, in UTC) or a date with time.

    Raises:
        UsageError: it is neither.
    """
    if not text:
        return None
    try:
        if len(text) == len("2026-01-01"):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--exclude-newer `{text}` is no date", hint="such as `2026-01-31` or `2026-01-31T12:00:00Z`"
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _overlay(project: ProjectRequest, options: ProjectRequest, base: Path) -> ProjectRequest:
    """Options over the keys of a project, whose paths are relative to it."""
    project = replace(
        project,
        requirements_files=tuple(str(base / path) for path in project.requirements_files),
        constraints_files=tuple(str(base / path) for path in project.constraints_files),
    )
    added = ("requirements", "requirements_files", "constraints_files")
    values: dict[str, Any] = {}
    for field in fields(ProjectRequest):
        ours, theirs = getattr(options, field.name), getattr(project, field.name)
        values[field.name] = (*theirs, *ours) if field.name in added else theirs if ours in (None, ()) else ours
    return ProjectRequest(**values)


def _requirement(text: str) -> Requirement:
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as PackagingRequirement

    try:
        return Requirement.of(PackagingRequirement(text), source=f"--with {text}")
    except (InvalidRequirement, ValueError) as error:
        raise UsageError(f"--with `{text}` cannot be understood: {str(error).splitlines()[0]}") from None


def _split_tensorflow(
    requirements: list[Requirement], specifier: SpecifierSet
) -> tuple[list[Requirement], SpecifierSet]:
    """Whoever asks for TensorFlow by any of its names bounds the one that the target gets."""
    rest = []
    for requirement in requirements:
        if requirement.name in ("tensorflow", "tensorflow-cpu", "tensorflow-gpu") and requirement.marker is None:
            specifier &= requirement.specifier
        else:
            rest.append(requirement)
    return rest, specifier


def _without_credentials(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    bare = f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
    return f"{bare.rstrip('/')}/"
