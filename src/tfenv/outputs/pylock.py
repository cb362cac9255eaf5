"""A lock as `pylock.toml` (PEP 751, lock version 1.0), written and read.

Everything that the standard defines is in its place, everything else in `[tool.tfenv]`. `loads(dumps(lock)) == lock`,
except for the fields of `File` that only resolution needs (`File.kept`). Source of the layout:
https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.model.document import Table, moment, of, text, whole
from tfenv.model.lock import Lock, LockedPackage
from tfenv.model.package import File, Name
from tfenv.model.tags import ranks
from tfenv.model.target import Platform
from tfenv.outputs.lines import without_credentials
from tfenv.outputs.request import inputs_digest
from tfenv.outputs.toml import Inline
from tfenv.outputs.toml import dumps as dump_toml
from tfenv.outputs.tool import FORMAT, project_name, read_tool, tool_table
from tfenv.store import formats
from tfenv.store.heading import FIRST_LINE

if TYPE_CHECKING:
    from packaging.tags import Tag

__all__ = ["FIRST_LINE", "dumps", "inputs_digest", "loads"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_AGAIN = "lock again with `tfenv lock`"

_MARKERS = {
    Platform.LINUX_X86_64: "sys_platform == 'linux' and platform_machine == 'x86_64'",
    Platform.LINUX_AARCH64: "sys_platform == 'linux' and platform_machine == 'aarch64'",
    Platform.MACOS_ARM64: "sys_platform == 'darwin' and platform_machine == 'arm64'",
    Platform.MACOS_X86_64: "sys_platform == 'darwin' and platform_machine == 'x86_64'",
    Platform.WINDOWS_X86_64: "sys_platform == 'win32' and platform_machine == 'AMD64'",
}


def dumps(lock: Lock) -> str:
    """The text of `pylock.toml`: the same bytes for the same lock. User names and passwords in URLs are left out."""
    document: dict[str, object] = {
        "lock-version": "1.0",
        **_scope(lock),
        "created-by": "tfenv",
        "packages": [_package_table(package) for package in lock.packages],
        "tool": {"tfenv": tool_table(lock)},
    }
    return without_credentials(f"{FIRST_LINE}\n{dump_toml(document)}")


def loads(content: str, name: str = "pylock.toml") -> Lock:
    """Read a lock.

    Args:
        content: text of the file.
        name: name of the file, for messages.

    Raises:
        UsageError: the text is not TOML (with the line), not a valid lock (with every fault and its dotted path), or a
            lock that tfenv did not write.
    """
    root = Table(formats.toml(content, name, hint=_AGAIN))
    if "tfenv" not in root.table("tool"):  # whatever else is in a lock of another tool may be right
        root.fault(
            "tool.tfenv",
            "is missing: this lock was not written by tfenv and does not record what it needs of a machine",
        )
        root.refuse(name, hint="lock with `tfenv lock`; `-r FILE` takes pins of another tool as `name==version`")
    for key in ("lock-version", "created-by"):
        root.need(key, text)
    packages = _read_packages(root)
    _check_standard(root)
    tool = root.table("tool").table("tfenv")
    written = tool.need("format", whole)
    if tool.sound and not 1 <= written <= FORMAT:
        raise UsageError(
            f"`{name}` is in format {written} of `[tool.tfenv]`; this tfenv reads formats up to {FORMAT}",
            hint="update tfenv, or lock again",
        )
    lock = read_tool(tool, packages)
    root.refuse(name, hint=_AGAIN)
    _check_scope(root, lock)
    root.refuse(name, hint=_AGAIN)
    return lock


def _scope(lock: Lock) -> dict[str, object]:
    """The keys by which installers decide whether a lock is for them."""
    python = lock.target.python
    return {
        "environments": [f"{_MARKERS[lock.target.platform.wheels]} and implementation_name == 'cpython'"],
        "requires-python": None if python is None else f"=={python.major}.{python.minor}.*",
    }


def _check_scope(root: Table, lock: Lock) -> None:
    """Add a fault for each key that makes an installer do something else than `[tool.tfenv.target]` says."""
    for key, expected in _scope(lock).items():
        if key in root and root.values[key] != expected:
            root.fault(key, f"must be `{expected}`, as `tool.tfenv.target` says")
    for key in ("extras", "dependency-groups", "default-groups"):
        if root.values.get(key):
            root.fault(key, "a lock of tfenv has none: all of its packages are installed")
    python = lock.target.python
    for table, package in zip(root.tables("packages"), lock.packages, strict=True):
        if "marker" in table:
            table.fault("marker", "a lock of tfenv has none: all of its packages are installed")
        if python is None or not package.file.is_wheel:
            continue
        if not package.file.tags & ranks(lock.target.platform, python).keys():
            where = f"Python {python.major}.{python.minor} on {lock.target.platform}"
            table.fault("wheels[0].name", f"`{package.file.filename}` cannot be installed by {where}")
        patches = (Version(f"{python.major}.{python.minor}.{patch}") for patch in range(100))
        bounds = package.requires_python
        if bounds is not None and not any(bounds.contains(patch, prereleases=True) for patch in patches):
            table.fault("requires-python", f"excludes Python {python.major}.{python.minor} of `tool.tfenv.target`")


def _package_table(package: LockedPackage) -> dict[str, object]:
    file = package.file
    entry = {
        "name": file.filename,
        "upload-time": file.upload_time,
        "url": file.url,
        "size": file.size,
        "hashes": Inline(sha256=file.sha256),
    }
    return {
        "name": package.name,
        "version": str(package.version),
        "requires-python": None if package.requires_python is None else str(package.requires_python),
        "index": file.index or None,
        "dependencies": [Inline(name=name) for name in package.dependencies] or None,
        "wheels": [entry] if file.is_wheel else None,
        "sdist": None if file.is_wheel else entry,
    }


def _read_packages(root: Table) -> tuple[LockedPackage, ...]:
    found: list[LockedPackage] = []
    tables = root.tables("packages")
    known = [table.values.get("name") for table in tables]
    if "packages" not in root:
        root.fault("packages", "is missing")
    for table in tables:
        name = table.need("name", project_name)
        version = table.need("version", of(Version))
        if any(name == package.name for package in found):
            table.fault("name", f"`{name}` occurs twice; a lock of tfenv has one file for each package")
        for index, dependency in enumerate(depends := table.tables("dependencies")):
            if (wanted := dependency.need("name", text)) not in known and dependency.sound:
                table.fault(f"dependencies[{index}].name", f"`{wanted}` is not in the lock")
        file = _read_file(table, name, version)
        if file is not None:
            package = LockedPackage(
                name=name,
                version=version,
                file=file,
                dependencies=tuple(Name(str(dependency.values.get("name"))) for dependency in depends),
                requires_python=table.get("requires-python", of(SpecifierSet)),
            )
            found.append(package)
    return tuple(found)


def _read_file(table: Table, name: Name, version: Version) -> File | None:
    """The one file of a package."""
    wheels = table.tables("wheels")
    sdist = "sdist" in table
    if len(wheels) + sdist != 1:
        table.fault(
            "wheels", f"a lock of tfenv has one wheel or one sdist for each package, not {len(wheels) + sdist} files"
        )
        return None
    entry = wheels[0] if wheels else table.table("sdist")
    url = entry.need("url", text)
    filename = entry.need("name", text)
    tags: frozenset[Tag] = frozenset()
    build: tuple[()] | tuple[int, str] = ()
    if table.sound:
        try:
            if wheels:
                project, release, build, tags = parse_wheel_filename(filename)
            else:
                project, release = parse_sdist_filename(filename)
        except ValueError as error:
            entry.fault("name", error)
        else:
            if project != str(name) or release != version:
                entry.fault("name", f"`{filename}` is not a file of {name} {version}")
    return File(
        name=name,
        version=version,
        filename=filename,
        url=url,
        sha256=entry.table("hashes").need("sha256", _sha256),
        size=entry.get("size", whole),
        upload_time=entry.get("upload-time", moment),
        tags=tags,
        build=build,
        index=table.get("index", text) or "",
    )


def _check_standard(root: Table) -> None:
    """Add the fault that the standard's own reader finds, unless one at, above or below that place is known already."""
    from packaging.pylock import Pylock, PylockValidationError

    try:
        Pylock.from_dict(root.values)
    except PylockValidationError as error:
        place = error.context or "lock-version"
        known = [fault[1 : fault.index("`", 1)] for fault in root.faults]
        if not any(path.startswith(place) or place.startswith(path) for path in known):
            root.fault(place, error.message)


def _sha256(value: object) -> str:
    if _SHA256.fullmatch(text(value)) is None:
        raise ValueError("must be 64 lower-case hexadecimal digits")
    return text(value)
