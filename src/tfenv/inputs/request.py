"""The request for a lock, with one vocabulary for options, `[tool.tfenv]` and Python."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.errors import UsageError
from tfenv.inputs.accelerators import contradictions, read_gpu
from tfenv.machine.processor import features_of
from tfenv.model.document import Table, flag, of, one_of, text, whole
from tfenv.model.hardware import Gpu
from tfenv.model.package import Requirement, normalize
from tfenv.model.target import Platform
from tfenv.store.foreign import without_login

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfenv.model.package import Name

_T = TypeVar("_T")

_INSTRUCTIONS = ("avx", "sse", "fma", "f16c", "neon", "asimd")
"""Beginnings of the names of instruction sets."""

PREFERENCES = ("evidence", "newest")
"""Values of `prefer`: for CUDA libraries that a range leaves open, releases with evidence or the newest release."""


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Request:
    """What to lock: TensorFlow, the machine, and the packages beside TensorFlow.

    Every attribute mirrors an option of `tfenv lock` and a key of `[tool.tfenv]`. Write plain values: they are parsed
    once, here, and the attributes hold the parsed values. ``None`` and empty mean "not given".

    Example:
        >>> request = tfenv.Request(tf="2.15", gpus=["V100"], python="3.11", requirements=["pandas>=2"])
        >>> str(request.tf), request.gpus[0].name, str(request.gpus[0].capability)
        ('==2.15.*', 'V100', '7.0')
        >>> tfenv.Request(tf="newest", python="three")
        Traceback (most recent call last):
            ...
        tfenv.errors.UsageError: the request cannot be understood
          `tf`: `newest` is neither a version such as 2.17 nor a range such as >=2.15,<2.18
          `python`: `three` is not a version

    Attributes:
        tf: TensorFlow releases: `2.17.1` is exactly that release, `2.17` any patch of it, or a specifier such as
            `>=2.15,<2.18`.
        gpus: GPU names (`RTX 3090`), compute capabilities (`8.6`), `cuda12`, `cuda`, `auto` (the GPUs of this
            machine) or `none`; every GPU must work. Or one of `rocm`, `rocm6.0`, `metal`, `directml`, `tpu`. Names
            become `Gpu` objects, the other words stay text.
        driver: NVIDIA driver of the machine, such as `535.104.05`.
        python: `X.Y` or `X.Y.Z`.
        platform: `linux-x86_64` (the default), `linux-aarch64`, `macos-arm64`, `macos-x86_64`, `windows-x86_64` or
            `wsl`.
        glibc: glibc of the machine, such as `2.31`; by default that of the base image.
        cpu: a level (`x86-64-v3`), a microarchitecture (`haswell`) or instruction sets (`avx,avx2`).
        requirements: additional requirements (PEP 508), such as `pandas>=2`.
        requirements_files: requirements files, in pip's format.
        constraints_files: constraints files, in pip's format.
        index_url: first package index; by default PyPI. Credentials in a URL are used and never written.
        extra_index_urls: fallback indexes, used for packages that the indexes before them do not have.
        exclude_newer: moment in UTC; files uploaded at or after it are ignored. A date means its first moment.
        keras: major release of Keras behind `tf.keras`, 2 or 3; by default the one of the TensorFlow release.
        prefer: `evidence` (the default) or `newest`, for CUDA libraries that a range leaves open.
        prereleases: whether TensorFlow may be a pre-release.
        force_broken: whether to lock what `check` calls broken, too.
        extras: extras of the project, normalized.
        groups: dependency groups of the project, normalized.
    """

    tf: SpecifierSet | None = None
    gpus: tuple[Gpu | str, ...] = ()
    driver: Version | None = None
    python: Version | None = None
    platform: Platform | None = None
    glibc: Version | None = None
    cpu: frozenset[str] | None = None
    requirements: tuple[Requirement, ...] = ()
    requirements_files: tuple[Path, ...] = ()
    constraints_files: tuple[Path, ...] = ()
    index_url: str | None = field(default=None, repr=False)
    extra_index_urls: tuple[str, ...] = field(default=(), repr=False)
    exclude_newer: datetime | None = None
    keras: int | None = None
    prefer: str | None = None
    prereleases: bool | None = None
    force_broken: bool | None = None
    extras: tuple[Name, ...] = ()
    groups: tuple[Name, ...] = ()

    def __init__(
        self,
        *,
        tf: str | Version | SpecifierSet | None = None,
        gpus: str | Gpu | Iterable[str | Gpu] = (),
        driver: str | Version | None = None,
        python: str | Version | None = None,
        platform: str | Platform | None = None,
        glibc: str | Version | None = None,
        cpu: str | Iterable[str] | None = None,
        requirements: str | Requirement | Iterable[str | Requirement] = (),
        requirements_files: str | Path | Iterable[str | Path] = (),
        constraints_files: str | Path | Iterable[str | Path] = (),
        index_url: str | None = None,
        extra_index_urls: str | Iterable[str] = (),
        exclude_newer: str | date | datetime | None = None,
        keras: int | None = None,
        prefer: str | None = None,
        prereleases: bool | None = None,
        force_broken: bool | None = None,
        extras: str | Iterable[str] = (),
        groups: str | Iterable[str] = (),
    ) -> None:
        """Parse every value.

        Raises:
            UsageError: values that cannot be understood; `faults` holds all of them.
        """
        given = {
            "tf": tf,
            "gpus": gpus,
            "driver": driver,
            "python": python,
            "platform": platform,
            "glibc": glibc,
            "cpu": cpu,
            "requirements": requirements,
            "requirements_files": requirements_files,
            "constraints_files": constraints_files,
            "index_url": index_url,
            "extra_index_urls": extra_index_urls,
            "exclude_newer": exclude_newer,
            "keras": keras,
            "prefer": prefer,
            "prereleases": prereleases,
            "force_broken": force_broken,
            "extras": extras,
            "groups": groups,
        }
        values = _parsed(given, lambda _, attribute: attribute)
        for attribute in fields(self):
            object.__setattr__(self, attribute.name, values.get(attribute.name, attribute.default))


def of_options(options: Mapping[str, object]) -> Request:
    """The request in options of the command line.

    Args:
        options: values by key of `[tool.tfenv]`; ``None`` and empty values are not given.

    Raises:
        UsageError: values that cannot be understood, each with its option.
    """
    try:
        return Request(**_parsed({f"--{key}": value for key, value in options.items()}, lambda key, _: f"--{key}"))
    except UsageError as error:
        # the values of a repeated option have no numbers on the command line
        faults = tuple(re.sub(r"^`(--[a-z-]+)\[\d+\]`", r"`\1`", fault) for fault in error.faults)
        raise UsageError("the request cannot be understood", faults=faults) from None


def read_values(table: Table, named: Callable[[str, str], str] = lambda key, _: key) -> dict[str, Any]:
    """The values of a table, by attribute of `Request`; keys that are missing are left out.

    Faults are recorded in the table; the caller decides whether other keys are faults (`Table.close`).

    Args:
        table: to read.
        named: gives the name of a value in the table, from its key in `[tool.tfenv]` and its attribute.
    """
    values: dict[str, Any] = {}
    for key, (attribute, parse, several) in KEYS.items():
        name = named(key, attribute)
        if several and not isinstance(table.values.get(name), str):
            value: Any = table.many(name, parse)
        else:
            # a single string is a list of one
            value = table.get(name, parse)
            value = tuple(each for each in (value,) if each is not None) if several else value
        if name in table:
            values[attribute] = value
    gpus = named("gpu", "gpus")
    for fault in contradictions(values.get("gpus") or ()):
        table.fault(gpus, fault)
    return values


def parse_requirement(line: str, source: str = "") -> Requirement:
    """A requirement that a release on an index can satisfy.

    Raises:
        ValueError: the line is not a requirement, or asks for a URL.
    """
    # the parser of packaging: 4 modules that a request without requirements does not need
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as PackagingRequirement

    try:
        return Requirement.of(PackagingRequirement(line), source=source)
    except (InvalidRequirement, RecursionError) as error:
        raise ValueError(f"`{line}` is not a requirement: {str(error).splitlines()[0]}") from None


def release_specifier(value: str) -> SpecifierSet:
    """The specifier that a text stands for: `2.17.1` is exactly that release, `2.17` any patch of it.

    Raises:
        ValueError: the text is neither a version nor a specifier.
    """
    try:
        version = Version(value)
    except InvalidVersion:
        try:
            return SpecifierSet(value)
        except InvalidSpecifier:
            raise ValueError(f"`{value}` is neither a version such as 2.17 nor a range such as >=2.15,<2.18") from None
    exact = len(version.release) > 2 or version.is_prerelease
    return SpecifierSet(f"=={version}" if exact else f"=={version}.*")


def read_moment(value: object) -> datetime:
    """The moment of a date (its first, in UTC) or of a date with time (in UTC if it has no offset).

    Raises:
        ValueError: the value is neither a date nor a date with time, as text or as an object.
    """
    try:
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - given its zone below
        else:
            moment = datetime.fromisoformat(text(value).strip())
    except ValueError:
        raise ValueError(f"`{value}` is not a date such as 2026-01-31 or 2026-01-31T00:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _parsed(given: Mapping[str, object], named: Callable[[str, str], str]) -> dict[str, Any]:
    values = {name: _plain(value) for name, value in given.items()}
    table = Table({name: value for name, value in values.items() if value is not None and value != []})
    parsed = read_values(table, named)
    table.close()
    if table.faults:
        raise UsageError("the request cannot be understood", faults=tuple(table.faults))
    return parsed


def _plain(value: object) -> object:
    """A list instead of any other collection; other values are unchanged."""
    if isinstance(value, str | SpecifierSet) or not isinstance(value, Iterable):
        return [value] if isinstance(value, Gpu | Requirement | Path) else value
    return sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)


def _either(kind: type[_T], build: Callable[[str], _T]) -> Callable[[object], _T]:
    """A parser of text that returns parsed values unchanged."""
    return lambda value: value if isinstance(value, kind) else build(_not_empty(value))


def _not_empty(value: object) -> str:
    if not text(value).strip():
        raise ValueError("must not be empty")
    return text(value).strip()


def _releases(value: object) -> SpecifierSet:
    return value if isinstance(value, SpecifierSet) else release_specifier(_not_empty(_text(value)))


def _text(value: object) -> object:
    return str(value) if isinstance(value, Version) else value


def _version(value: str) -> Version:
    try:
        return Version(value)
    except InvalidVersion:
        raise ValueError(f"`{value}` is not a version") from None


def _gpu(value: object) -> Gpu | str:
    return value if isinstance(value, Gpu) else read_gpu(_not_empty(value))


def _cpu(value: object) -> frozenset[str]:
    if isinstance(value, list):
        return frozenset(map(_not_empty, value))
    try:
        return features_of(_not_empty(value))
    except LookupError:
        words = frozenset(word.strip().lower() for word in _not_empty(value).split(",") if word.strip())
        if len(words) == 1 and not next(iter(words)).startswith(_INSTRUCTIONS):
            raise ValueError(
                f"`{value}` is neither a processor that is known nor instruction sets such as `avx,avx2`"
            ) from None
        return words


def _requirement(value: str) -> Requirement:
    return parse_requirement(value, f"--with {value}")


def _url(value: object) -> str:
    url = _not_empty(value)
    if not url.startswith(("https://", "http://", "file://")):
        raise ValueError(f"`{without_login(url)}` is not a URL of an index")
    return url


def _platform(value: object) -> Platform:
    return one_of(Platform)(text(value).lower())


def _prefer(value: object) -> str:
    if text(value) not in PREFERENCES:
        raise ValueError(f"`{value}` is neither {' nor '.join(PREFERENCES)}")
    return text(value)


def _keras(value: object) -> int:
    if whole(value) not in (2, 3):
        raise ValueError(f"`{value}` is neither 2 nor 3")
    return whole(value)


_NAME = of(normalize)
_VERSION = _either(Version, _version)
_PATH = _either(Path, Path)

KEYS: Mapping[str, tuple[str, Callable[[object], Any], bool]] = {
    "tf": ("tf", _releases, False),
    "gpu": ("gpus", _gpu, True),
    "driver": ("driver", _VERSION, False),
    "python": ("python", _VERSION, False),
    "platform": ("platform", _platform, False),
    "glibc": ("glibc", _VERSION, False),
    "cpu": ("cpu", _cpu, False),
    "with": ("requirements", _either(Requirement, _requirement), True),
    "requirements": ("requirements_files", _PATH, True),
    "constraints": ("constraints_files", _PATH, True),
    "extras": ("extras", _NAME, True),
    "groups": ("groups", _NAME, True),
    "index-url": ("index_url", _url, False),
    "extra-index-url": ("extra_index_urls", _url, True),
    "exclude-newer": ("exclude_newer", read_moment, False),
    "keras": ("keras", _keras, False),
    "prefer": ("prefer", _prefer, False),
    "prereleases": ("prereleases", flag, False),
    "force-broken": ("force_broken", flag, False),
}
"""Keys of `[tool.tfenv]` in the order of writing: attribute of `Request`, parser, and whether there may be several."""
