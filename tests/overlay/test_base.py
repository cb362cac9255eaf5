"""Base images: CUDA in the image wherever no wheels bring it, and a word where such an image cannot be had."""

from __future__ import annotations

import pytest
from packaging.version import Version

from tfenv.facts.database import load
from tfenv.model.lock import Origin, Stack
from tfenv.model.target import Platform
from tfenv.overlay.base import base_of, base_warnings

IMAGES = load().images
LINUX = Platform.LINUX_X86_64


def system(cuda: str, cudnn: str) -> Stack:
    return Stack(origin=Origin.SYSTEM, cuda=Version(cuda), cudnn=Version(cudnn))


@pytest.mark.parametrize("stack", [Stack(), Stack(origin=Origin.WHEELS, cuda=Version("11.8"), cudnn=Version("8.6"))])
def test_image_of_python_where_nothing_is_left_to_the_system(stack: Stack) -> None:
    """A lock for the CPU, or with CUDA from wheels, starts from an image of its Python, and nothing is to be said."""
    row = base_of(IMAGES, LINUX, Version("3.10"), stack)
    assert row is not None
    assert row.reference.startswith("docker.io/library/python:3.10.")
    assert base_warnings(row, LINUX, Version("3.10"), stack) == ()


@pytest.mark.parametrize(
    ("cuda", "cudnn", "python", "reference"),
    [
        ("11.0", "8", "3.8", "docker.io/nvidia/cuda:11.0.3-cudnn8-runtime-ubuntu20.04"),
        ("11.0", "8", "3.6", "docker.io/nvidia/cuda:11.0.3-cudnn8-runtime-ubuntu18.04"),
        ("10.1", "7", "3.6", "docker.io/nvidia/cuda:10.1-cudnn7-runtime-ubuntu18.04"),
        ("10.0", "7.4", "3.6", "docker.io/nvidia/cuda:10.0-cudnn7-runtime-ubuntu18.04"),
        ("9.0", "7", "3.6", "docker.io/nvidia/cuda:9.0-cudnn7-runtime-ubuntu16.04"),
        ("8.0", "6", "3.6", "docker.io/nvidia/cuda:8.0-cudnn6-runtime-ubuntu16.04"),
    ],
)
def test_image_of_cuda_where_no_wheels_bring_it(cuda: str, cudnn: str, python: str, reference: str) -> None:
    """The CUDA and cuDNN that the build was made with, and the Python if its distribution has it."""
    row = base_of(IMAGES, LINUX, Version(python), system(cuda, cudnn))
    assert row is not None
    assert row.reference == reference


def test_image_that_can_be_pulled() -> None:
    """Of CUDA 11.0 the image is there; all that is said is where CUDA comes from."""
    stack, python = system("11.0", "8"), Version("3.8")
    (said,) = base_warnings(base_of(IMAGES, LINUX, python, stack), LINUX, python, stack)
    assert said.startswith("no wheels bring CUDA 11.0 and cuDNN 8")


def test_image_that_is_gone() -> None:
    """Images before 11.0 were deleted, and the oldest have no Python 3.6: both are said, with the way out."""
    stack, python = system("9.0", "7"), Version("3.6")
    _, deleted, other = base_warnings(base_of(IMAGES, LINUX, python, stack), LINUX, python, stack)
    assert "can no longer be pulled" in deleted
    assert "environment.yml" in deleted
    assert "ubuntu 16.04" in other


@pytest.mark.parametrize(
    "stack", [system("10", "7"), system("7.5", "5"), Stack(origin=Origin.SYSTEM, cuda=Version("10.0"))]
)
def test_no_image_rather_than_one_without_cuda(stack: Stack) -> None:
    """Where the right one is not known there is none: an image of Python would silently run on the CPU."""
    assert base_of(IMAGES, LINUX, Version("3.6"), stack) is None
    (said,) = base_warnings(None, LINUX, Version("3.6"), stack)
    assert "no base image" in said


def test_no_image_off_linux() -> None:
    """Windows has none; CUDA 11.2 must be on the machine, or come from conda."""
    stack = system("11.2", "8")
    assert base_of(IMAGES, Platform.WINDOWS_X86_64, Version("3.10"), stack) is None
    (said,) = base_warnings(None, Platform.WINDOWS_X86_64, Version("3.10"), stack)
    assert "environment.yml" in said
