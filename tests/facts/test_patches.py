"""Corrections of metadata: every row is for releases that exist, and says what, why and who."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.database import load
from tfenv.facts.patches import Patch, PatchTable
from tfenv.model.package import Name
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = load()
DISTRIBUTIONS = ("tensorflow", "tensorflow-cpu", "tensorflow-gpu")
COMPANIONS = {
    "onnx": ("1.18.0", "1.19.0", "1.19.1"),
    "tensorflow-decision-forests": ("0.2.4", "1.0.1", "1.2.0"),
    "tensorflow-metadata": ("1.17.3", "1.21.0"),
    "tensorflow-macos": ("2.5.0", "2.6.0", "2.9.2", "2.16.2"),
    "tensorflow-rocm": ("2.4.3", "2.9.4", "2.14.0.600"),
    "tensorflow-metal": (
        *("0.1.2", "0.2.0", "0.3.0", "0.4.0", "0.5.1", "0.6.0", "0.7.1", "0.8.0", "1.0.1", "1.1.0", "1.2.0"),
    ),
    "tensorflow-directml-plugin": ("0.0.1.dev220621", "0.2.0.dev221020", "0.4.0.dev230202"),
}
"""Published releases of what is not in the database."""


def said(name: str, version: str, platform: Platform = Platform.LINUX_X86_64) -> set[str]:
    patches = DATABASE.patches.of(Name(name), Version(version), platform)
    return {str(requirement) for patch in patches for requirement in patch.add}


@pytest.mark.parametrize("patch", DATABASE.patches.all, ids=lambda patch: f"{patch.packages[0]}{patch.versions}")
def test_every_patch_is_for_releases_that_exist(patch: Patch) -> None:
    """Each of its packages has a release that it changes, and TensorFlow one that it does not."""
    for name in patch.packages:
        known = DATABASE.releases.versions(name) if name in DISTRIBUTIONS else map(Version, COMPANIONS[name])
        assert any(patch.versions.contains(version, prereleases=True) for version in known), name
    assert all(requirement.because and requirement.source for requirement in patch.add)


@pytest.mark.parametrize(
    ("name", "version", "what", "other"),
    [
        ("tensorflow", "2.5.3", "protobuf<4", "2.10.1"),
        ("tensorflow", "2.14.0", "numpy<2", "2.18.0"),
        ("tensorflow", "1.15.5", "h5py<3", "2.4.4"),
        ("tensorflow", "1.11.0", "h5py<3", "1.10.1"),
        ("tensorflow-cpu", "2.2.3", "numpy<1.24", "2.3.0"),
        ("tensorflow", "2.2.0", "numpy<1.24", "2.1.4"),
        ("tensorflow", "1.6.0", "__cpu[avx]", "1.5.1"),
        ("tensorflow-cpu", "2.4.0", "__cpu[avx2]", "2.4.1"),
        ("onnx", "1.19.0", "ml-dtypes>=0.5.0", "1.18.0"),
        ("tensorflow-decision-forests", "1.0.1", "pandas<2", "1.2.0"),
        ("tensorflow-metadata", "1.21.0", "protobuf>=6.31.1", "1.17.3"),
        ("tensorflow-macos", "2.9.2", "protobuf<4", "2.10.0"),
        ("tensorflow-rocm", "2.14.0.600", "numpy<2", "2.18.1"),
        ("tensorflow-metal", "1.2.0", "tensorflow<2.20,>=2.18", "1.1.0"),
        ("tensorflow-metal", "1.1.0", "tensorflow<2.18,>=2.14", "1.2.0"),
        ("tensorflow-metal", "1.0.1", "tensorflow==2.13.*", "0.8.0"),
        ("tensorflow-directml-plugin", "0.2.0.dev221020", "tensorflow-cpu==2.10.0", "0.3.0.dev221212"),
        ("tensorflow-directml-plugin", "0.0.1.dev220621", "tensorflow-cpu==2.9.*", "0.1.0.dev220928"),
    ],
)
def test_patch_fires_where_it_should(name: str, version: str, what: str, other: str) -> None:
    """It changes the release it is for, and not the one after."""
    assert what in said(name, version)
    assert what not in said(name, other)


def test_patch_of_a_platform() -> None:
    """Native Windows had CUDA up to 2.10, macOS has none, and no ARM processor is asked for AVX."""
    assert "__cuda==0" in said("tensorflow", "2.11.1", Platform.WINDOWS_X86_64)
    assert "__cuda==0" not in said("tensorflow", "2.10.1", Platform.WINDOWS_X86_64)
    assert "__cuda==0" in said("tensorflow", "2.16.2", Platform.MACOS_ARM64)
    assert "__cuda==0" not in said("tensorflow", "2.16.2", Platform.WSL)
    assert "__cpu[avx]" in said("tensorflow", "2.16.2", Platform.WSL)
    assert "__cpu[avx]" not in said("tensorflow", "2.16.2", Platform.LINUX_AARCH64)


@pytest.mark.parametrize(("version", "dropped"), [("2.14.0", True), ("2.15.0", True), ("2.15.1", False)])
def test_tensorrt_is_optional(version: str, dropped: bool) -> None:
    """The `and-cuda` of 2.14 and 2.15.0 names a TensorRT that does not install; later ones name none."""
    patches = DATABASE.patches.of(Name("tensorflow"), Version(version), Platform.LINUX_X86_64)
    assert any("tensorrt-libs" in patch.drop for patch in patches) is dropped


def test_drop(tmp_path: Path) -> None:
    """A patch may take a requirement away."""
    path = tmp_path / "patches.toml"
    path.write_text(
        'patch = [{packages = ["A_b"], versions = ">=1", drop = ["C"], because = "b", source = "s", tier = "declared"}]'
    )
    (patch,) = PatchTable(path).of(Name("a-b"), Version("1.1"), Platform.WSL)
    assert patch.drop == ("c",)
    assert PatchTable(path).of(Name("a-b"), Version("0.9"), Platform.WSL) == ()


def test_every_fault_is_told(tmp_path: Path) -> None:
    """A table with faults is refused with all of them."""
    path = tmp_path / "patches.toml"
    path.write_text(
        """
        [[patch]]
        packages = []
        versions = ">=1"
        platforms = ["amiga"]
        add = ["a <", "b @ https://example.org/b.whl"]
        cuda = "12"
        colour = "red"
        because = "x"
        source = "y"
        tier = "guessed"
        """
    )
    with pytest.raises(UsageError) as caught:
        PatchTable(path)
    keys = {fault.split("`")[1].split(".")[1] for fault in caught.value.faults}
    assert keys == {"packages", "platforms[0]", "add[0]", "add[1]", "cuda", "colour", "tier"}
