"""What pip saw tells what it ran on: each Python and platform has wheels of other releases. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from tfenv.model.package import TENSORFLOW
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from tfenv.facts.database import Database
    from tfenv.facts.releases import ReleaseFacts
    from tfenv.model.configuration import Configuration

_LIKELY = (
    Platform.LINUX_X86_64,
    Platform.WINDOWS_X86_64,
    Platform.MACOS_X86_64,
    Platform.MACOS_ARM64,
    Platform.LINUX_AARCH64,
)


def placed(configuration: Configuration, offered: str, database: Database) -> Configuration:
    """The configuration with the Python and the platform on which pip sees just these releases (`1.13.1, 1.13.2, …`).

    What was said stands; where several Pythons or platforms would do, nothing is added.
    """
    seen, machine = _versions(offered), configuration.machine
    if not seen:
        return configuration
    places = (machine.platform,) if machine.platform is not None else _LIKELY
    for platform in places:
        pythons = [
            python
            for python, there in _released(platform, database).items()
            if machine.python in (None, python)
            and min(there) == min(seen)
            and seen <= there
            and not _misses(configuration, max(seen), there)
        ]
        if pythons:
            only = pythons[0] if len(pythons) == 1 else None
            system = machine.system or str(platform)
            return configuration.on(platform=platform, system=system, python=machine.python or only)
    return configuration


def _misses(configuration: Configuration, newest: Version, there: set[Version]) -> bool:
    """Would pip have found what it was asked for, or something in between?"""
    try:
        asked = Version(configuration.tf or "")
    except InvalidVersion:
        return False
    return any(newest < each <= asked for each in there) or asked in there


def _pythons_of(facts: ReleaseFacts, platform: Platform) -> set[Version]:
    """Each Python minor that a platform has a wheel for."""
    found = set()
    for wheel in facts.wheels:
        digits = wheel.python.removeprefix("cp").removeprefix("py")
        if wheel.platform is platform.wheels and digits.isdigit() and len(digits) > 1:
            found.add(Version(f"{digits[0]}.{digits[1:]}"))
    return found


def _versions(offered: str) -> set[Version]:
    found = set()
    for text in re.split(r"[\s,]+", offered):
        try:
            version = Version(text)
        except InvalidVersion:
            continue
        if not version.is_prerelease:
            found.add(version)
    return found


def _released(platform: Platform, database: Database) -> dict[Version, set[Version]]:
    """Per Python, the releases that have a wheel for it, newest Python first."""
    found: dict[Version, set[Version]] = {}
    for version in database.releases.versions(TENSORFLOW):
        facts = database.releases.release(TENSORFLOW, version)
        for python in _pythons_of(facts, platform) if facts is not None and not version.is_prerelease else ():
            found.setdefault(python, set()).add(version)
    return dict(sorted(found.items(), reverse=True))
