"""`cudnn.toml`: what it says, and what its loader refuses."""

from __future__ import annotations

import asyncio
import re
import struct
from pathlib import Path

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.cudnn import Cudnn, CudnnTable
from tfenv.model.hardware import ComputeCapability

FILE = Path(__file__).parents[2] / "constraints" / "facts" / "cudnn.toml"

KEPLER, P100, V100, T4, A100, A10G, H100, B200, RTX_5090 = map(
    ComputeCapability.parse, ("3.7", "6.0", "7.0", "7.5", "8.0", "8.6", "9.0", "10.0", "12.0")
)


@pytest.fixture(scope="module", name="cudnn")
def table() -> CudnnTable:
    return CudnnTable(FILE)


def row(cudnn: CudnnTable, version: str, cuda: int) -> Cudnn:
    found = cudnn.row(Version(version), cuda)
    assert found is not None, (version, cuda)
    return found


@pytest.mark.parametrize(
    ("version", "cuda", "expected"),
    [
        ("8.6.0.163", 11, "3.5 5.0 6.0 6.1 7.0 7.5 8.0 8.6 9.0"),
        ("8.9.7.29", 12, "5.0 6.0 6.1 7.0 7.5 8.0 8.6 9.0"),
        ("9.3.0.75", 12, "5.0 6.0 6.1 7.0 7.5 8.0 8.6 9.0"),
        ("9.10.2.21", 12, "5.0 6.0 6.1 7.0 8.0 9.0a 10.0 12.0"),
        ("9.11.0.98", 12, "7.5 8.0 9.0a 10.0 12.0"),
        ("9.28.0.42", 12, "7.5 8.0 9.0a 10.0 12.0"),
        ("9.10.2.21", 11, "5.0 6.0 6.1 7.0 8.0 9.0"),
        ("9.12.0.46", 13, "7.5 8.0 9.0a 10.0 12.0"),
    ],
)
def test_machine_code(cudnn: CudnnTable, version: str, cuda: int, expected: str) -> None:
    """As `cuobjdump --list-elf` prints it for the `libcudnn_ops` of these wheels."""
    assert [str(one) for one in row(cudnn, version, cuda).sass] == expected.split()


@pytest.mark.parametrize(
    ("gpu", "cuda", "last", "first_without"),
    [
        (KEPLER, 11, "8.7.0.84", "8.8.0.121"),
        (P100, 12, "9.10.2.21", "9.11.0.98"),
        (V100, 12, "9.10.2.21", "9.11.0.98"),
    ],
)
def test_where_a_gpu_is_dropped(
    cudnn: CudnnTable, gpu: ComputeCapability, cuda: int, last: str, first_without: str
) -> None:
    """The last release that serves a GPU, and the first that does not: found by opening every wheel between."""
    assert row(cudnn, last, cuda).runs_on(gpu)
    assert not row(cudnn, first_without, cuda).runs_on(gpu)


@pytest.mark.parametrize("gpu", [B200, RTX_5090])
def test_where_blackwell_begins(cudnn: CudnnTable, gpu: ComputeCapability) -> None:
    """Machine code for Blackwell begins with 9.7; before it there is PTX of 9.0."""
    before, after = row(cudnn, "9.6.0.74", 12), row(cudnn, "9.7.0.66", 12)
    assert not any(one.sass_runs_on(gpu) for one in before.sass)
    assert before.runs_on(gpu)
    assert any(one.sass_runs_on(gpu) for one in after.sass)


@pytest.mark.parametrize("gpu", [T4, A100, A10G, H100])
def test_gpus_that_every_release_for_cuda_12_serves(cudnn: CudnnTable, gpu: ComputeCapability) -> None:
    """From Turing to Hopper nothing was lost."""
    for one in cudnn.all:
        if one.cuda_major == 12:
            assert one.runs_on(gpu), one.versions


def test_ptx_serves_only_newer_gpus(cudnn: CudnnTable) -> None:
    """PTX for 12.0f is bound to its family: it does not bring back what was dropped."""
    newest = row(cudnn, "9.28.0.42", 12)
    assert [str(one) for one in newest.ptx] == ["12.0f"]
    assert not newest.runs_on(V100)
    assert newest.runs_on(RTX_5090)


def test_known_bad(cudnn: CudnnTable) -> None:
    """9.5.x is reported to fail, its neighbours are not."""
    for version in ("9.5.0.50", "9.5.1.17"):
        bad = row(cudnn, version, 12).known_bad
        assert bad is not None
        assert T4 in bad.capabilities
        assert bad.source.endswith("/6418")
    for version in ("9.4.0.58", "9.6.0.74", "9.24.0.43"):
        assert row(cudnn, version, 12).known_bad is None


def test_cuda_majors_of_a_release(cudnn: CudnnTable) -> None:
    """A release is published for several majors of CUDA, each in a wheel of its own."""
    assert row(cudnn, "9.10.2.21", 12).cuda_majors == (11, 12)
    assert row(cudnn, "9.12.0.46", 12).cuda_majors == (12, 13)
    assert row(cudnn, "7.6.5", 10).cuda_majors == (9, 10)
    assert row(cudnn, "9.10.2.21", 11).wheel == "nvidia-cudnn-cu11"


@pytest.mark.parametrize(
    ("version", "cuda"),
    [("9.29.0.1", 12), ("10.0.0.1", 13), ("9.10.2.21", 10), ("9.11.0.98", 11), ("8.9.7.29", 13), ("4.0.7", 7)],
)
def test_unknown(cudnn: CudnnTable, version: str, cuda: int) -> None:
    """What is newer than every known release, or not published for that major, is not guessed at."""
    assert cudnn.row(Version(version), cuda) is None


def test_development_builds_are_like_their_release(cudnn: CudnnTable) -> None:
    """PyPI has builds such as 9.25.0.15.dev58388748; they fall into the range of their release."""
    assert row(cudnn, "9.25.0.15.dev58388748", 12).versions == row(cudnn, "9.25.0.15", 12).versions


def test_ranges_leave_no_gap(cudnn: CudnnTable) -> None:
    """Between the oldest and the newest release for a major, every release is in exactly one range."""
    for cuda in (9, 10, 11, 12, 13):
        rows = [one for one in cudnn.all if one.cuda_major == cuda]
        for version in sorted(release for one in rows for release in one.releases):
            assert [one for one in rows if one.versions.contains(version)] == [
                one for one in rows if version in one.releases
            ]


def test_sonames(cudnn: CudnnTable) -> None:
    """The soname holds the major of cuDNN."""
    for one in cudnn.all:
        major = one.releases[0].major
        assert (one.soname, one.windows) == (f"libcudnn.so.{major}", f"cudnn64_{major}.dll")


def test_every_source_can_be_followed(cudnn: CudnnTable) -> None:
    """A row of a wheel names its oldest and newest file with their hashes, another row gives a page or a file."""
    for one in cudnn.all:
        hashes = re.findall(r"\S+\.whl sha256:[0-9a-f]{64}", one.source)
        if one.wheel is None:
            assert hashes or one.source.startswith("https://")
        else:
            ends = {one.releases[0], one.releases[-1]}
            assert {Version(cited.split("-")[1]) for cited in hashes} == ends


ROW = """
[[cudnn]]
versions = "{versions}"
cuda = {cuda}
sass = ["7.0"]
soname = "libcudnn.so.9"
releases = {releases}
source = "https://example.org"
tier = "declared"
"""
BAD = '[[known_bad]]\nversions = "{versions}"\nreason = "a"\nsource = "https://example.org"\ntier = "gpu"\n'


def faults(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "cudnn.toml"
    path.write_text(text, encoding="utf-8")
    try:
        CudnnTable(path)
    except UsageError as error:
        return error.faults
    return ()


def test_a_good_table_loads(tmp_path: Path) -> None:
    """The same release may stand in a row for each major of CUDA; a report needs no capabilities."""
    text = (
        ROW.format(versions=">=9,<9.2", cuda=11, releases='["9.0.1", "9.1.1"]')
        + ROW.format(versions=">=9,<9.2", cuda=12, releases='["9.0.1", "9.1.1"]')
        + BAD.format(versions="==9.1.*")
    )
    assert faults(tmp_path, text) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            ROW.format(versions=">=9,<9.2", cuda=12, releases="[]"),
            "`cudnn[0].releases`: a range must match at least one release",
        ),
        (
            ROW.format(versions=">=9,<9.2", cuda=12, releases='["9.2.1"]'),
            "`cudnn[0].releases`: 9.2.1 is not in `<9.2,>=9`",
        ),
        (
            ROW.format(versions=">=9,<9.2", cuda=12, releases='["9.1.1"]')
            + ROW.format(versions=">=9.1,<9.3", cuda=12, releases='["9.2.1"]'),
            "`cudnn[0].versions`: another row for CUDA 12 holds 9.1.1 too",
        ),
        (
            ROW.format(versions=">=9,<9.2", cuda=12, releases='["9.1.1"]') + BAD.format(versions="==9.5.*"),
            "`known_bad[0].versions`: `==9.5.*` matches no release of this file",
        ),
        (
            ROW.format(versions=">=9,<9.2", cuda=12, releases='["9.1.1"]').replace('"7.0"', ""),
            "`cudnn[0].sass`: empty, and `ptx` too",
        ),
    ],
)
def test_what_the_loader_refuses(tmp_path: Path, text: str, expected: str) -> None:
    """Rows that contradict each other, or match nothing, are named."""
    assert faults(tmp_path, text) == (expected,)


@pytest.mark.index
@pytest.mark.parametrize("version", ["9.10.2.21", "9.28.0.42"])
def test_published_library_holds_what_the_row_says(cudnn: CudnnTable, version: str, tmp_path: Path) -> None:
    """The fat binaries of `libcudnn_ops`, read out of the wheel where it is published (70 MB of its 700)."""
    from tfenv.index.source import IndexSource
    from tfenv.model.package import File, normalize
    from tfenv.store.cache import Cache

    known = row(cudnn, version, 12)
    with IndexSource(("https://pypi.org/simple/",), cache=Cache(tmp_path)) as source:
        (file,) = (
            file
            for release in source.releases(normalize("nvidia-cudnn-cu12"))
            if release.version == Version(version)
            for file in release.files
            if file.filename.endswith("x86_64.whl")
        )

        async def library(file: File) -> bytes:
            async with source.wheel(file) as archive:
                return await archive.read("nvidia/cudnn/lib/libcudnn_ops.so.9", limit=2**28)

        assert machine_code(asyncio.run(library(file))) == {str(one) for one in known.sass}


def machine_code(library: bytes) -> set[str]:
    """Architectures of the cubins in a library: after each fat binary's header come entries, each with its own."""
    found = set()
    at = 0
    while (at := library.find(b"\x50\xed\x55\xba\x01\x00\x10\x00", at)) >= 0:
        (size,) = struct.unpack_from("<Q", library, at + 8)
        entry, end = at + 16, at + 16 + size
        while entry < end:
            kind, _, header, payload = struct.unpack_from("<HHIQ", library, entry)
            (architecture,) = struct.unpack_from("<I", library, entry + 28)
            (flags,) = struct.unpack_from("<Q", library, entry + 40)
            if kind == 2:  # ELF; 1 is PTX
                found.add(f"{architecture // 10}.{architecture % 10}{'a' if flags & 0x100000 else ''}")
            entry += header + payload
        at = end
    return found
