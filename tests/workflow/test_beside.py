"""Packages such as torch, with CUDA libraries of their own, beside TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

import tfenv
from tests.support.index_server import FakeIndex
from tests.support.small_index import LINUX, small_index
from tfenv.errors import NoSolution, UsageError
from tfenv.index.source import IndexSource
from tfenv.model.builds import Build
from tfenv.model.lock import Origin, Stack
from tfenv.model.package import Name
from tfenv.model.target import Platform
from tfenv.overlay.stack import stack_of
from tfenv.store.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tfenv.model.lock import Lock

TAGS = f"py3-none-{LINUX}"


@pytest.fixture(name="index")
def _index() -> Iterator[FakeIndex]:
    """TensorFlow 2.19.1 and 2.20.0, and a torch of each kind: without, with and with newer CUDA libraries."""
    with small_index() as fake:
        fake.add_wheel("nvidia-nccl-cu12", "2.27.5", tags=TAGS)
        fake.add_wheel("nvidia-nccl-cu13", "2.30.7", tags=TAGS)
        fake.add_wheel("nvidia-cudnn-cu13", "9.26.0.51", tags=TAGS)
        fake.add_wheel("nvidia-cuda-runtime", "13.2.86", tags=TAGS)
        fake.add_wheel("torch", "1.13.1", tags=TAGS, uploaded="2022-12-15T00:00:00Z")
        cu12 = ["nvidia-nccl-cu12==2.27.5", "nvidia-cudnn-cu12==9.10.2.21"]
        fake.add_wheel("torch", "2.10.0", requires=cu12, tags=TAGS, uploaded="2026-01-20T00:00:00Z")
        cu13 = ["nvidia-nccl-cu13==2.30.7", "nvidia-cudnn-cu13==9.26.0.51", "nvidia-cuda-runtime==13.2.86"]
        fake.add_wheel("torch", "2.15.0", requires=cu13, tags=TAGS, uploaded="2026-11-01T00:00:00Z")
        yield fake


def lock(index: FakeIndex, path: Path, *requirements: str, gpus: str = "none", **extra: str) -> Lock:
    request = tfenv.Request(
        requirements=requirements, gpus=gpus, index_url=index.url, extra_index_urls=extra.get("also", ())
    )
    return tfenv.lock(request, cache=Cache(path / "cache"))


def pins(lock: Lock) -> dict[str, str]:
    return {package.name: str(package.version) for package in lock.packages}


def test_one_cuda_for_both(index: FakeIndex, tmp_path: Path) -> None:
    """A torch whose wheels would overwrite TensorFlow's cuDNN and NCCL is not taken; the stack is TensorFlow's."""
    made = lock(index, tmp_path, "torch", gpus="a100")
    found = pins(made)
    assert (found["torch"], found["nvidia-cudnn-cu12"]) == ("2.10.0", "9.10.2.21")
    assert "nvidia-cudnn-cu13" not in found
    assert made.stack == Stack(
        origin=Origin.WHEELS, cuda=Version("12.9"), cudnn=Version("9.10.2.21"), nccl=Version("2.27.5")
    )


def test_a_recent_pair_is_preferred(index: FakeIndex, tmp_path: Path) -> None:
    """Where the newest TensorFlow goes only with a torch of 2022, the one before it is taken, and the lock says so."""
    runtime = "nvidia-cuda-runtime-cu12"
    index.add_wheel("nvidia-nccl-cu12", "2.99", tags=TAGS)
    for version in ("2.19.1", "2.20.0"):
        bound = ["nvidia-nccl-cu12>=2.99"] if version == "2.20.0" else ["nvidia-nccl-cu12"]
        requires = [f"{each}; extra == 'and-cuda'" for each in (*bound, "nvidia-cudnn-cu12", runtime)]
        for python in ("cp312", "cp313"):
            tags = f"{python}-{python}-{LINUX}"
            index.add_wheel("tensorflow", version, requires=requires, extras=["and-cuda"], tags=tags)
    made = lock(index, tmp_path, "torch", gpus="a100")
    assert (pins(made)["tensorflow"], pins(made)["torch"]) == ("2.19.1", "2.10.0")
    (note,) = [note for note in made.notes if note.startswith("tensorflow held at 2.19.1")]
    assert "with tensorflow 2.20.0 only torch 1.13.1 of 2022 was found" in note
    newest = tfenv.Request(tf="2.20", requirements="torch", gpus="a100", index_url=index.url)
    assert pins(tfenv.lock(newest, cache=Cache(tmp_path / "cache")))["torch"] == "1.13.1"


def test_a_cpu_lock_says_what_cuda_costs(index: FakeIndex, tmp_path: Path) -> None:
    """The lock is one for the CPU, and names the index that has torch without CUDA."""
    made = lock(index, tmp_path, "torch")
    assert made.stack == Stack()
    assert pins(made)["torch"] == "2.15.0"
    (warning,) = [warning for warning in made.warnings if warning.startswith("torch")]
    assert "torch 2.15.0 brings 3 wheels with CUDA libraries (0.0 GB)" in warning
    assert "`--extra-index-url https://download.pytorch.org/whl/cpu/`" in warning


def test_the_build_for_the_target_is_taken(index: FakeIndex, tmp_path: Path) -> None:
    """Of builds on one index that differ in their local version, the one for the CPU or for CUDA."""
    index.add_wheel("torch", "2.15.0+cpu", tags=TAGS, uploaded="2026-11-01T00:00:00Z")
    index.add_wheel("torch", "2.15.0+cu128", tags=TAGS, uploaded="2026-11-01T00:00:00Z")
    assert pins(lock(index, tmp_path, "torch"))["torch"] == "2.15.0+cpu"
    assert pins(lock(index, tmp_path, "torch", gpus="a100"))["torch"] == "2.15.0+cu128"


def test_a_project_can_have_an_index_of_its_own(index: FakeIndex, tmp_path: Path) -> None:
    """It is asked before the others, for that project only."""
    with FakeIndex() as other:
        other.add_wheel("torch", "2.15.0+cpu", tags=TAGS)
        other.add_wheel("numpy", "9.0")
        homes = {Name("torch"): other.url}
        with IndexSource((index.url, other.url), cache=Cache(tmp_path), homes=homes) as source:
            assert [str(release.version) for release in source.releases(Name("torch"))] == ["2.15.0+cpu"]
            assert str(source.releases(Name("numpy"))[0].version) == "2.1.0"


def test_the_stack_of_a_build_that_is_not_known() -> None:
    """The lowest CUDA that wheels bring; none of a build for the CPU, and that of the system without wheels."""
    both = {Name("nvidia-cuda-runtime"): Version("13.2.86"), Name("nvidia-cuda-runtime-cu12"): Version("12.9.79")}
    assert stack_of(both, None).cuda == Version("12.9")
    assert stack_of(both, Build(platform=Platform.LINUX_X86_64)) == Stack()
    assert stack_of(both, Build(platform=Platform.LINUX_X86_64, unknown=("cuda",))).cuda == Version("12.9")


def asked(index: FakeIndex, path: Path, *requirements: str, **extra: str) -> Lock:
    request = tfenv.Request(requirements=requirements, index_url=index.url, **extra)  # type: ignore[arg-type]
    return tfenv.lock(request, cache=Cache(path / "cache"))


def test_an_extra_that_brings_cuda_is_a_wish_for_a_gpu(index: FakeIndex, tmp_path: Path) -> None:
    """The lock is for that CUDA and says why; `--gpu none` decides otherwise, and both are other requests."""
    plugin = ["jax-cuda12-plugin; extra == 'cuda12'", "typing-extensions; extra == 'cuda12'"]
    index.add_wheel("jax", "0.12.0", requires=plugin, extras=["cuda12"])
    index.add_wheel("jax-cuda12-plugin", "0.12.0", requires=["nvidia-nccl-cu12"], tags=TAGS)
    made = asked(index, tmp_path, "jax[cuda12]")
    assert (made.stack.cuda, made.target.cuda_major, made.tensorflow.name) == (Version("12.9"), 12, "tensorflow")
    assert any(note.startswith("`jax[cuda12]` brings jax-cuda12-plugin") for note in made.notes)
    without = asked(index, tmp_path, "jax[cuda12]", gpus="none")
    assert (without.stack, without.tensorflow.name) == (Stack(), "tensorflow-cpu")
    assert made.inputs != without.inputs
    assert asked(index, tmp_path, "jax").tensorflow.name == "tensorflow-cpu"


def test_a_name_for_a_gpu_is_a_wish(index: FakeIndex, tmp_path: Path) -> None:
    """A build for GPUs, but neither torch nor the CUDA libraries that a freeze lists because of torch."""
    index.add_wheel("onnxruntime-gpu", "1.23.0", tags=TAGS)
    assert asked(index, tmp_path, "onnxruntime-gpu").stack.cuda == Version("12.9")
    assert asked(index, tmp_path, "nvidia-nccl-cu12==2.27.5").stack.cuda == Version("12.9")
    freeze = asked(index, tmp_path, "torch==2.10.0", "nvidia-nccl-cu12==2.27.5", "nvidia-cudnn-cu12==9.10.2.21")
    assert (freeze.stack, freeze.tensorflow.name) == (Stack(), "tensorflow-cpu")


def test_a_wish_that_cannot_be_met_is_refused(index: FakeIndex, tmp_path: Path) -> None:
    """The reason names the requirement; nothing is locked for the CPU in its place."""
    index.add_wheel("cupy-cuda13x", "14.0", tags=TAGS)
    with pytest.raises(NoSolution, match="`cupy-cuda13x` is built for GPUs of NVIDIA, and the lock is that of `--gpu"):
        asked(index, tmp_path, "cupy-cuda13x")


@pytest.mark.parametrize("name", ["tensorflow[and-cuda]", "tensorflow-gpu", "tensorflow_gpu; sys_platform == 'linux'"])
def test_a_wish_in_the_name_of_tensorflow(index: FakeIndex, tmp_path: Path, name: str) -> None:
    """It is never answered with the build for the CPU, unless `--gpu none` says so."""
    assert asked(index, tmp_path, name).stack.cuda == Version("12.9")
    assert asked(index, tmp_path, name, gpus="none").stack == Stack()


def test_markers_decide_what_is_tensorflow(index: FakeIndex, tmp_path: Path) -> None:
    """A line for another platform bounds nothing and asks for nothing."""
    lines = ("tensorflow-macos==2.13.0; sys_platform == 'darwin'", "tensorflow<2.20; sys_platform == 'linux'")
    assert pins(asked(index, tmp_path, *lines, "tensorflow-gpu; sys_platform == 'win32'"))["tensorflow-cpu"] == "2.19.1"


@pytest.mark.parametrize("name", ["tf-nightly", "intel-tensorflow", "nvidia-tensorflow"])
def test_builds_that_no_lock_holds(index: FakeIndex, tmp_path: Path, name: str) -> None:
    """They are refused by name."""
    with pytest.raises(UsageError, match=f"`{name}` is "):
        asked(index, tmp_path, name)
