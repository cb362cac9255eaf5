"""A virtual environment made equal to a lock: missing and wrong packages are installed, others are removed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
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
from tfenv.store import wheel_archive
from tfenv.store.files import exclusive, writing
from tfenv.venv import interpreters, linked, loader
from tfenv.venv.install import unpack
from tfenv.smoke.run import interpreter, probe, wheel_contents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tfenv.model.lock import Lock, LockedPackage

_FOLDER = (
    "import sys,sysconfig;"
    "schemes=[name for name in ('venv','nt' if sys.platform=='win32' else 'posix_prefix')"
    " if name in sysconfig.get_scheme_names()];"
    "print(sysconfig.get_path('purelib',schemes[0],{'base':sys.argv[1],'platbase':sys.argv[1]}))"
)
"""prints the package folder of an environment without `site`, which would run its `.pth` files"""
_OWN = frozenset(
    {"bin", "lib", "lib64", "include", "scripts", "share", "etc", "pyvenv.cfg", ".gitignore", ".lock", "cachedir.tag"}
)
"""what an environment has at its top"""
TASK = "install"
"""Name of the task reported to `Progress`; its unit is packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The changes that make an environment equal to a lock; none if it is equal already.

    Attributes:
        directory: directory of the environment.
        python: interpreter that creates the environment; ``None`` if it exists already.
        install: packages that are missing, have another version, or have files that differ from their wheel.
        remove: names of installed distributions that are not locked.
        keep: number of packages that stay as they are.
    swept: what an interrupted run had left in the environment, and what was removed first.
    """

    directory: Path
    python: Path | None
    install: tuple[LockedPackage, ...]
    remove: tuple[str, ...]
    keep: int
    swept: tuple[str, ...] = ()


def plan(lock: Lock, directory: Path, *, python: Path | None = None, cache: Cache | None = None) -> Plan:
    """Find out what to change in an environment; nothing is changed.

    Args:
        lock: lock for this host's platform.
        directory: directory of the environment, which may not exist yet.
        python: interpreter that creates the environment; by default one is searched for.
        cache: cache of wheels; installed packages are compared with the wheels in it.

    Raises:
        UsageError: the lock is for another platform, no interpreter fits, or the directory is not an environment.
    """
    _check_host(lock)
    wanted = lock.target.python
    if wanted is None:
        raise UsageError("the lock names no Python", hint="lock again with `tfenv lock`")
    if not (directory / "pyvenv.cfg").is_file():
        if directory.exists() and (not directory.is_dir() or _has_files(directory)):
            raise UsageError(
                f"`{directory}` exists and is not a virtual environment", hint="use another directory: `--venv DIR`"
            )
        made_by = interpreters.find(wanted, python)
        return Plan(directory=directory, python=made_by, install=lock.packages, remove=(), keep=0)
    there = _version_in(directory)
    if there is None and (precious := _beside(directory)) is not None:
        raise UsageError(
            f"the environment `{directory}` has no Python that works, and has `{precious}`, which would be deleted",
            hint="move it away, then remove the folder and run the command again",
        )
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


def _version_in(directory: Path) -> Version | None:
    """The Python of an environment; ``None`` if it has none, or one that is installed elsewhere than it says."""
    text = (directory / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    home = next((line.partition("=")[2].strip() for line in text.splitlines() if line.partition("=")[0].strip() == "home"), "")
    if not Path(home).is_dir():
        return None
    try:
        return interpreters.version_of(interpreter(directory))
    except UsageError:  # an interrupted run had not put it there yet
        return None


def _beside(directory: Path) -> str | None:
    """A file or folder in an environment that neither `venv` nor tfenv puts there."""
    names = (path.name for path in directory.iterdir() if not path.name.startswith(".tfenv-"))
    return next((name for name in sorted(names) if name.lower() not in _OWN), None)


def _has_files(directory: Path) -> bool:
    """Whether a folder has a file; an interrupted creation of an environment leaves only folders."""
    return any(files or any((Path(root) / name).is_symlink() for name in names if name != "lib64")
               for root, names, files in os.walk(directory))


def sync(
    lock: Lock,
    directory: Path,
    *,
    python: Path | None = None,
    cache: Cache | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """Make an environment equal to a lock; returns the changes.

    Args:
        lock: lock for this host's platform.
        directory: directory of the environment, which may not exist yet.
        python: interpreter that creates the environment; by default one is searched for.
        cache: cache of wheels; by default the user's.
        offline: whether to use only wheels in the cache.
        progress: reports downloads and installed packages.

    Raises:
        UsageError: as in `plan`.
        IndexUnavailable: a file is not available.
        IntegrityError: a file does not have the hash in the lock, or is a malformed or hostile wheel.
        HostError: an installer failed; the message has its output.
    """
    reporter = progress or Silent()
    cache = cache or Cache()
    _check_host(lock)
    with cache.in_use(), exclusive(directory):
        swept = _sweep(directory)
        done = _sync(lock, directory, python, cache, offline=offline, reporter=reporter)
    return replace(done, swept=swept)


def _sweep(directory: Path) -> tuple[str, ...]:
    """Remove what an interrupted run left in an environment; returns the names."""
    found = [path for path in directory.glob(".tfenv-*") if path.is_dir() and not path.is_symlink()]
    for pattern in ("lib/python*/site-packages/.tmp*", "Lib/site-packages/.tmp*", "lib/python*/site-packages/.part-*"):
        found += directory.glob(pattern)
    for path in found:
        with writing(path):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    return tuple(sorted(path.relative_to(directory).as_posix() for path in found))


def _sync(
    lock: Lock, directory: Path, python: Path | None, cache: Cache, *, offline: bool, reporter: Progress
) -> Plan:
    todo = plan(lock, directory, python=python, cache=cache)
    # all files are downloaded and checked before anything is changed
    files = download([package.file for package in todo.install], cache=cache, offline=offline, progress=reporter)
    for package in todo.install:
        if package.file.is_wheel:
            wheel_archive.check(files[package.file.filename])
    if todo.python is not None:
        _run(
            [str(todo.python), "-I", "-m", "venv", "--clear", "--without-pip", str(directory)], "creating the environment"
        )
    installer = _Installer(directory)
    reporter.start(TASK, len(todo.install) + len(todo.remove))
    outdated = [package.name for package in todo.install] if todo.python is None else []
    installer.remove([*todo.remove, *outdated])
    if todo.remove or outdated:
        # uv leaves the bytecode of top-level modules behind. Python would use it for a new module of the same name if
        # that has the same length and was written in the same second.
        shutil.rmtree(site_packages(directory) / "__pycache__", ignore_errors=True)
    reporter.advance(TASK, len(todo.remove))
    wheels = [package for package in todo.install if package.file.is_wheel]
    sources = [package for package in todo.install if not package.file.is_wheel]
    # the files of an existing environment may be links into the cache of uv: it is repaired from the wheels instead
    kept = cache.shared("uv") if todo.python is not None else None
    installer.install(wheels, files, kept=kept)
    if kept is not None and installer.uv is not None:
        spoilt = linked.spoilt(wheels, site_packages(directory), cache)
        installer.replace(spoilt, files, kept)
    reporter.advance(TASK, len(wheels))
    # a source distribution is built with the locked tools, which must be installed before it
    installer.install(sources, files, build=True)
    reporter.advance(TASK, len(sources))
    installer.finish(lock)
    loader.write(lock, site_packages(directory))
    reporter.finish(TASK)
    return todo


def site_packages(directory: Path) -> Path:
    """The folder of an environment's distributions.

    Raises:
        UsageError: the directory is not a virtual environment.
    """
    output = _run(
        [str(interpreter(directory)), "-I", "-S", "-c", _FOLDER, str(directory.absolute())],
        "asking the environment for its package folder",
    )
    return Path(output.strip())


def _check_host(lock: Lock) -> None:
    here = this_platform()
    if here is None or here.wheels is not lock.target.platform.wheels:
        raise UsageError(
            f"the lock is for {lock.target.platform}, this machine is {here or 'of another kind'}",
            hint="run `tfenv build` to make an image of it" if lock.target.platform.is_linux else None,
        )
    needs, has = lock.needs.glibc, glibc(ThisHost())
    if needs is not None and has is not None and has < needs:
        raise UsageError(
            f"the lock needs glibc {needs}, this machine has {has}",
            hint=f"lock again with `--glibc {has}`, or make an image with `tfenv build`",
        )


def _installed(lock: Lock, directory: Path) -> dict[str, Mapping[str, Any]]:
    """The installed distributions by name, as level 0 of the probe finds them, with the hashes of locked ones verified."""
    options = {**json.loads(exchange.options(lock)), "levels": [0]}
    output, errors = probe(interpreter(directory), json.dumps(options), folders=[site_packages(directory)])
    try:
        found = exchange.read(output)["installed"]
    except ValueError as error:
        raise UsageError(
            f"the Python of `{directory}` does not work: {' '.join(errors.split())[-300:]}",
            hint="remove the folder and run the command again",
        ) from error
    entries: dict[str, Mapping[str, Any]] = {}
    for entry in found["distributions"]:
        # a distribution that is installed twice counts as damaged
        entries[entry["name"]] = {} if entry["name"] in found["duplicates"] else entry
    return entries


def _sound(package: LockedPackage, entry: Mapping[str, Any] | None, contents: str | None) -> bool:
    """Whether the locked release is installed and its files match the wheel."""
    if not entry or not entry.get("record") or entry["changed_count"] or entry["missing_count"]:
        return False
    try:
        same = Version(entry["version"]) == package.version
    except InvalidVersion:
        return False
    return same and contents in (None, entry["contents"])


class _Installer:
    """Installs with uv if there is one that supports the Python; otherwise unpacks wheels and uses that Python's pip.

    That pip is removed again at the end.
    """

    def __init__(self, directory: Path) -> None:
        python = interpreter(directory)
        self.directory = directory
        self.python = str(python)
        self.uv = shutil.which("uv")
        # uv does not support Python before 3.8
        version = interpreters.version_of(python)
        if version is not None and version < Version("3.8"):
            self.uv = None
        self.has_pip = False

    def _command(self, verb: str, *options: str) -> list[str]:
        if self.uv is not None:
            return [self.uv, "pip", verb, "--quiet", "--no-config", "--python", self.python, *options]
        if not self.has_pip:
            _run([self.python, "-I", "-m", "ensurepip"], "installing pip", hint="install uv, which is used instead")
            self.has_pip = True
        yes = ["--yes"] if verb == "uninstall" else []
        return [self.python, "-I", "-m", "pip", "--isolated", "--disable-pip-version-check", verb, "-q", *yes, *options]

    def remove(self, names: Sequence[str]) -> None:
        """Remove distributions; names that are not installed are ignored."""
        if names:
            _run(self._command("uninstall", *names), "removing packages")

    def replace(self, packages: Sequence[LockedPackage], files: Mapping[str, Path], kept: Path) -> None:
        """Install packages that are damaged in uv's cache from their wheels, and remove them from that cache."""
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
        """Install files, whose hashes are checked again; nothing is downloaded and no dependency is added.

        Args:
            packages: packages to install.
            files: paths of their files, by filename.
            build: whether they are source distributions.
            kept: uv's cache, from which it links files of wheels unpacked before; ``None`` unpacks them again.
        """
        if not packages:
            return
        if self.uv is None and not build:
            # the pip of an old Python refuses wheels with newer platform tags
            unpack([files[package.file.filename] for package in packages], Path(self.python))
            return
        # on the file system of the packages, so that uv can link what it unpacks
        with (
            writing(self.directory),
            tempfile.TemporaryDirectory(prefix=".tfenv-", dir=self.directory) as folder,
        ):
            requirements = Path(folder) / "requirements.txt"
            requirements.write_text(
                "".join(
                    # old releases of pip do not accept `name @` before the URL
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
            hint = "lock the build tools that it needs too: `tfenv lock --with setuptools`" if build else None
            try:
                _run(self._command("install", *options), "installing packages", hint=hint)
            except HostError:
                for package in packages:
                    if package.file.is_wheel:
                        wheel_archive.check_contents(files[package.file.filename])
                raise

    def finish(self, lock: Lock) -> None:
        """Remove the packages of `ensurepip` that are not locked."""
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
        last = (ran.stderr or ran.stdout).strip().splitlines()[-12:]
        raise HostError("\n  ".join((f"{doing} failed:", *last)), hint=hint)
    return ran.stdout
