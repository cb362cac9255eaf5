"""The rows of `constraints/facts/tensorflow/`: well formed, canonical, sourced, and what the wheels say."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts import silent
from tfenv.facts.releases import HEADER, ReleaseTable, dumps, loads, minor, platform_of
from tfenv.model import tags
from tfenv.model.package import TENSORFLOW, Name
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from tfenv.facts.releases import ReleaseFacts

DIRECTORY = Path(__file__).parents[2] / "constraints" / "facts" / "tensorflow"
FILES = sorted((path for path in DIRECTORY.glob("*.toml") if path.stem != "silent"), key=lambda p: Version(p.stem))
CPU, GPU = Name("tensorflow-cpu"), Name("tensorflow-gpu")
X86, ARM = Platform.LINUX_X86_64, Platform.LINUX_AARCH64
SOURCE = re.compile(r"(\S+\.whl) sha256:([0-9a-f]{64})")


@pytest.fixture(scope="module", name="table")
def _table() -> ReleaseTable:
    return ReleaseTable(DIRECTORY)


def row(table: ReleaseTable, name: Name, version: str) -> ReleaseFacts:
    """A row that must be there."""
    found = table.release(name, Version(version))
    assert found is not None
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_canonical(path: Path) -> None:
    """Writing what was read gives the same bytes, and every row is in the file of its minor release."""
    text = path.read_text(encoding="utf-8")
    rows = loads(text, path.name)
    assert dumps(rows) == text
    assert {minor(one.version) for one in rows} == {path.stem}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_sources(path: Path) -> None:
    """Every row has a source, and every build names a wheel of its row, by hash."""
    for one in loads(path.read_text(encoding="utf-8")):
        assert one.sources
        assert one.uploaded is not None
        for build in one.builds:
            match = SOURCE.fullmatch(build.source)
            assert match is not None
            wheel = one.wheel(match[1])
            assert wheel is not None
            assert wheel.sha256 == match[2]
            assert wheel.platform is build.platform
            assert bool(build.inferred) == bool(build.evidence)
            assert not set(build.inferred) & set(build.unknown)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_wheels(path: Path) -> None:
    """Every wheel that can have CUDA was read and its requirements parse; on Linux, what has no build is a pointer."""
    for one in loads(path.read_text(encoding="utf-8")):
        assert len({wheel.filename for wheel in one.wheels}) == len(one.wheels)
        for wheel in one.wheels:
            assert wheel.platform is not None
            assert wheel.tags
            assert wheel.size
            assert re.fullmatch(r"[0-9a-f]{64}", wheel.sha256)
            read = wheel.platform.is_linux or wheel.platform is Platform.WINDOWS_X86_64
            assert (wheel.requires_dist is not None) == read
            for text in set(wheel.requires_dist or ()):
                Requirement(text)
        for platform in {wheel.platform for wheel in one.wheels if wheel.platform and wheel.platform.is_linux}:
            assert (one.build(platform) is None) == (one.carrier(platform) is not None)


def test_every_stable_release(table: ReleaseTable) -> None:
    """All stable releases since 1.4 are there, without the empty tensorflow-gpu 2.12."""
    stable = [version for version in table.versions(TENSORFLOW) if not version.is_prerelease]
    assert len(stable) >= 94
    assert stable[-1] == Version("1.4.0")
    assert stable == sorted(set(stable), reverse=True)
    assert table.versions(GPU)[0] == Version("2.11.0")
    assert len(table.versions(CPU)) >= 67
    assert table.versions(Name("nothing")) == ()


@pytest.mark.parametrize(
    ("name", "version", "cuda", "cudnn", "sass", "ptx"),
    [
        (GPU, "1.4.1", "8.0", "6", "3.0 3.5 3.7 5.2 6.0 6.1", "3.0 3.5 3.7 5.2 6.0 6.1"),
        (GPU, "1.12.0", "9.0", "7", "3.5 3.7 5.2 6.0 6.1 7.0", "3.5 3.7 5.2 6.0 6.1 7.0"),
        (GPU, "1.12.3", "9.0", "7", "3.7", "3.7"),
        (GPU, "1.13.2", "10.0", "7", "3.5 3.7 5.2 6.0 6.1 7.0", "3.5 3.7 5.2 6.0 6.1 7.0"),
        (TENSORFLOW, "1.15.0", "10.0", "7", "3.5 3.7 5.2 6.0 6.1 7.0", "3.5 3.7 5.2 6.0 6.1 7.0"),
        (TENSORFLOW, "2.3.0", "10.1", "7", "3.5 3.7 5.2 6.0 6.1 7.0", "7.0"),
        (TENSORFLOW, "2.4.4", "11.0", "8", "3.5 5.0 6.0 7.0 7.5 8.0", "8.0"),
        (TENSORFLOW, "2.10.1", "11.2", "8", "3.5 5.0 6.0 7.0 7.5 8.0", "8.0"),
        (TENSORFLOW, "2.15.1", "12.2", "8", "5.0 6.0 7.0 7.5 8.0", "8.0"),
        (TENSORFLOW, "2.16.2", "12.3", "8", "5.0 6.0 7.0 8.0 9.0", "9.0"),
        (TENSORFLOW, "2.20.0", "12.5.1", "9", "6.0 7.0 8.0 8.9 9.0", "9.0"),
    ],
)
def test_builds(table: ReleaseTable, name: Name, version: str, cuda: str, cudnn: str, sass: str, ptx: str) -> None:
    """Builds across ten years are what their wheels hold."""
    build = row(table, name, version).build(X86)
    assert build is not None
    assert (str(build.cuda), str(build.cudnn)) == (cuda, cudnn)
    assert " ".join(map(str, build.sass)) == sass
    assert " ".join(map(str, build.ptx)) == ptx


def test_cpu_builds(table: ReleaseTable) -> None:
    """`tensorflow` below 1.15, patches of 1.15, 2.0, aarch64 and `tensorflow-cpu` are CPU builds."""
    for name, version, platform in [
        (TENSORFLOW, "1.13.1", X86),
        (TENSORFLOW, "1.15.5", X86),
        (TENSORFLOW, "2.0.4", X86),
        (TENSORFLOW, "2.17.1", ARM),
        (CPU, "2.20.0", X86),
        (Name("tensorflow-cpu-aws"), "2.15.1", ARM),
    ]:
        build = row(table, name, version).build(platform)
        assert build is not None
        assert not build.is_cuda


def test_every_cuda_build_is_known(table: ReleaseTable) -> None:
    """CUDA, cuDNN and architectures of every CUDA build are known; only the lowest cuDNN is not, up to 1.12.

    Builds for Windows tell no architectures before 2.3, and nothing tells the lowest cuDNN of those from 2.1 on.
    """
    for one in table:
        for build in one.builds:
            if build.is_cuda:
                windows = build.platform is Platform.WINDOWS_X86_64
                floor = one.version < Version("1.13") or (windows and one.version >= Version("2.1"))
                expected = (*(["cudnn_floor"] * floor), *(["sass", "ptx"] * (windows and one.version < Version("2.3"))))
                assert build.unknown == expected
                assert set(build.ptx) <= set(build.sass)
                assert set(build.partial) <= set(build.ptx)


def test_partial_machine_code(table: ReleaseTable) -> None:
    """Most kernels of 2.20 have no machine code for 9.0, those of 2.4 have it for all that they list."""
    new, old = row(table, TENSORFLOW, "2.20.0").build(X86), row(table, TENSORFLOW, "2.4.4").build(X86)
    assert new is not None
    assert old is not None
    assert [str(architecture) for architecture in new.partial] == ["9.0"]
    assert [kind.count for kind in new.kernels] == [1149, 283]
    assert [str(architecture) for architecture in new.kernels[0].ptx] == ["9.0a"]
    assert old.partial == ()


def test_carrier(table: ReleaseTable) -> None:
    """The aarch64 wheels of 2.10 to 2.15 point to tensorflow-cpu-aws, of which there is a row."""
    for version in table.versions(TENSORFLOW):
        if Version("2.10") <= version < Version("2.16") and str(version) != "2.15.0.post1":
            carrier = row(table, TENSORFLOW, str(version)).carrier(ARM)
            assert carrier == "tensorflow-cpu-aws"
            assert row(table, carrier, str(version)).build(ARM) is not None


def test_silent_rows_fire(table: ReleaseTable) -> None:
    """Every row of silent.toml fills a field of at least one known build, and of none that says it itself."""
    builds = [(one.version, build) for one in table for build in one.builds if build.is_cuda]
    for rule in silent.load(DIRECTORY / "silent.toml"):
        met = [build for version, build in builds if rule.versions.contains(version, prereleases=True)]
        assert any(set(rule.build.evidence) <= set(build.evidence) for build in met), rule
        assert len(met) < len(builds)


def test_one_file_is_read(tmp_path: Path) -> None:
    """Asking for a release reads the file of its minor release and no other."""
    (tmp_path / "2.17.toml").write_text((DIRECTORY / "2.17.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "2.16.toml").write_text("no TOML at all", encoding="utf-8")
    table = ReleaseTable(tmp_path)
    assert row(table, TENSORFLOW, "2.17.1").version == Version("2.17.1")
    assert table.release(TENSORFLOW, Version("2.17.9")) is None
    assert table.release(TENSORFLOW, Version("3.0")) is None
    with pytest.raises(UsageError, match=r"2\.16\.toml"):
        table.release(TENSORFLOW, Version("2.16.1"))


def test_fast() -> None:
    """The largest file loads fast enough for a single question (best of five, a slow machine included)."""
    largest = max(FILES, key=lambda path: path.stat().st_size).read_text(encoding="utf-8")
    times = []
    for _ in range(5):
        start = time.perf_counter()
        loads(largest)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1
    assert sum(path.stat().st_size for path in DIRECTORY.glob("*.toml")) < 1_500_000


@pytest.mark.parametrize(
    ("tag", "platform"),
    [
        ("manylinux_2_27_x86_64", X86),
        ("manylinux_2_17_aarch64.manylinux2014_aarch64", ARM),
        ("linux_x86_64", X86),
        ("win_amd64", Platform.WINDOWS_X86_64),
        ("macosx_12_0_arm64", Platform.MACOS_ARM64),
        ("macosx_10_6_intel.macosx_10_9_intel", Platform.MACOS_X86_64),
        ("win32", None),
        ("manylinux2014_ppc64le", None),
    ],
)
def test_platform_of(tag: str, platform: Platform | None) -> None:
    """The platform of a wheel follows from its filename."""
    assert platform_of(f"tensorflow-2.0.0-cp37-cp37m-{tag}.whl") is platform


SMALL = (
    HEADER
    + """
[[release]]
name = "tensorflow"
version = "9.1.0"
tier = "declared"
sources = ["https://index.test/simple/tensorflow/"]

[[release.build]]
platform = "linux-x86_64"
source = "a.whl"
unknown = ["cuda"]

[[release.wheels]]
requires-python = ">=3.9"
yanked = "broken \\"badly\\""
requires-dist = [
  "numpy",
]
files = [
  "tensorflow-9.1.0-cp39-cp39-manylinux2010_x86_64.whl ? 0a",
]

[[release.wheels]]
read = false  # METADATA and build not looked at
files = [
  "tensorflow-9.1.0-cp39-cp39-win_amd64.whl 7 0b",
]
"""
)


def test_what_the_index_does_not_say() -> None:
    """Upload time, size and Python may be missing; reasons for yanking keep their quotes."""
    rows = loads(SMALL)
    assert dumps(rows) == SMALL
    (one,) = rows
    assert one.uploaded is None
    assert one.requires_python == ">=3.9"
    assert [(wheel.size, wheel.yanked) for wheel in one.wheels] == [(None, 'broken "badly"'), (7, None)]
    assert [(wheel.python, wheel.platform_tag) for wheel in one.wheels] == [
        ("cp39", "manylinux2010_x86_64"),
        ("cp39", "win_amd64"),
    ]
    assert one.wheel("other.whl") is None
    assert one.builds[0].is_cuda


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('version = "9.1.0"', 'version = "nine"', "nine"),
        ('tier = "declared"', "", r"`release\[0\]\.tier`: is missing"),
        ('platform = "linux-x86_64"', 'platform = "amiga"', "amiga"),
        ('tier = "declared"', 'tier = "declared"\nuploaded = 2024-01-01', "uploaded"),
        (" 7 0b", " 7", "not the name, the size and the SHA-256"),
        ("[[release]]", "[[release", r"<text>"),
    ],
)
def test_faults(old: str, new: str, fault: str) -> None:
    """A damaged row is an error that names it."""
    with pytest.raises(UsageError, match=fault):
        loads(SMALL.replace(old, new, 1))


def test_told_twice() -> None:
    """The same release twice in a file is an error."""
    with pytest.raises(UsageError, match=r"`tensorflow 9\.1\.0` has a row already"):
        loads(SMALL + SMALL)


def test_order() -> None:
    """Rows are ordered as versions, not as text."""
    rows = [*loads(SMALL.replace("9.1.0", "9.1.10")), *loads(SMALL.replace("9.1.0", "9.1.9"))]
    assert [str(one.version) for one in loads(dumps(rows))] == ["9.1.9", "9.1.10"]


def test_symbols_are_those_that_readelf_shows(table: ReleaseTable) -> None:
    """What the rows say of glibc and libstdc++ is what every library of the wheel asks for, read with another tool."""
    wheels = tomllib.loads((Path(__file__).parent / "wheel_symbols.toml").read_text(encoding="utf-8"))["wheel"]
    assert len(wheels) >= 20
    for wheel in wheels:
        name, version, *_ = wheel["filename"].split("-")
        known = row(table, Name(name.replace("_", "-")), version).wheel(wheel["filename"])
        assert known is not None
        assert (str(known.glibc), str(known.glibcxx)) == (wheel["glibc"], wheel["glibcxx"]), wheel["filename"]


def test_glibc_of_wheels(table: ReleaseTable) -> None:
    """No wheel with the tag manylinux1 keeps to it; from 1.15 on symbols bear the tag out where they were read."""
    for release in table:
        for wheel in release.wheels:
            if wheel.glibc is None or wheel.platform is not X86:
                continue
            if wheel.platform_tag.startswith("manylinux1_"):
                newer = wheel.python == "cp37" and str(release.version) in ("1.13.1", "1.13.2", "1.14.0")
                assert str(wheel.needs_glibc) == ("2.23" if newer else "2.17"), wheel.filename
            else:
                assert wheel.needs_glibc == tags.glibc(wheel.tags), wheel.filename
