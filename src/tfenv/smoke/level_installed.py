"""L0: are the distributions those of the lock, with every file as in its wheel?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from tfenv.model.package import TENSORFLOWS
from tfenv.model.report import Level, Outcome
from tfenv.model.target import Accelerator, Platform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfenv.model.lock import Lock, LockedPackage
    from tfenv.smoke.exchange import Document

_WITH_TENSORFLOW = frozenset({*TENSORFLOWS, "tensorflow-intel"})
"""Distributions with a module `tensorflow`; two of them overwrite each other's files."""

_MACHINES = {
    Platform.LINUX_X86_64: ("linux", ("x86_64",)),
    Platform.LINUX_AARCH64: ("linux", ("aarch64",)),
    Platform.MACOS_ARM64: ("darwin", ("arm64",)),
    Platform.MACOS_X86_64: ("darwin", ("x86_64",)),
    Platform.WINDOWS_X86_64: ("win32", ("AMD64", "x86_64")),
}


def judge(lock: Lock, document: Document, contents: Mapping[str, str], title: str) -> Level:
    """Compare the distributions that the probe found with the packages of the lock."""
    found = document["installed"]
    distributions: dict[str, dict[str, Any]] = {}
    for entry in found["distributions"]:
        # an import uses the first on `sys.path`
        distributions.setdefault(entry["name"], entry)
    findings = (
        *_interpreter(lock, document),
        *_environment(lock, found["environment"]),
        *_strangers(lock, distributions),
        *(fault for package in lock.packages for fault in _version(package, distributions.get(package.name))),
        *(
            fault
            for package in lock.packages
            for fault in _files(package, distributions.get(package.name), contents.get(package.name))
        ),
        *(
            f"{name} is installed more than once; which one is imported depends on the order of `sys.path`"
            for name in found["duplicates"]
            if lock.package(name) is not None
        ),
    )
    if findings:
        return Level(number=0, title=title, outcome=Outcome.FAILED, detail=findings[0], findings=findings)
    files = sum(distributions[package.name].get("files", 0) for package in lock.packages)
    proven = sum(1 for package in lock.packages if package.name in contents)
    detail = f"{len(lock.packages)} packages, {files} files by hash"
    if proven:
        detail += f", {proven} against the locked wheel"
    return Level(number=0, title=title, outcome=Outcome.PASSED, detail=detail)


def _interpreter(lock: Lock, document: Document) -> Iterator[str]:
    system, machines = _MACHINES[lock.target.platform.wheels]
    if document["platform"] != system or document["machine"] not in machines:
        yield f"this is {document['platform']} on {document['machine']}, but the lock is for {lock.target.platform}"
    python = Version(document["python"])
    if lock.target.python is not None and python.release[:2] != lock.target.python.release[:2]:
        yield f"this is Python {python}, but the lock is for {lock.target.python}"


def _environment(lock: Lock, values: Mapping[str, str | None]) -> Iterator[str]:
    for name, value in lock.environment:
        if values.get(name) != value:
            yield f"the environment variable {name} is {values.get(name) or 'not set'}, but {value} in the lock"


def _strangers(lock: Lock, distributions: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Faults of packages that are not locked and interfere: another TensorFlow, other CUDA libraries."""
    wants_gpu = lock.target.accelerator is Accelerator.CUDA
    for name, entry in distributions.items():
        if lock.package(name) is not None:
            continue
        if name in _WITH_TENSORFLOW:
            if wants_gpu and name == "tensorflow-cpu":
                cuda = f"CUDA {lock.stack.cuda}" if lock.stack.cuda else "a GPU"
                yield (
                    f"the CPU wheel {name} {entry['version']} is installed, but the lock is for {cuda}: "
                    "it would silently run on the CPU"
                )
            else:
                yield f"{name} {entry['version']} is installed but not locked; it also contains the module `tensorflow`"
        elif name.startswith("nvidia-") and wants_gpu and name.rpartition("-cu")[2].isdigit():
            yield f"{name} {entry['version']} is installed but not locked; its CUDA libraries may be loaded instead"


def _version(package: LockedPackage, entry: Mapping[str, Any] | None) -> Iterator[str]:
    if entry is None:
        yield f"{package.name} {package.version} is locked but not installed"
    elif not _same(package, entry):
        yield f"{package.name} {entry['version']} is installed, but the lock has {package.version}"


def _same(package: LockedPackage, entry: Mapping[str, Any]) -> bool:
    try:
        return Version(entry["version"]) == package.version
    except InvalidVersion:
        return False


def _files(package: LockedPackage, entry: Mapping[str, Any] | None, contents: str | None) -> Iterator[str]:
    if entry is None:
        return
    # eggs of old setuptools have no RECORD; wheels and source distributions built by pip always have one
    if not entry.get("record", False):
        yield f"{package.name} {entry['version']} has no RECORD, so its files cannot be checked"
        return
    for fault, word in (("changed", "changed since it was installed"), ("missing", "missing")):
        if count := entry[f"{fault}_count"]:
            files = f"{count} of its files are" if count > 1 else "a file of it is"
            yield f"{package.name} {entry['version']}: {files} {word}: {entry[fault][0]}"
    if contents is not None and _same(package, entry) and entry["contents"] != contents:
        yield f"{package.name} {package.version} was not installed from {package.file.filename}"
