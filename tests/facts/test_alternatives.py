"""What is named where no release serves a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.alternatives import AlternativeTable
from tfenv.facts.database import load
from tfenv.model.hardware import ComputeCapability, Gpu
from tfenv.model.package import Name
from tfenv.model.target import Accelerator, Platform, Target

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = load()
A100 = Gpu(name="A100", capability=ComputeCapability(8, 0))
T4 = Gpu(name="T4", capability=ComputeCapability(7, 5))


def said(version: str, platform: str, *gpus: Gpu, accelerator: Accelerator = Accelerator.CUDA) -> str:
    target = Target(platform=Platform(platform), accelerator=accelerator, gpus=gpus)
    return "\n".join(one.says for one in DATABASE.alternatives.of(Version(version), target))


@pytest.mark.parametrize(
    ("version", "platform", "gpus", "word"),
    [
        ("1.15.5", "linux-x86_64", (A100,), "nvidia-tensorflow"),
        ("1.15.5", "wsl", (T4, A100), "nvidia-tensorflow"),
        ("2.17.1", "linux-aarch64", (), "nvcr.io/nvidia/tensorflow"),
        ("2.17.1", "linux-aarch64", (), "Jetson"),
        ("2.17.1", "windows-x86_64", (), "--platform wsl"),
        ("2.10.1", "windows-x86_64", (), "--gpu directml"),
        ("2.17.1", "macos-arm64", (), "--gpu metal"),
    ],
)
def test_named(version: str, platform: str, gpus: tuple[Gpu, ...], word: str) -> None:
    """Each of them where it serves."""
    assert word in said(version, platform, *gpus)


def test_named_for_other_accelerators() -> None:
    """AMD's wheels are named to who asks for ROCm, and a TPU VM to who asks for a TPU; nothing of NVIDIA."""
    assert "repo.radeon.com" in said("2.16.1", "linux-x86_64", accelerator=Accelerator.ROCM)
    assert said("2.14.0", "linux-x86_64", accelerator=Accelerator.ROCM) == ""
    assert "TPU VM" in said("2.18.0", "linux-x86_64", accelerator=Accelerator.TPU)
    assert said("2.20.0", "linux-x86_64", accelerator=Accelerator.TPU) == ""
    assert said("2.17.1", "macos-arm64", accelerator=Accelerator.METAL) == ""


@pytest.mark.parametrize(
    ("version", "platform", "gpus"),
    [
        ("1.15.5", "linux-x86_64", (T4,)),
        ("1.15.5", "linux-x86_64", ()),
        ("2.17.1", "linux-x86_64", (A100,)),
        ("1.14.0", "linux-aarch64", ()),
        ("2.9.0", "windows-x86_64", ()),
        ("2.4.0", "macos-arm64", ()),
    ],
)
def test_not_named(version: str, platform: str, gpus: tuple[Gpu, ...]) -> None:
    """None of them elsewhere."""
    assert said(version, platform, *gpus) == ""


def test_nothing_for_the_cpu() -> None:
    """Who asks for no GPU is told of none."""
    assert said("2.17.1", "linux-aarch64", accelerator=Accelerator.NONE) == ""


def test_every_row_is_for_releases_that_exist() -> None:
    """Each range matches a release."""
    known = DATABASE.releases.versions(Name("tensorflow"))
    assert all(any(one.versions.contains(version) for version in known) for one in DATABASE.alternatives.all)


def test_every_fault_is_told(tmp_path: Path) -> None:
    """A table with faults is refused with all of them."""
    path = tmp_path / "alternatives.toml"
    path.write_text('alternative = [{platforms = ["amiga"], says = "s", source = "s", tier = "t"}]', encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        AlternativeTable(path)
    found = [fault.split(":")[0].partition(".")[2] for fault in caught.value.faults]
    assert found == ["tier`", "versions`", "platforms[0]`"]
