"""Base images: tags that were published, and what is in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.images import ImageTable

FILE = Path(__file__).parents[2] / "constraints" / "facts" / "images.toml"


@pytest.fixture(scope="module", name="images")
def table() -> ImageTable:
    return ImageTable(FILE)


def test_pythons(images: ImageTable) -> None:
    """Each CPython that a TensorFlow wheel was made for has an image; full versions, newest first."""
    assert list(images.pythons) == sorted(images.pythons, reverse=True)
    assert all(len(version.release) == 3 for version in images.pythons)
    minors = [f"{version.major}.{version.minor}" for version in images.pythons]
    assert minors == ["3.14", "3.13", "3.12", "3.11", "3.10", "3.9", "3.8", "3.7", "3.6", "3.5", "2.7"]


@pytest.mark.parametrize(
    ("python", "reference", "glibc"),
    [
        ("3.13", "docker.io/library/python:3.13.15-slim-bookworm", "2.36"),
        ("3.9.1", "docker.io/library/python:3.9.25-slim-bookworm", "2.36"),
        ("3.7", "docker.io/library/python:3.7.17-slim-bookworm", "2.36"),
        ("3.6", "docker.io/library/python:3.6.15-slim-bullseye", "2.31"),
        ("3.5", "docker.io/library/python:3.5.10-slim-buster", "2.28"),
    ],
)
def test_image_of_a_python(images: ImageTable, python: str, reference: str, glibc: str) -> None:
    """The image of a minor is found, its patch release and glibc with it."""
    row = images.python(Version(python))
    assert (row.reference, str(row.glibc)) == (reference, glibc)
    assert f":{row.python}-" in row.reference


def test_no_image_of_a_python(images: ImageTable) -> None:
    """A Python without an image is refused, and those with one are listed."""
    with pytest.raises(UsageError, match=r"no base image is known for Python 3\.4") as caught:
        images.python(Version("3.4"))
    assert "3.14, 3.13, " in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("cuda", "cudnn", "python", "tag", "version"),
    [
        ("13.0", 9, None, "13.0.0-cudnn-runtime-ubuntu24.04", "9.12.0.46"),
        ("12.9", 9, None, "12.9.1-cudnn-runtime-ubuntu24.04", "9.10.2.21"),
        ("12.9", 9, "3.10", "12.9.1-cudnn-runtime-ubuntu22.04", "9.10.2.21"),
        ("12.9", 9, "3.13", "12.9.1-cudnn-runtime-ubuntu24.04", "9.10.2.21"),
        ("12.5.1", 9, None, "12.5.1-cudnn-runtime-ubuntu22.04", "9.2.1.18"),
        ("12.3", 9, None, "12.3.2-cudnn9-runtime-ubuntu22.04", "9.0.0.312"),
        ("12.2", 8, None, "12.2.2-cudnn8-runtime-ubuntu22.04", "8.9.6.50"),
        ("11.8", 8, None, "11.8.0-cudnn8-runtime-ubuntu22.04", "8.9.6.50"),
        ("11.2", 8, "3.8.10", "11.2.2-cudnn8-runtime-ubuntu20.04", "8.1.1.33"),
        ("11.2", 8, "3.6", "11.2.2-cudnn8-runtime-ubuntu18.04", "8.1.1.33"),
        ("11.0", 8, None, "11.0.3-cudnn8-runtime-ubuntu20.04", "8.0.5.39"),
        ("10.1", 7, None, "10.1-cudnn7-runtime-ubuntu18.04", "7.6.5.32"),
        ("10.0", 7, None, "10.0-cudnn7-runtime-ubuntu18.04", "7.6.5.32"),
        ("9.0", 7, None, "9.0-cudnn7-runtime-ubuntu16.04", "7.6.4.38"),
        ("8.0", 6, None, "8.0-cudnn6-runtime-ubuntu16.04", "6.0.21"),
    ],
)
def test_image_of_a_cuda(images: ImageTable, cuda: str, cudnn: int, python: str | None, tag: str, version: str) -> None:
    """Each toolkit that a TensorFlow was built with has an image; a distribution with the wanted Python wins."""
    row = images.cuda(Version(cuda), cudnn, python=None if python is None else Version(python))
    assert row is not None
    assert (row.reference, str(row.cudnn)) == (f"docker.io/nvidia/cuda:{tag}", version)


@pytest.mark.parametrize(("cuda", "cudnn"), [("12.3", 8), ("11.2.1", 8), ("13.1.0", 9), ("7.5", 5)])
def test_no_image_of_a_cuda(images: ImageTable, cuda: str, cudnn: int) -> None:
    """A tag that is not listed is not made up: 12.3 came with cuDNN 9 only, 13.1.0 not at all."""
    assert images.cuda(Version(cuda), cudnn) is None


def test_deleted_tags_are_marked(images: ImageTable) -> None:
    """NVIDIA deleted everything before CUDA 11 from Docker Hub; nothing later is known to be gone."""
    for row in images.all:
        if row.cuda is not None:
            assert (row.deleted is not None) == (row.cuda < Version("11"))


def test_rows_agree_with_their_tags(images: ImageTable) -> None:
    """What the columns say is what the tag says; no tag stands twice; each has a source."""
    assert len({row.reference for row in images.all}) == len(images.all)
    for row in images.all:
        assert row.source.startswith("https://")
        if row.cuda is None:
            assert row.cudnn is None
            assert re.fullmatch(rf"docker\.io/library/python:{row.python}-slim-\w+", row.reference)
            continue
        assert row.cudnn is not None
        assert row.cudnn_source.startswith("https://")
        cudnn = f"cudnn({row.cudnn.major})?"
        system = row.os.replace(" ", "")
        assert re.fullmatch(rf"docker\.io/nvidia/cuda:{row.cuda}-{cudnn}-runtime-{system}", row.reference)


def test_newest_first(images: ImageTable) -> None:
    """CUDA rows descend by toolkit, cuDNN, distribution."""
    order = [
        (row.cuda, row.cudnn, Version(row.os.removeprefix("ubuntu ")))
        for row in images.all
        if row.cuda is not None and row.cudnn is not None
    ]
    assert order == sorted(order, reverse=True)


SMALL = """
[[os]]
name = "ubuntu 20.04"
glibc = "2.31"
source = "https://example.org/"
python = "3.8"
python_source = "https://example.org/"
tier = "declared"

[[cuda]]
reference = "docker.io/nvidia/cuda:11.2.2-cudnn8-runtime-ubuntu20.04"
os = "ubuntu 20.04"
cuda = "11.2.2"
cudnn = "8.1.1.33"
source = "https://example.org/"
cudnn_source = "https://example.org/"
tier = "declared"
"""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (('os = "ubuntu 20.04"', 'os = "ubuntu 2.04"'), "`cuda[0].os`: there is no `[[os]]` named `ubuntu 2.04`"),
        (('python = "3.8"', ""), "`cuda[0].os`: the `python3` of `ubuntu 20.04` is not known"),
        (('cudnn = "8.1.1.33"', 'cudnn = "eight"'), "cudnn`: Invalid version: 'eight'"),
        (('tier = "declared"', ""), "`os[0].tier`: is missing"),
        (('cuda = "11.2.2"', 'cuda = "11.2.2"\narch = "x"'), "`cuda[0].arch`: is not known; known keys are"),
    ],
)
def test_faults_of_the_file(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    """A row that is wrong is told, with the place it stands at."""
    file = tmp_path / "images.toml"
    file.write_text(SMALL.replace(*change), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        ImageTable(file)
    assert any(fault in found for found in caught.value.faults)


def test_a_small_file(tmp_path: Path) -> None:
    """The file whose faults are tried above has none as it stands."""
    file = tmp_path / "images.toml"
    file.write_text(SMALL, encoding="utf-8")
    assert [str(row.glibc) for row in ImageTable(file).all] == ["2.31"]
