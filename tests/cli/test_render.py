"""`tfenv render` writes the outputs again, from the lock alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.support.locks import cpu_lock, cuda_lock
from tfenv.model.target import Platform, Target
from tfenv.outputs import conda, dockerfile, pylock, requirements

if TYPE_CHECKING:
    from tests.support.commands import Tfenv


def test_the_outputs_are_functions_of_the_lock(tfenv: Tfenv) -> None:
    """Environment and Dockerfile are what the lock gives, time after time; the lock itself is only read."""
    Path("pylock.toml").write_text(pylock.dumps(cuda_lock()), encoding="utf-8")
    ran = tfenv("render")
    assert (ran.code, ran.out, ran.err) == (0, "", "wrote environment.yml Dockerfile\n")
    for _ in range(2):
        assert Path("environment.yml").read_text(encoding="utf-8") == conda.dumps(cuda_lock())
        assert Path("Dockerfile").read_text(encoding="utf-8") == dockerfile.dumps(cuda_lock())
        assert tfenv("render").code == 0
    assert sorted(path.name for path in Path().iterdir()) == ["Dockerfile", "environment.yml", "pylock.toml"]


def test_targets_and_folders(tfenv: Tfenv) -> None:
    """A target's name is in the name of each file; they go where the lock is, or where they are told to."""
    Path("in").mkdir()
    Path("in/pylock.v100.toml").write_text(pylock.dumps(cuda_lock()), encoding="utf-8")
    ran = tfenv("render", "--target", "v100", "-o", "in", "--requirements-txt", "--json")
    names = ["in/environment.v100.yml", "in/Dockerfile.v100", "in/requirements.v100.txt"]
    assert json.loads(ran.out) == {"files": names}
    assert Path(names[2]).read_text(encoding="utf-8") == requirements.dumps(cuda_lock())
    assert tfenv("render", "--lock", "in/pylock.v100.toml").err == "wrote in/environment.yml in/Dockerfile\n"
    assert tfenv("render", "--lock", "in/pylock.v100.toml", "-o", "out/new", "-q").err == ""
    assert Path("out/new/environment.yml").exists()


def test_no_image_where_there_are_none(tfenv: Tfenv) -> None:
    """Windows and macOS get no Dockerfile."""
    target = Target(platform=Platform.WINDOWS_X86_64, python=Version("3.12"))
    lock = replace(cpu_lock(), packages=cpu_lock().packages[:1], target=target)
    Path("pylock.toml").write_text(pylock.dumps(lock), encoding="utf-8")
    assert tfenv("render").err == "wrote environment.yml\n"


def test_someone_elses_dockerfile_stays(tfenv: Tfenv) -> None:
    """A file that tfenv did not write is kept, and with it all the others, until forced."""
    Path("pylock.toml").write_text(pylock.dumps(cpu_lock()), encoding="utf-8")
    Path("Dockerfile").write_text("FROM scratch\n")
    ran = tfenv("render")
    assert ran.code == 2
    assert "`Dockerfile` is not written by tfenv" in ran.err
    assert "--force" in ran.err
    assert not Path("environment.yml").exists()
    assert tfenv("render", "--force").code == 0
    assert Path("Dockerfile").read_text(encoding="utf-8") == dockerfile.dumps(cpu_lock())


@pytest.mark.parametrize("name", ["a.b", "../x", "", "a b"])
def test_a_targets_name_is_plain(tfenv: Tfenv, name: str) -> None:
    """A name with a dot or a slash makes no file name of PEP 751."""
    ran = tfenv("render", "--target", name)
    assert ran.code == 2
    assert "cannot name a target" in ran.err


def test_a_lock_that_is_not_there_or_broken(tfenv: Tfenv) -> None:
    """No lock: what to do; a broken one: every fault with its dotted path; nothing is written."""
    ran = tfenv("render")
    assert ran.code == 2
    assert ran.err == "error: there is no lock `pylock.toml`\nhint: make one with `tfenv lock`\n"
    broken = (
        pylock.dumps(cuda_lock()).replace('origin = "wheels"', 'origin = "x"').replace("size = 581000000", "size = -1")
    )
    Path("pylock.toml").write_text(broken, encoding="utf-8")
    ran = tfenv("render")
    assert ran.code == 2
    assert "`packages[1].wheels[0].size`" in ran.err
    assert "`tool.tfenv.stack.origin`" in ran.err
    assert [path.name for path in Path().iterdir()] == ["pylock.toml"]
