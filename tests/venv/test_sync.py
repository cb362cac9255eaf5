"""A virtual environment becomes what a lock says, with real installers and small wheels, offline."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.smoke.wheels import HERE, PYTHON, lock_of, source, wheel
from tfenv.errors import IndexUnavailable, TfenvError, UsageError
from tfenv.model.lock import Needs, Origin, Stack
from tfenv.model.target import Platform
from tfenv.smoke.run import interpreter
from tfenv.store.cache import Cache
from tfenv.venv import interpreters, loader
from tfenv.venv.sync import plan, site_packages, sync

if TYPE_CHECKING:
    from tfenv.model.lock import Lock


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "venv"


def evaluate(venv: Path, expression: str) -> str:
    """What an expression is in the environment."""
    ran = subprocess.run(
        [str(interpreter(venv)), "-I", "-c", f"print({expression})"], capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """With uv, and on a machine that has none."""
    if request.param == "pip":
        monkeypatch.setenv("PATH", str(tmp_path))
    elif shutil.which("uv") is None:
        pytest.skip("uv is not installed here")
    return str(request.param)


def test_from_nothing_to_the_lock_and_back(installer: str, cache: Cache, venv: Path) -> None:
    """Made, left alone, changed and repaired: afterwards it always holds what is locked, and nothing else."""
    delta = source(cache, "delta", "1.0")
    first = lock_of(wheel(cache, "alpha", "1.0"), wheel(cache, "beta", "1.0"), delta)
    done = sync(first, venv, cache=cache, offline=True)
    assert (len(done.install), done.remove, done.keep) == (3, (), 0)
    assert evaluate(venv, "__import__('delta').built") == "True"
    assert evaluate(venv, "__import__('alpha').version + __import__('beta').version") == "1.01.0"
    assert sorted(path.name for path in site_packages(venv).iterdir() if path.suffix == ".dist-info") == [
        "alpha-1.0.dist-info",
        "beta-1.0.dist-info",
        "delta-1.0.dist-info",
    ]

    again = sync(first, venv, cache=cache, offline=True)
    assert (again.python, again.install, again.remove, again.keep) == (None, (), (), 3)

    second = lock_of(wheel(cache, "alpha", "2.0"), wheel(cache, "gamma", "1.0"), delta)
    done = sync(second, venv, cache=cache, offline=True)
    assert ([each.name for each in done.install], done.remove) == (["alpha", "gamma"], ("beta",))
    assert evaluate(venv, "__import__('alpha').version") == "2.0"
    assert evaluate(venv, "__import__('importlib.util').util.find_spec('beta')") == "None"

    if installer == "pip":  # which takes its time, and has shown all its verbs
        return
    (site_packages(venv) / "gamma.py").write_text("version = 'spoilt'\n", encoding="utf-8")
    done = sync(second, venv, cache=cache, offline=True)
    assert [each.name for each in done.install] == ["gamma"]
    assert evaluate(venv, "__import__('gamma').version") == "1.0"


def test_several_at_once_queue(cache: Cache, venv: Path) -> None:
    """Four processes make one environment: one installs, the others find it made."""
    lock = lock_of(wheel(cache, "alpha", "1.0"), wheel(cache, "beta", "1.0"))
    with ThreadPoolExecutor() as pool:
        done = [each.result() for each in [pool.submit(sync, lock, venv, cache=cache, offline=True) for _ in range(4)]]
    assert sorted(len(each.install) for each in done) == [0, 0, 0, 2]
    assert evaluate(venv, "__import__('alpha').version") == "1.0"


def test_what_an_interrupted_run_left_is_removed(cache: Cache, venv: Path) -> None:
    """Temporary folders go and are reported; the environment stays."""
    lock = lock_of(wheel(cache, "alpha", "1.0"))
    sync(lock, venv, cache=cache, offline=True)
    (venv / ".tfenv-abc" / "uv").mkdir(parents=True)
    (site_packages(venv) / ".tmpXYZ").mkdir()
    done = sync(lock, venv, cache=cache, offline=True)
    assert [name.rpartition("/")[2] for name in done.swept] == [".tfenv-abc", ".tmpXYZ"]
    assert (done.keep, list(venv.glob(".t*")), list(site_packages(venv).glob(".t*"))) == (1, [], [])


@pytest.mark.parametrize("files", [(), ("pyvenv.cfg",)])
def test_an_interrupted_creation_is_completed(files: tuple[str, ...], cache: Cache, venv: Path) -> None:
    """Folders without files, and a configuration without a Python, are what `venv` leaves when it is killed."""
    (venv / "include").mkdir(parents=True)
    for name in files:
        (venv / name).write_text(f"home = {Path(sys.base_prefix) / 'bin'}\n", encoding="utf-8")
    done = sync(lock_of(wheel(cache, "alpha", "1.0")), venv, cache=cache, offline=True)
    assert [each.name for each in done.install] == ["alpha"]
    assert evaluate(venv, "__import__('alpha').version") == "1.0"


def test_a_configuration_that_names_nothing_is_replaced(cache: Cache, venv: Path) -> None:
    """With a `home` that does not exist, Python would use, and an installer would change, packages of another folder."""
    lock = lock_of(wheel(cache, "alpha", "1.0"))
    sync(lock, venv, cache=cache, offline=True)
    (venv / "pyvenv.cfg").write_text("home = /x\n", encoding="utf-8")
    assert sync(lock, venv, cache=cache, offline=True).remove == ()
    assert plan(lock, venv, cache=cache).install == ()


@pytest.mark.parametrize("linked", [False, True])
def test_files_of_others_are_not_deleted(cache: Cache, tmp_path: Path, linked: bool) -> None:
    """A folder with a damaged configuration and other files is refused, also behind a link."""
    (folder := tmp_path / "folder").mkdir()
    (folder / "pyvenv.cfg").write_text("home = /x\n", encoding="utf-8")
    (folder / "data").write_text("precious", encoding="utf-8")
    venv = folder
    if linked:
        (venv := tmp_path / "venv").symlink_to(folder)
    with pytest.raises(UsageError, match="`data`, which would be deleted"):
        sync(lock_of(wheel(cache, "alpha", "1.0")), venv, cache=cache, offline=True)
    assert sorted(path.name for path in folder.iterdir()) == ["data", "pyvenv.cfg"]


def test_no_pth_file_runs_before_it_is_proven(cache: Cache, venv: Path, tmp_path: Path) -> None:
    """What does not match its wheel is found without being run."""
    lock = lock_of(wheel(cache, "alpha", "1.0"))
    sync(lock, venv, cache=cache, offline=True)
    ran = tmp_path / "ran"
    (site_packages(venv) / "evil.pth").write_text(f"import os; open({str(ran)!r}, 'w')\n", encoding="utf-8")
    (site_packages(venv) / "sitecustomize.py").write_text(f"open({str(ran)!r}, 'w')\n", encoding="utf-8")
    assert plan(lock, venv, cache=cache).keep == 1
    assert not ran.exists()


def test_packages_of_the_base_interpreter_stay(cache: Cache, venv: Path) -> None:
    """An environment with system packages is compared by its own packages alone."""
    lock = lock_of(wheel(cache, "alpha", "1.0"))
    made = [sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", str(venv)]
    subprocess.run(made, check=True)
    assert sync(lock, venv, cache=cache, offline=True).remove == ()
    again = plan(lock, venv, cache=cache)
    assert (again.install, again.remove) == ((), ())


def test_another_file_of_the_same_version(cache: Cache, venv: Path) -> None:
    """A wheel of the same name and version, but with other contents, is not taken for the locked one."""
    sync(lock_of(wheel(cache, "alpha", "1.0", {"alpha.py": "origin = 'here'"})), venv, cache=cache, offline=True)
    other = lock_of(wheel(cache, "alpha", "1.0", {"alpha.py": "origin = 'there'"}))
    assert [each.name for each in plan(other, venv, cache=cache).install] == ["alpha"]
    sync(other, venv, cache=cache, offline=True)
    assert evaluate(venv, "__import__('alpha').origin") == "there"


def test_bytecode_of_what_was_there_goes(cache: Cache, venv: Path) -> None:
    """Nothing compiled is left of a module that another takes the place of: it would be run instead of it."""
    sync(lock_of(wheel(cache, "alpha", "1.0")), venv, cache=cache, offline=True)
    assert evaluate(venv, "__import__('alpha').version") == "1.0"
    assert [path.name.partition(".")[0] for path in site_packages(venv).glob("__pycache__/a*.pyc")] == ["alpha"]
    sync(lock_of(wheel(cache, "alpha", "2.0")), venv, cache=cache, offline=True)
    assert not list(site_packages(venv).glob("__pycache__/a*.pyc"))


def test_nothing_is_changed_before_everything_is_here(cache: Cache, venv: Path) -> None:
    """A file that cannot be had leaves the environment as it was."""
    sync(lock_of(wheel(cache, "alpha", "1.0")), venv, cache=cache, offline=True)
    missing = wheel(cache, "alpha", "2.0")
    cache.file(missing.file.sha256 or "", missing.file.filename).unlink()
    with pytest.raises(IndexUnavailable, match=r"alpha-2\.0-py3-none-any\.whl is not in the cache"):
        sync(lock_of(missing), venv, cache=cache, offline=True)
    assert evaluate(venv, "__import__('alpha').version") == "1.0"


def test_an_installer_that_fails_is_quoted(cache: Cache, venv: Path) -> None:
    """What the installer said is in the error."""
    locked = wheel(cache, "alpha", "1.0", {"alpha.py": ""})
    broken = replace(locked, file=replace(locked.file, filename="alpha-1.0-cp27-cp27m-win32.whl"))
    path = cache.file(locked.file.sha256 or "", locked.file.filename)
    path.rename(path.with_name(broken.file.filename))
    with pytest.raises(TfenvError, match=r"(?s)installing packages failed:.*alpha"):
        sync(lock_of(broken), venv, cache=cache, offline=True)


def test_a_dry_run_changes_nothing(cache: Cache, venv: Path) -> None:
    """A plan of a new environment names the interpreter and makes no folder."""
    todo = plan(lock_of(wheel(cache, "alpha", "1.0")), venv, cache=cache)
    assert todo.python is not None
    assert not venv.exists()


@pytest.mark.parametrize("platform", [Platform.WINDOWS_X86_64, Platform.MACOS_ARM64, Platform.LINUX_AARCH64])
def test_locks_of_other_platforms(cache: Cache, venv: Path, platform: Platform) -> None:
    """A lock for another platform is refused before anything is fetched."""
    if platform is HERE:
        pytest.skip("that is this platform")
    lock = lock_of(wheel(cache, "alpha", "1.0"))
    with pytest.raises(UsageError, match=f"the lock is for {platform}, this machine is"):
        plan(replace(lock, target=replace(lock.target, platform=platform)), venv)


@pytest.mark.skipif(HERE is None or not HERE.is_linux, reason="glibc is of Linux")
def test_locks_for_a_newer_glibc(cache: Cache, venv: Path) -> None:
    """Wheels that this machine's C library is too old for are refused."""
    lock = replace(lock_of(wheel(cache, "alpha", "1.0")), needs=Needs(glibc=Version("9.9")))
    with pytest.raises(UsageError, match=r"the lock needs glibc 9\.9, this machine has"):
        plan(lock, venv)


def test_folders_of_someone_else(cache: Cache, tmp_path: Path) -> None:
    """A folder with something else in it is never made an environment; an empty one is."""
    lock = lock_of(wheel(cache, "alpha", "1.0"))
    (tmp_path / "theirs").mkdir()
    assert plan(lock, tmp_path / "theirs").python is not None
    (tmp_path / "theirs" / "thesis.tex").write_text("", encoding="utf-8")
    for name in ("theirs", "theirs/thesis.tex"):
        with pytest.raises(UsageError, match="exists and is not a virtual environment"):
            plan(lock, tmp_path / name)


def test_a_lock_without_python(cache: Cache, venv: Path) -> None:
    """Without a Python in the lock there is nothing to make an environment of."""
    lock = lock_of(wheel(cache, "alpha", "1.0"))
    with pytest.raises(UsageError, match="the lock names no Python"):
        plan(replace(lock, target=replace(lock.target, python=None)), venv)


def test_environment_of_another_python(cache: Cache, venv: Path) -> None:
    """An environment whose interpreter is gone, or of another version, is made anew."""
    lock = lock_of(wheel(cache, "alpha", "1.0"))
    sync(lock, venv, cache=cache, offline=True)
    interpreter(venv).unlink()
    interpreter_gone = venv / "bin" / "python"
    interpreter_gone.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    interpreter_gone.chmod(0o755)
    done = sync(lock, venv, cache=cache, offline=True)
    assert done.python is not None
    assert evaluate(venv, "__import__('alpha').version") == "1.0"


def test_variables_are_set_in_the_environment(cache: Cache, venv: Path) -> None:
    """What the lock sets, every Python of the environment sees; it goes when the lock sets it no more."""
    lock = lock_of(wheel(cache, "alpha", "1.0"))
    sync(replace(lock, environment=(("TFENV_TEST", 'it\'s "1"'),)), venv, cache=cache, offline=True)
    assert evaluate(venv, "__import__('os').environ['TFENV_TEST']") == 'it\'s "1"'
    sync(lock, venv, cache=cache, offline=True)
    assert evaluate(venv, "'TFENV_TEST' in __import__('os').environ") == "False"


def wheels_lock(lock: Lock) -> Lock:
    return replace(lock, stack=Stack(origin=Origin.WHEELS))


@pytest.mark.skipif(HERE is None or not HERE.is_linux, reason="the loader of Linux")
def test_libraries_are_opened_when_tensorflow_is_imported(cache: Cache, venv: Path) -> None:
    """CUDA libraries are open once TensorFlow is imported, and not before; a broken one is passed by."""
    libc = next(
        path
        for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
        if (path := Path(line.split()[-1])).name.startswith(("libm.so", "libm-"))
    )
    lock = wheels_lock(lock_of(wheel(cache, "tensorflow", "2.10.1")))
    sync(lock, venv, cache=cache, offline=True)
    folder = site_packages(venv) / "nvidia" / "cudnn" / "lib"
    folder.mkdir(parents=True)
    shutil.copy(libc, folder / "libcudnn.so.9")
    (folder / "libcudart.so.12").write_bytes(b"no library")
    opened = "'libcudnn.so.9' in open('/proc/self/maps').read()"
    assert evaluate(venv, f"({opened}, __import__('tensorflow').version, {opened})") == "(False, '2.10.1', True)"
    sync(replace(lock, stack=Stack()), venv, cache=cache, offline=True)
    assert evaluate(venv, f"(__import__('tensorflow').version, {opened})") == "('2.10.1', False)"


def test_loader_files_are_written_only_where_needed(cache: Cache, tmp_path: Path) -> None:
    """A lock without CUDA wheels and variables leaves no file of ours."""
    lock = lock_of(wheel(cache, "alpha", "1.0"))
    assert loader.write(lock, tmp_path) == ()
    assert loader.write(replace(lock, environment=(("A", "b"),)), tmp_path) == ("_tfenv.pth",)


class TestInterpreters:
    """Finding a Python for a lock."""

    def test_this_one(self) -> None:
        """The Python that runs tfenv serves where its version is the one wanted."""
        assert interpreters.find(PYTHON) == Path(sys.executable)

    def test_one_that_is_named(self, tmp_path: Path) -> None:
        """A named interpreter is taken if it is of the right version; what is none is refused."""
        assert interpreters.find(PYTHON, Path(sys.executable)) == Path(sys.executable)
        with pytest.raises(UsageError, match=r"is Python \S+, the lock is for 3\.6"):
            interpreters.find(Version("3.6"), Path(sys.executable))
        with pytest.raises(UsageError, match="is not a CPython interpreter"):
            interpreters.find(PYTHON, tmp_path / "python")

    @pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand in for interpreters")
    def test_places(self, tmp_path: Path) -> None:
        """PATH comes first, then pyenv, then uv; what does not answer, or is another implementation, is passed by."""

        def script(path: Path, answer: str) -> Path:
            path.parent.mkdir(parents=True)
            path.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
            path.chmod(0o755)
            return path

        script(tmp_path / "shims" / "python3.99", "exit 127")
        script(tmp_path / "pypy" / "python3.99", "echo PyPy 3.99.1 0")
        script(tmp_path / "free" / "python3", "echo CPython 3.99.1 1")
        script(tmp_path / "odd" / "python", "echo CPython odd 0")
        uv = script(
            tmp_path / "data" / "uv" / "python" / "cpython-3.99.0-linux" / "bin" / "python3.99", "echo CPython 3.99.0 0"
        )
        environment = {
            "PATH": ":".join(str(tmp_path / name) for name in ("shims", "pypy", "free", "odd", "none")),
            "HOME": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path / "data"),
        }
        assert interpreters.find(Version("3.99"), environment=environment) == uv
        pyenv = script(tmp_path / ".pyenv" / "versions" / "3.99.2" / "bin" / "python3.99", "echo CPython 3.99.2+ 0")
        assert interpreters.find(Version("3.99"), environment=environment) == pyenv
        first = script(tmp_path / "none" / "python3.99", "echo CPython 3.99.3 0")
        assert interpreters.find(Version("3.99"), environment=environment) == first

    def test_none(self, tmp_path: Path) -> None:
        """Where there is none, the hint says how to get one."""
        with pytest.raises(UsageError, match=r"no Python 3\.99 was found on this machine") as caught:
            interpreters.find(Version("3.99"), environment={"PATH": "", "HOME": str(tmp_path)})
        assert "uv python install 3.99" in (caught.value.hint or "")


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed here")
@pytest.mark.skipif(HERE is None or not HERE.is_linux, reason="hard links")
def test_environments_share_files_but_not_edits(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second environment is linked, not unpacked; one edited in place does not spoil the third."""
    monkeypatch.delenv("UV_LINK_MODE", raising=False)
    lock = lock_of(wheel(cache, "alpha", "1.0"), wheel(cache, "beta", "1.0"))
    venvs = [tmp_path / name for name in ("one", "two", "three")]
    for venv in venvs[:2]:
        sync(lock, venv, cache=cache, offline=True)
    here, there = (site_packages(venv) / "alpha.py" for venv in venvs[:2])
    assert here.stat().st_ino == there.stat().st_ino
    with there.open("r+", encoding="utf-8") as file:  # in place, as an editor may do it
        file.write("version = '6.6'\n")
    sync(lock, venvs[2], cache=cache, offline=True)
    assert evaluate(venvs[2], "__import__('alpha').version + __import__('beta').version") == "1.01.0"
    sync(lock, venvs[1], cache=cache, offline=True)
    assert evaluate(venvs[1], "__import__('alpha').version") == "1.0"
    shutil.rmtree(venvs[2])
    sync(lock, venvs[2], cache=cache, offline=True)
    assert evaluate(venvs[2], "__import__('alpha').version") == "1.0"
