"""What is wrong with a configuration whatever the rules about releases say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from tfenv.facts.rows import cited
from tfenv.model import tags
from tfenv.model.hardware import driver_text
from tfenv.model.report import Fix, Problem
from tfenv.model.target import Platform
from tfenv.resolver.commands import DRIVER, PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag

    from tfenv.facts.database import Database
    from tfenv.model.configuration import Configuration
    from tfenv.model.package import Name


def apparent(
    configuration: Configuration, platform: Platform | None, names: set[Name], database: Database
) -> list[Problem]:
    """The problems that need no release of TensorFlow to be seen, each with its own fix where it has one.

    Args:
        configuration: what is known.
        platform: the machine's, or that of its GPU.
        names: packages of the configuration.
        database: the facts.
    """
    return [
        *_below_floor(configuration),
        *_misplaced(configuration, platform),
        *_twice(configuration),
        *_overwritten(names, database),
    ]


def _twice(configuration: Configuration) -> list[Problem]:
    """Two files of one name on the loader path: which one is opened depends on the order."""
    return [
        Problem(
            code="loader-path",
            subject=soname,
            because=(f"the loader finds {soname} at {files[0]}, which hides {' and '.join(files[1:])}",),
        )
        for soname, files in configuration.loader
        if len(files) > 1
    ]


def _below_floor(configuration: Configuration) -> list[Problem]:
    """A driver that is too old for the base image.

    The drivers of data center GPUs have older branches that NVIDIA's compatibility package serves; of a driver of such
    a branch nothing is said unless a GPU is named.
    """
    floor, driver = configuration.floor, configuration.machine.driver
    if floor is None or driver is None or driver >= floor.version:
        return []
    if driver.major in _LONG_LIVED and not configuration.machine.gpus:
        return []
    because = (f"{floor.by} needs driver {driver_text(floor.version)}", f"the driver is {driver_text(driver)}")
    subject = f"driver {driver_text(driver)}"
    text = driver_text(floor.version)
    fix = Fix(change=(("driver", text),), command=f"upgrade the NVIDIA driver to ≥ {text}", cost=DRIVER)
    return [Problem(code="driver-too-old", subject=subject, because=because, sources=cited(floor.source), fixes=(fix,))]


_LONG_LIVED = frozenset({384, 418, 440, 450, 460, 470, 510, 515, 525, 535, 550})
"""Driver branches that the release notes of NVIDIA's containers allow on data center GPUs."""


def _misplaced(configuration: Configuration, platform: Platform | None) -> list[Problem]:
    """Wheels that are installed from a file or a URL, and are for another Python or platform."""
    problems = []
    for filename in configuration.wheels:
        name, version, _, wheel_tags = parse_wheel_filename(filename)
        python = configuration.machine.python
        here = [tag for tag in wheel_tags if platform is None or tags.serves(platform, tag.platform)]
        code = "python-no-wheel" if here else "platform-no-wheel"
        if here and (
            python is None or any(tag in tags.ranks(platform or Platform.LINUX_X86_64, python) for tag in here)
        ):
            continue
        where = f"Python {python.major}.{python.minor}" if here and python is not None else f"{platform}"
        because = (f"`{filename}` is a wheel for another {'Python' if here else 'platform'} than {where}",)
        fixes = _places_of(wheel_tags)
        problems.append(Problem(code=code, subject=f"{name} {version}", because=because, fixes=fixes))
    return problems


def _places_of(wheel_tags: Iterable[Tag]) -> tuple[Fix, ...]:
    """Where a wheel can be installed."""
    found: dict[tuple[tuple[str, str], ...], None] = {}
    for tag in wheel_tags:
        digits = tag.interpreter.removeprefix("cp")
        python = f"{digits[0]}.{digits[1:]}" if digits.isdigit() and len(digits) > 1 else ""
        for platform in Platform:
            if platform is not Platform.WSL and tags.serves(platform, tag.platform):
                found[(("os", str(platform)), *((("python", python),) if python else ()))] = None
    return tuple(
        Fix(change=change, command=f"install it on {' with Python '.join(dict(change).values())}", cost=PACKAGE)
        for change in found
    )


def _overwritten(names: set[Name], database: Database) -> list[Problem]:
    """Distributions that write the same files."""
    return [
        Problem(
            code="package-broken",
            subject=found[0],
            because=(f"{' and '.join(found)} are installed together, and each writes {row.files}",),
            sources=(row.source,),
        )
        for found, row in database.distributions.overwriting(names)
    ]
