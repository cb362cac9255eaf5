"""A virtual environment becomes what a lock says: what is missing or wrong is installed, what is not locked removed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from tfenv.errors import HostError, UsageError
from tfenv.index.download import download
from tfenv.machine.detect import glibc, this_platform
from tfenv.machine.host import ThisHost
from tfenv.model.progress import Progress, Silent
from tfenv.smoke import exchange
from tfenv.store.cache import Cache
from tfenv.store.files import writing
from tfenv.venv import interpreters, linked, loader
from tfenv.venv.install import unpack
from tfenv.smoke.run import interpreter, probe, wheel_contents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tfenv.model.lock import Lock, LockedPackage

TASK = "install"
"""Name of the task told to `Progress`; its unit is packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What has to be done; empty if the environment is what the lock says.

    Attributes:
        directory: of the environment.
        python: the interpreter that makes it; ``None`` if it is there already.
        install: missing, of another version, or with files that are not those of the wheel.
        remove: names of distributions that are not locked.
        keep: how many stay as they are.
    """

    directory: Path
    python: Path | None
    install: tuple[LockedPackage, ...]
    remove: tuple[str, ...]
    keep: int


def plan(lock: Lock, directory: Path, *, python: Path | None = None, cache: Cache | None = None) -> Plan:
    """Look at the environment and say what it lacks; nothing is changed.

    Args:
        lock: for this host's platform.
        directory: of the environment, there or not.
        python: the interpreter to make it with; else one is looked for.
        cache: where the locked wheels may lie; those that do are compared with what is installed.

    Raises:
        UsageError: the lock is for another platform, no interpreter fits, or the directory holds something else.
    """
    _check_host(lock)
    wanted = lock.target.python
    if wanted is None:
        raise UsageError("the lock names no Python", hint="lock again with `tfenv lock`")
    if not (directory / "pyvenv.cfg").is_file():
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise UsageError(f"`{directory}` is there and is no virtual environment", hint="name another with `--venv`")
        made_by = interpreters.find(wanted, python)
        return Plan(directory=directory, python=made_by, install=lock.packages, remove=(), keep=0)
    there = interpreters.version_of(interpreter(directory))
    other = there is None or there.release[:2] != wanted.release[:2]
    if other or python is not None:
        made_by = interpreters.find(wanted, python)
        if other:
            return Plan(directory=directory, python=made_by, install=lock.packages, remove=(), keep=0)
    found = _installed(lock, directory)
    contents = wheel_contents(lock, cache)
    install = tuple(
        package for package in lock.packages if not _sound(package, found.get(package.name), contents.get(package.name))
    )
    remove = tuple(sorted(name for name in found if lock.package(name) is None))
    return Plan(
        directory=directory, python=None, install=install, remove=remove, keep=len(lock.packages) - len(install)
    )


def sync(
    lock: Lock,
    directory: Path,
    *,
    python: Path | None = None,
    cache: Cache | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """Make the environment what the lock says; returns what was done.

    Args:
        lock: for this host's platform.
        directory: of the environment, there or not.
        python: the interpreter to make it with; else one is looked for.
        cache: of wheels; the usual one if none is given.
        offline: wheels must be in the cache.
        progress: told of downloads and of packages installed.

    Raises:
        UsageError: as `plan`.
        IndexUnavailable: a file cannot be had.
        IntegrityError: a file is not what the lock says.
        HostError: an installer failed, with what it said.
    """
    reporter = progress or Silent()
    cache = cache or Cache()
    todo = plan(lock, directory, python=python, cache=cache)
    # everything is here and checked before anything is changed
    files = download([package.file for package in todo.install], cache=cache, offline=offline, progress=reporter)
    if todo.python is not None:
        _run(
            [str(todo.python), "-I", "-m", "venv", "--clear", "--without-pip", str(directory)], "making the environment"
        )
    installer = _Installer(directory)
    reporter.start(TASK, len(todo.install) + len(todo.remove))
    outdated = [package.name for package in todo.install] if todo.python is None else []
    installer.remove([*todo.remove, *outdated])
    if todo.remove or outdated:
        # uv leaves the bytecode of modules that are in no package, and Python would take it for that of the module that
        # comes in their place, if that is as long and written in the same second
        shutil.rmtree(site_packages(directory) / "__pycache__", ignore_errors=True)
    reporter.advance(TASK, len(todo.remove))
    wheels = [package for package in todo.install if package.file.is_wheel]
    sources = [package for package in todo.install if not package.file.is_wheel]
    # an environment that someone edited may share its files with what was unpacked once: it is repaired from the wheels
    kept = cache.shared("uv") if todo.python is not None else None
    installer.install(wheels, files, kept=kept)
    if kept is not None and installer.uv is not None:
        spoilt = linked.spoilt(wheels, site_packages(directory), cache)
        installer.replace(spoilt, files, kept)
    reporter.advance(TASK, len(wheels))
    # a source distribution is built with the locked tools, which must be there before it
    installer.install(sources, files, build=True)
    reporter.advance(TASK, len(sources))
    installer.finish(lock)
    loader.write(lock, site_packages(directory))
    reporter.finish(TASK)
    return todo


def site_packages(directory: Path) -> Path:
    """Where an environment keeps its distributions.

    Raises:
        UsageError: it is no virtual environment.
    """
    told = _run(
        [str(interpreter(directory)), "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        "asking the environment where its packages lie",
    )
    return Path(told.strip())


def _check_host(lock: Lock) -> None:
    here = this_platform()
    if here is None or here.wheels is not lock.target.platform.wheels:
        raise UsageError(
            f"the lock is for {lock.target.platform}, this machine is {here or 'of another kind'}",
            hint="`tfenv build` makes an image of it" if lock.target.platform.is_linux else None,
        )
    needs, has = lock.needs.glibc, glibc(ThisHost())
    if needs is not None and has is not None and has < needs:
        raise UsageError(
            f"the lock needs glibc {needs}, this machine has {has}",
            hint=f"lock again with `--glibc {has}`, or make an image with `tfenv build`",
        )


def _installed(lock: Lock, directory: Path) -> dict[str, Mapping[str, Any]]:
    """What level 0 of the probe finds, the hashes of the locked ones verified."""
    options = {**json.loads(exchange.options(lock)), "levels": [0]}
    output, errors = probe(interpreter(directory), json.dumps(options))
    try:
        found = exchange.read(output)["installed"]
    except ValueError as error:
        raise UsageError(
            f"the Python of `{directory}` does not work: {' '.join(errors.split())[-300:]}",
            hint="remove the folder, then repeat",
        ) from error
    entries: dict[str, Mapping[str, Any]] = {}
    for entry in found["distributions"]:
        # one that is there twice is not sound
        entries[entry["name"]] = {} if entry["name"] in found["duplicates"] else entry
    return entries


def _sound(package: LockedPackage, entry: Mapping[str, Any] | None, contents: str | None) -> bool:
    """Is the locked release installed, and as its wheel brought it?"""
    if not entry or not entry.get("record") or entry["changed_count"] or entry["missing_count"]:
        return False
    try:
        same = Version(entry["version"]) == package.version
    except InvalidVersion:
        return False
    return same and contents in (None, entry["contents"])


class _Installer:
    """uv where there is one that knows this Python; else wheels are unpacked, and the pip of that Python does the rest.

    Its pip is taken out again at the end.
    """

    def __init__(self, directory: Path) -> None:
        python = interpreter(directory)
        self.directory = directory
        self.python = str(python)
        self.uv = shutil.which("uv")
        # uv knows no Python before 3.8
        version = interpreters.version_of(python)
        if version is not None and version < Version("3.8"):
            self.uv = None
        self.has_pip = False

    def _command(self, verb: str, *options: str) -> list[str]:
        if self.uv is not None:
            return [self.uv, "pip", verb, "--quiet", "--no-config", "--python", self.python, *options]
        if not self.has_pip:
            _run([self.python, "-I", "-m", "ensurepip"], "pip is not there, and making it", hint="install uv")
            self.has_pip = True
        yes = ["--yes"] if verb == "uninstall" else []
        return [self.python, "-I", "-m", "pip", "--isolated", "--disable-pip-version-check", verb, "-q", *yes, *options]

    def remove(self, names: Sequence[str]) -> None:
        """Take distributions out; names that are not there are no fault."""
        if names:
            _run(self._command("uninstall", *names), "removing packages")

    def replace(self, packages: Sequence[LockedPackage], files: Mapping[str, Path], kept: Path) -> None:
        """Install from the wheels what came spoilt out of uv's cache, and have uv forget it."""
        if packages and self.uv is not None:
            names = [package.name for package in packages]
            _run([self.uv, "cache", "clean", "--quiet", "--no-config", "--cache-dir", str(kept), *names], "cleaning")
            self.remove(names)
            self.install(packages, files)

    def install(
        self,
        packages: Sequence[LockedPackage],
        files: Mapping[str, Path],
        *,
        build: bool = False,
        kept: Path | None = None,
    ) -> None:
        """Install files whose hashes are checked once more; nothing is fetched and no dependency added.

        Args:
            packages: to install.
            files: where their files lie, by filename.
            build: are they source distributions?
            kept: uv's cache, from which it links what it has unpacked before; ``None`` unpacks.
        """
        if not packages:
            return
        if self.uv is None and not build:
            # the pip of an old Python refuses wheels of newer platform tags
            unpack([files[package.file.filename] for package in packages], Path(self.python))
            return
        # beside the packages, so that uv can link what it unpacks
        with (
            writing(self.directory),
            tempfile.TemporaryDirectory(prefix=".tfenv-", dir=self.directory) as folder,
        ):
            requirements = Path(folder) / "requirements.txt"
            requirements.write_text(
                "".join(
                    # old pips do not understand a name before it
                    f"{'' if self.uv is None else f'{package.name} @ '}"
                    f"{files[package.file.filename].as_uri()} --hash=sha256:{package.file.sha256}\n"
                    for package in packages
                ),
                encoding="utf-8",
            )
            options = ["--no-deps", "--no-index", "--require-hashes", "-r", str(requirements)]
            if build:
                options.append("--no-build-isolation")
            if self.uv is not None:
                options += ["--cache-dir", str(kept or Path(folder) / "uv")]
            _run(
                self._command("install", *options),
                "installing packages",
                hint="the build tools it asks for must be locked too: `tfenv lock --with setuptools`"
                if build
                else None,
            )

    def finish(self, lock: Lock) -> None:
        """Take out what `ensurepip` brought, unless it is locked."""
        if self.has_pip:
            self.remove([name for name in ("setuptools", "pip") if lock.package(name) is None])


def _run(command: Sequence[str], doing: str, *, hint: str | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    try:
        ran = subprocess.run(
            list(command), capture_output=True, encoding="utf-8", errors="replace", check=False, env=environment
        )
    except OSError as error:
        raise HostError(f"{doing}: `{command[0]}` cannot be run: {error.strerror}", hint=hint) from error
    if ran.returncode != 0:
        told = (ran.stderr or ran.stdout).strip().splitlines()[-12:]
        raise HostError("\n  ".join((f"{doing} failed:", *told)), hint=hint)
    return ran.stdout
