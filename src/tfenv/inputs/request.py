"""`[tool.tfenv]` of a `pyproject.toml`: a request as one keeps it in version control."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.model.document import flag, of, one_of, text, whole
from tfenv.model.package import Requirement, normalize
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfenv.model.document import Table
    from tfenv.model.package import Name

PREFERENCES = ("evidence", "newest")
"""What `prefer` may be: of CUDA libraries that a range leaves open, those that were seen to work, or the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRequest:
    """`[tool.tfenv]`: every key mirrors an option of `lock`, and holds what one would type there.

    Attributes:
        tf: which TensorFlow, such as `2.17` or `>=2.15,<2.18`.
        gpu: as `--gpu`, in order.
        driver: of NVIDIA.
        python: `X.Y` or `X.Y.Z`.
        platform: such as `linux-x86_64`.
        glibc: such as `2.31`.
        cpu: a level or instruction sets.
        requirements: `with`, as in PEP 508.
        requirements_files: `requirements`, paths relative to the project.
        constraints_files: `constraints`, likewise.
        index_url: of the first index.
        extra_index_urls: of the others, in order.
        exclude_newer: an RFC 3339 date or date with time.
        keras: which major `tf.keras` shall be, 2 or 3.
        prefer: `evidence` or `newest`.
        prereleases: may TensorFlow be a pre-release? ``None`` if not said.
        extras: of the project itself, normalized.
        groups: of `[dependency-groups]`, normalized.
    """

    tf: str | None = None
    gpu: tuple[str, ...] = ()
    driver: str | None = None
    python: str | None = None
    platform: str | None = None
    glibc: str | None = None
    cpu: str | None = None
    requirements: tuple[str, ...] = ()
    requirements_files: tuple[str, ...] = ()
    constraints_files: tuple[str, ...] = ()
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    exclude_newer: str | None = None
    keras: int | None = None
    prefer: str | None = None
    prereleases: bool | None = None
    extras: tuple[Name, ...] = ()
    groups: tuple[Name, ...] = ()


def read_values(table: Table) -> dict[str, Any]:
    """The values of a table, by attribute of `ProjectRequest`; keys that are not there are left out.

    Faults are noted in the table; whether it has keys besides these is for the caller to ask (`Table.close`).
    """
    values: dict[str, Any] = {}
    for key, (attribute, parse, several) in KEYS.items():
        if several and not isinstance(table.values.get(key), str):
            value: Any = table.many(key, parse)
        else:
            # one string where several may stand is a list of one
            value = table.get(key, parse)
            value = tuple(each for each in (value,) if each is not None) if several else value
        if key in table:
            values[attribute] = value
    return values


def parse_requirement(line: str, source: str = "") -> Requirement:
    """A requirement of an index's release.

    Raises:
        ValueError: it is none.
    """
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as PackagingRequirement

    try:
        return Requirement.of(PackagingRequirement(line), source=source)
    except InvalidRequirement as error:
        raise ValueError(f"`{line}` is no requirement: {str(error).splitlines()[0]}") from None


def _as_is(check: Callable[[str], object]) -> Callable[[object], str]:
    """A parser that gives the text back, once something that knows has read it."""

    def parse(value: object) -> str:
        check(text(value))
        return text(value).strip()

    return parse


def _release(value: str) -> None:
    try:
        Version(value)
    except InvalidVersion:
        try:
            SpecifierSet(value)
        except InvalidSpecifier:
            raise ValueError(f"`{value}` is neither a version such as 2.17 nor a range such as >=2.15,<2.18") from None


def _not_empty(value: str) -> None:
    if not value.strip():
        raise ValueError("must not be empty")


def _url(value: str) -> None:
    if not value.startswith(("https://", "http://", "file://")):
        raise ValueError(f"`{value}` is not a URL of an index")


def _moment(value: object) -> str:
    """A date or a date with time, of TOML or as text; as RFC 3339."""
    if isinstance(value, date):
        return value.isoformat().replace("+00:00", "Z")
    try:
        datetime.fromisoformat(text(value).strip())
    except ValueError:
        raise ValueError(f"`{value}` is not a date such as 2026-01-31 or 2026-01-31T00:00:00Z") from None
    return text(value).strip()


def _platform(value: object) -> str:
    return one_of(Platform)(value).value


def _prefer(value: object) -> str:
    if text(value) not in PREFERENCES:
        raise ValueError(f"`{value}` is neither {' nor '.join(PREFERENCES)}")
    return text(value)


def _keras(value: object) -> int:
    if whole(value) not in (2, 3):
        raise ValueError(f"`{value}` is neither 2 nor 3")
    return whole(value)


_NAME = of(normalize)
_REQUIREMENT = _as_is(parse_requirement)
_VERSION = _as_is(Version)
_TEXT = _as_is(_not_empty)
_URL = _as_is(_url)

KEYS: Mapping[str, tuple[str, Callable[[object], Any], bool]] = {
    "tf": ("tf", _as_is(_release), False),
    "gpu": ("gpu", _TEXT, True),
    "driver": ("driver", _VERSION, False),
    "python": ("python", _VERSION, False),
    "platform": ("platform", _platform, False),
    "glibc": ("glibc", _VERSION, False),
    "cpu": ("cpu", _TEXT, False),
    "with": ("requirements", _REQUIREMENT, True),
    "requirements": ("requirements_files", _TEXT, True),
    "constraints": ("constraints_files", _TEXT, True),
    "extras": ("extras", _NAME, True),
    "groups": ("groups", _NAME, True),
    "index-url": ("index_url", _URL, False),
    "extra-index-url": ("extra_index_urls", _URL, True),
    "exclude-newer": ("exclude_newer", _moment, False),
    "keras": ("keras", _keras, False),
    "prefer": ("prefer", _prefer, False),
    "prereleases": ("prereleases", flag, False),
}
"""keys of `[tool.tfenv]` in the order of writing: attribute of `ProjectRequest`, parser, may there be several"""
