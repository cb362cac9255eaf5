"""What published images hold: pages read by hand, references in every spelling, and what `check` makes of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.contents import ContentsTable, split
from tfenv.facts.database import load
from tfenv.inputs.dockerfile import of_image
from tfenv.model.target import Platform

IMAGES = load().images
PAGES = tomllib.loads((Path(__file__).parent / "image_pages.toml").read_text(encoding="utf-8"))["image"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page["reference"]))
def test_pages_read_by_hand(page: dict[str, Any]) -> None:
    """The rows say what the page says, as far as both say something; one of them may be more exact."""
    contents = IMAGES.contents.of(page["reference"])
    assert contents is not None
    if "os" in page:
        assert contents.os == page["os"]
    if "without" in page:
        assert contents.cudnn is None
    for column in ("python", "tensorflow", "cuda", "cudnn", "driver"):
        if column in page and (known := getattr(contents, column)) is not None:
            said = Version(page[column])
            shared = min(len(said.release), len(known.release))
            assert said.release[:shared] == known.release[:shared], column
    assert contents.sources


def test_there_are_enough() -> None:
    """Tags that are listed one by one, and pages that were read."""
    assert len(IMAGES.contents.tags) >= 300
    assert len(PAGES) >= 20
    assert all(
        contents is not None and (contents.os is None or contents.os in IMAGES.glibc)
        for contents in map(IMAGES.contents.of, IMAGES.contents.tags)
    )


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("python", ("docker.io/library/python", "latest")),
        ("python:3.12@sha256:abc", ("docker.io/library/python", "3.12")),
        ("nvidia/cuda:12.4.1", ("docker.io/nvidia/cuda", "12.4.1")),
        ("docker.io/nvidia/cuda:12.4.1", ("docker.io/nvidia/cuda", "12.4.1")),
        ("localhost:5000/a/b", ("localhost:5000/a/b", "latest")),
        ("nvcr.io/nvidia/tensorflow:24.02-tf2-py3", ("nvcr.io/nvidia/tensorflow", "24.02-tf2-py3")),
    ],
)
def test_references(reference: str, expected: tuple[str, str]) -> None:
    """What Docker leaves out is added."""
    assert split(reference) == expected


def test_tags_that_are_matched() -> None:
    """A pattern gives what stands in the tag, and rules for days hold for their days."""
    jupyter = "quay.io/jupyter/tensorflow-notebook"
    day = IMAGES.contents.of(f"{jupyter}:2024-10-01")
    assert day is not None
    assert (day.os, str(day.python), day.distribution) == ("ubuntu 24.04", "3.11", "tensorflow-cpu")
    assert IMAGES.contents.of(f"{jupyter}:2020-01-01") is None
    python = IMAGES.contents.of("python:3.9.1-slim-buster")
    assert python is not None
    assert (str(python.python), python.os) == ("3.9.1", "debian 10")
    assert IMAGES.contents.of("example.org/some/thing:1") is None


def test_images_of_a_dockerfile() -> None:
    """The image gives Python, CUDA, cuDNN and glibc; a vendor's own TensorFlow is not one of the published wheels."""
    cuda = of_image("nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04", IMAGES)
    assert (str(cuda.cuda), str(cuda.cudnn), str(cuda.machine.glibc)) == ("12.4", "9.1.0.70", "2.35")
    own = of_image("nvcr.io/nvidia/tensorflow:20.03-tf2-py3", IMAGES)
    assert (own.tf, own.cuda, str(own.machine.python), own.machine.platform) == (
        None,
        None,
        "3.6",
        Platform.LINUX_X86_64,
    )
    assert of_image("python:3.12-alpine3.20", IMAGES).machine.foreign == "Alpine Linux (musl)"
    gpu = of_image("tensorflow/tensorflow:1.4.0-gpu", IMAGES)
    assert (gpu.tf, gpu.accelerated, str(gpu.version_of("tensorflow-gpu"))) == ("1.4.0", True, "1.4.0")


def test_a_row_without_tags(tmp_path: Path) -> None:
    """A row that says of which images it is not is a fault, and so is a pattern that cannot be read."""
    file = tmp_path / "contents.toml"
    row = '[[contents]]\nrepository = "docker.io/library/a"\nsource = "https://page.test/"\ntier = "declared"\n'
    file.write_text(row + row + 'pattern = "("\n', encoding="utf-8")
    with pytest.raises(UsageError) as error:
        ContentsTable(file)
    assert len(error.value.faults) >= 2
