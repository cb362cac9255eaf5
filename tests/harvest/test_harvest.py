"""From the files of a release to its row."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.harvest.recordings import Shelf, file_of, members_of, recorded
from tfenv.errors import IndexUnavailable
from tfenv.facts.silent import SilentRow
from tfenv.harvest.releases import again, harvest_release
from tfenv.model.builds import Build
from tfenv.model.hardware import Architecture
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from tfenv.facts.releases import ReleaseFacts
    from tfenv.model.package import File

X86 = Platform.LINUX_X86_64
TEN = SilentRow(
    versions=SpecifierSet("==1.14.*"),
    build=Build(
        platform=X86,
        cuda=Version("10.0"),
        cudnn=Version("6"),
        cudnn_floor=Version("7.4"),
        sass=(Architecture.parse("7.0"),),
        ptx=(Architecture.parse("7.0"),),
        evidence=("https://page.test/",),
    ),
)


def harvest(*files: File, shelf: Shelf | None = None, silent: tuple[SilentRow, ...] = ()) -> ReleaseFacts:
    """The row of a release with these files."""
    return asyncio.run(harvest_release(files[0].name, files[0].version, files, shelf or Shelf(), silent=silent))


def test_a_release_of_two_platforms() -> None:
    """Each platform gets the build of its own wheels: CUDA on x86-64, none on aarch64."""
    start = "tensorflow-2.17.1-cp312-cp312-manylinux_2_17_"
    both = recorded(f"{start}x86"), recorded(f"{start}aarch")
    row = harvest(*both)
    x86, arm = row.build(X86), row.build(Platform.LINUX_AARCH64)
    assert x86 is not None
    assert arm is not None
    assert (str(x86.cuda), arm.cuda) == ("12.3", None)
    assert x86.source == f"{both[0].filename} sha256:{both[0].sha256}"
    assert row.build(Platform.WSL) == x86
    assert row.requires_python == ">=3.9"
    assert row.uploaded is not None
    assert row.uploaded == min(file.upload_time for file in both if file.upload_time).replace(microsecond=0)
    assert row.sources == ("https://index.test/simple/tensorflow/",)
    assert [len(wheel.requires_dist or ()) for wheel in row.wheels] == [35, 36]


def test_only_wheels_that_can_have_cuda_are_read() -> None:
    """Wheels for other systems are listed with what the index says, and told apart from those that were read."""
    linux = recorded("tensorflow-2.4.0")
    others = [file_of(f"tensorflow-2.4.0-cp38-cp38-{tag}.whl", size=5) for tag in ("win32", "macosx_10_11_x86_64")]
    shelf = Shelf()
    row = harvest(linux, *others, shelf=shelf)
    assert shelf.asked == [linux.filename]
    assert {wheel.platform: wheel.requires_dist is None for wheel in row.wheels} == {
        X86: False,
        None: True,
        Platform.MACOS_X86_64: True,
    }


def test_files_that_are_no_wheels_are_left_out() -> None:
    """Source distributions and wheels without a hash cannot be locked, so they are no part of a row."""
    from dataclasses import replace

    wheel = recorded("tensorflow-2.4.0")
    archive = replace(wheel, filename="tensorflow-2.4.0.tar.gz")
    nameless = replace(file_of("tensorflow-2.4.0-cp39-cp39-manylinux2010_x86_64.whl"), sha256=None)
    assert [one.filename for one in harvest(wheel, archive, nameless).wheels] == [wheel.filename]


def test_wheels_that_say_more_or_less_of_one_build() -> None:
    """cp36 of 1.14.0 says CUDA `10`, cp37 says `10.0`: one build, from the wheel that says more by itself."""
    short, full = recorded("tensorflow_gpu-1.14.0-cp36"), recorded("tensorflow_gpu-1.14.0-cp37")
    bare = {name: data for name, data in members_of(short.filename).items() if not name.endswith(".h")}
    shelf = Shelf({short.filename: bare})
    (plain,) = harvest(short, full, shelf=shelf).builds
    assert (str(plain.cuda), plain.source.split()[0]) == ("10.0", full.filename)
    (build,) = harvest(short, full, shelf=shelf, silent=(TEN,)).builds
    assert str(build.cuda) == "10.0"
    assert build.source.startswith(full.filename)
    assert build.inferred == ("cudnn_floor", "sass", "ptx")
    assert build.evidence == ("https://page.test/",)
    assert build.unknown == ()


def test_the_header_says_what_build_info_does_not() -> None:
    """The header is read where `build_info.py` is silent, and only there; what it says is not filled in from rows."""
    silent, shelf = recorded("tensorflow_gpu-1.14.0-cp36"), Shelf()
    (build,) = harvest(silent, shelf=shelf, silent=(TEN,)).builds
    assert shelf.asked == [silent.filename] * 2
    assert (str(build.cuda), str(build.cudnn), len(build.sass)) == ("10.0", "7", 6)
    assert build.inferred == ("cudnn_floor", "ptx")
    shelf = Shelf()
    harvest(recorded("tensorflow-2.20.0"), shelf=shelf)
    assert len(shelf.asked) == 1


def test_wheels_of_different_builds_are_refused() -> None:
    """Two wheels of one platform with different CUDA cannot be told as one build, and no guess is made."""
    wheel = recorded("tensorflow-2.4.0")
    other = file_of("tensorflow-2.4.0-cp37-cp37m-manylinux2010_x86_64.whl")
    members = members_of(wheel.filename)
    info = members["tensorflow/python/platform/build_info.py"].replace(b"'11.0'", b"'11.2'")
    changed = {**members, "tensorflow/python/platform/build_info.py": info}
    with pytest.raises(IndexUnavailable, match="were built differently"):
        harvest(wheel, other, shelf=Shelf({other.filename: changed}))


def test_a_build_nothing_is_known_of() -> None:
    """1.4.1 says only that it is a CUDA build; everything else is unknown, and said to be."""
    (build,) = harvest(recorded("tensorflow_gpu-1.4.1")).builds
    assert build.is_cuda
    assert build.unknown == ("cuda", "cudnn", "cudnn_floor", "sass", "ptx")


def test_a_wheel_that_points_elsewhere() -> None:
    """2.10 to 2.15 on aarch64 hold no TensorFlow but require the distribution that does."""
    row = harvest(recorded("tensorflow-2.10.0-cp310-cp310-manylinux_2_17_aarch64"))
    assert row.builds == ()
    assert row.carrier(Platform.LINUX_AARCH64) == "tensorflow-cpu-aws"
    assert row.carrier(Platform.MACOS_ARM64) is None


def test_a_build_info_of_an_unknown_form() -> None:
    """A form that no one has seen gives no build rather than a wrong one; the requirements stand."""
    wheel = recorded("tensorflow-2.4.0")
    members = {**members_of(wheel.filename), "tensorflow/python/platform/build_info.py": b"build_info = read()\n"}
    row = harvest(wheel, shelf=Shelf({wheel.filename: members}))
    assert row.builds == ()
    assert row.wheels[0].requires_dist


def test_no_metadata() -> None:
    """A file without METADATA is no wheel."""
    wheel = recorded("tensorflow-2.4.0")
    with pytest.raises(IndexUnavailable, match="it has no METADATA"):
        harvest(wheel, shelf=Shelf({wheel.filename: {"x": b""}}))


def test_another_release() -> None:
    """A wheel whose METADATA names another release is not believed."""
    wheel = recorded("tensorflow-2.4.0")
    members = members_of(recorded("tensorflow-2.3.0").filename)
    with pytest.raises(IndexUnavailable, match=r"contains tensorflow 2\.3\.0"):
        harvest(wheel, shelf=Shelf({wheel.filename: members}))


def test_again() -> None:
    """Builds of a stored row are filled in anew: what a row said before does not stay when it is gone."""
    full = recorded("tensorflow_gpu-1.14.0-cp37")
    with_row, without = harvest(full, silent=(TEN,)), harvest(full)
    assert again(with_row, ()) == without.builds
    assert again(without, (TEN,)) == with_row.builds
    candidate = harvest(recorded("tensorflow-2.22.0rc0"))
    assert again(candidate, ()) == candidate.builds
