"""Published files that make up the public API of a release: its own wheel, and the wheels whose modules it exports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tfenv.facts.releases import platform_of
from tfenv.model.package import Name, normalize
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.version import Version

    from tfenv.model.package import File, Release

LENDERS = tuple(
    map(Name, ("keras", "tensorflow-estimator", "tensorboard", "absl-py", "keras-preprocessing", "keras-applications"))
)
"""Distributions whose modules TensorFlow exports as its own (`tf.estimator`, `tf.summary`, `tf.flags`, …)."""

LENDERS_OF_KERAS = (Name("keras-preprocessing"), Name("keras-applications"))
"""Distributions whose modules Keras 2.2 and 2.3 export as their own."""

_NIGHTLY = {Name("keras-nightly"): Name("keras"), Name("tf-estimator-nightly"): Name("tensorflow-estimator")}
_PINNED = re.compile(r"==(\d+)\.(\d+)\.")
_ON_TENSORFLOW = re.compile(rb"^class \w+\(.*\btf\.\w|^from tensorflow\.keras", re.MULTILINE)
_PYTHON = re.compile(r"-cp(\d)(\d+)-")
_START = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The further parts of a release of TensorFlow.

    Attributes:
        files: files whose modules it exports.
        keras: specifier for Keras, if it admits Keras 3, which has rows of its own; otherwise empty.
    """

    files: tuple[File, ...]
    keras: str = ""


def main_file(releases: Iterable[Release]) -> File | None:
    """The smallest Linux wheel of a release for the newest Python; for pure Python, any readable file."""
    files = [file for release in releases for file in release.files]
    linux = [file for file in files if file.is_wheel and platform_of(file.filename) is Platform.LINUX_X86_64]
    pure = [file for file in files if file.filename.endswith("-none-any.whl")]
    other = [file for file in files if file.filename.endswith((".tar.gz", ".zip"))]
    for some in (linux, pure, other):
        kept = [file for file in some if file.yanked is None] or some
        if kept:
            return min(kept, key=lambda file: (*(-part for part in python_of(file)), file.size or 0, file.filename))
    return None


def python_of(file: File) -> tuple[int, int]:
    """The interpreter a wheel is for, by its filename; 3.10 for pure Python."""
    found = _PYTHON.search(file.filename)
    return (int(found[1]), int(found[2])) if found else (3, 10)


def parts(requires: Iterable[str], published: Mapping[Name, tuple[Release, ...]], main: File) -> Parts:
    """The files whose modules a wheel exports.

    From each project, this is the newest admitted release that was published before the wheel, or the oldest admitted.

    Args:
        requires: `Requires-Dist` of the wheel.
        published: releases of each such project, newest first.
        main: the wheel.
    """
    major, minor = python_of(main)
    environment = {
        "python_version": f"{major}.{minor}",
        "python_full_version": f"{major}.{minor}.0",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "sys_platform": "linux",
        "extra": "",
    }
    files, keras = [], ""
    for requirement in map(Requirement, requires):
        name, specifier = _released(requirement)
        if name not in published or (requirement.marker is not None and not requirement.marker.evaluate(environment)):
            continue
        admitted = [one for one in published[name] if specifier.contains(one.version)]
        if name == "keras" and admitted and admitted[0].version.major >= 3:
            keras = str(specifier) or ">=3"
            continue
        until = main.upload_time or _START
        chosen = next((one for one in admitted if _uploaded(one) <= until), admitted[-1] if admitted else None)
        file = None if chosen is None else main_file([chosen])
        if file is not None:
            files.append(file)
    return Parts(files=tuple(files), keras=keras)


def base(members: Mapping[str, bytes], published: Iterable[Release], main: File) -> File | None:
    """The wheel of TensorFlow whose classes Keras inherits from (2.4 to 2.15): the newest one at that time.

    Args:
        members: members of the file of Keras.
        published: releases of TensorFlow.
        main: file of Keras.
    """
    if not any(_ON_TENSORFLOW.search(data) for name, data in members.items() if name.endswith(".py")):
        return None
    until = main.upload_time or _START
    before = [one for one in published if _uploaded(one) <= until and not one.version.is_prerelease]
    newest = max((one.version for one in before), default=None)
    return main_file([one for one in before if one.version == newest])


def stable(releases: Iterable[Release], oldest: Version) -> tuple[Release, ...]:
    """Final releases, and the newest release even if it is a pre-release; newest first."""
    kept = [one for one in releases if one.version >= oldest and main_file([one]) is not None]
    kept.sort(key=lambda one: one.version, reverse=True)
    return tuple(one for at, one in enumerate(kept) if at == 0 or not one.version.is_prerelease)


def _released(requirement: Requirement) -> tuple[Name, SpecifierSet]:
    """The specifier; for a deleted nightly build (2.8.0 pins one), the releases of the same minor version."""
    name, specifier = normalize(requirement.name), requirement.specifier
    if name in _NIGHTLY:
        pinned = _PINNED.match(str(specifier))
        name, specifier = _NIGHTLY[name], SpecifierSet(f"=={pinned[1]}.{pinned[2]}.*") if pinned else specifier
    return name, specifier


def _uploaded(release: Release) -> datetime:
    times = [file.upload_time for file in release.files if file.upload_time is not None]
    return min(times, default=_START)
