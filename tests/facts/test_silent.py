"""What is filled in where a wheel is silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.silent import complete, load, strip
from tfenv.model.builds import Build
from tfenv.model.hardware import Architecture
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from pathlib import Path

ROW = """
[[silent]]
versions = ">=2.2,<2.3"
platform = "linux-x86_64"
cuda = "10.1"
cudnn-floor = "7.6"
sass = ["6.0", "7.0"]
evidence = ["https://page.test/"]
tier = "declared"
"""
SAID = Build(platform=Platform.LINUX_X86_64, cuda=Version("10"), cudnn=Version("7"), source="a.whl")


def written(tmp_path: Path, text: str = ROW) -> Path:
    path = tmp_path / "silent.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_fills_what_is_missing(tmp_path: Path) -> None:
    """`10` becomes `10.1`, what is said stays, what nothing says is named."""
    build = complete(SAID, Version("2.2.1"), load(written(tmp_path)))
    assert (str(build.cuda), str(build.cudnn), str(build.cudnn_floor)) == ("10.1", "7", "7.6")
    assert build.sass == (Architecture.parse("6.0"), Architecture.parse("7.0"))
    assert build.inferred == ("cuda", "cudnn_floor", "sass")
    assert build.evidence == ("https://page.test/",)
    assert build.unknown == ("ptx",)


@pytest.mark.parametrize(
    ("build", "version"),
    [
        (SAID, "2.3.0"),
        (Build(platform=Platform.LINUX_AARCH64, cuda=Version("10"), source="a.whl"), "2.2.0"),
    ],
)
def test_does_not_fire(tmp_path: Path, build: Build, version: str) -> None:
    """A row for other versions or another platform fills nothing."""
    completed = complete(build, Version(version), load(written(tmp_path)))
    assert completed.inferred == ()
    assert completed.cuda == Version("10")


def test_what_the_wheel_says_stands(tmp_path: Path) -> None:
    """Another CUDA than the row's is left alone."""
    other = Build(platform=Platform.LINUX_X86_64, cuda=Version("11.0"), source="a.whl")
    assert complete(other, Version("2.2.0"), load(written(tmp_path))).cuda == Version("11.0")


def test_cpu_builds_are_left_alone(tmp_path: Path) -> None:
    """A CPU build has nothing to fill in, and nothing to strip."""
    cpu = Build(platform=Platform.LINUX_X86_64, source="a.whl")
    assert complete(cpu, Version("2.2.0"), load(written(tmp_path))) == cpu
    assert strip(cpu) == cpu


def test_strip(tmp_path: Path) -> None:
    """Stripping leaves what the wheel said, and that it is a CUDA build."""
    stripped = strip(complete(SAID, Version("2.2.1"), load(written(tmp_path))))
    assert stripped.cudnn == Version("7")
    assert stripped.is_cuda
    assert (stripped.cuda, stripped.sass, stripped.inferred, stripped.evidence) == (None, (), (), ())


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('platform = "linux-x86_64"', 'platform = "amiga"', r"silent\[0\]\.platform"),
        ('evidence = ["https://page.test/"]', "", r"silent\[0\]\.evidence"),
        ('cuda = "10.1"', 'cuda = "x"', r"silent\[0\]\.cuda"),
        ('cuda = "10.1"', 'cdua = "10.1"', r"silent\[0\]\.cdua"),
    ],
)
def test_faults(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """Faults name the row and the column."""
    with pytest.raises(UsageError, match=fault):
        load(written(tmp_path, ROW.replace(old, new)))
