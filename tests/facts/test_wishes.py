"""Requirements that ask for a GPU."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement as PackagingRequirement

from tfenv.errors import UsageError
from tfenv.facts.database import load
from tfenv.facts.wishes import of_extra, of_name, of_tensorflow
from tfenv.model.package import Requirement
from tfenv.model.target import Accelerator


@pytest.mark.parametrize(
    ("name", "cuda"),
    [
        ("onnxruntime-gpu", None),
        ("tf-nightly-gpu", None),
        ("mxnet-cu112", 11),
        ("mxnet-cu92", 9),
        ("cupy-cuda12x", 12),
        ("cupy-cuda101", 10),
        ("jax-cuda13-plugin", 13),
        ("nvidia-cudnn-cu12", 12),
        ("nvidia-cuda-runtime", None),
        ("faiss-gpu-cu12", 12),
    ],
)
def test_a_name_for_a_gpu(name: str, cuda: int | None) -> None:
    """A project whose name ends in `gpu`, or names a CUDA, is built for GPUs; three digits are a release of CUDA."""
    wish = of_name(name)
    assert wish is not None
    assert (wish.accelerator, wish.cuda) == (Accelerator.CUDA, cuda)


@pytest.mark.parametrize("name", ["torch", "tensorflow", "nvidia-ml-py", "gputil", "cudf", "custom-op", "accurate"])
def test_a_name_for_no_gpu(name: str) -> None:
    """Names that only contain such letters, and projects that bring CUDA without saying so, ask for nothing."""
    assert of_name(name) is None


def test_an_extra_is_known_by_what_it_brings() -> None:
    """The name of the extra does not matter."""
    wish = of_extra("jax", "cuda12", ["jaxlib", "jax-cuda12-plugin"])
    assert wish is not None
    assert wish.cuda == 12
    assert wish.because == "`jax[cuda12]` brings jax-cuda12-plugin, which is built for GPUs of NVIDIA"
    assert of_extra("any", "gpu", ["requests", "torch"]) is None


@pytest.mark.parametrize(
    ("asked", "accelerator"),
    [
        ("tensorflow[and-cuda]==2.13.1", Accelerator.CUDA),
        ("tensorflow-gpu<2.11", Accelerator.CUDA),
        ("tensorflow-rocm", Accelerator.ROCM),
        ("tensorflow[gcs-filesystem]", None),
        ("tensorflow-cpu", None),
        ("torch", None),
    ],
)
def test_what_a_requirement_of_tensorflow_asks_for(asked: str, accelerator: Accelerator | None) -> None:
    """By the name of the distribution, or by what the extra brings in the newest release that has it."""
    facts = load()
    wish = of_tensorflow(Requirement.of(PackagingRequirement(asked)), facts)
    assert (None if wish is None else wish.accelerator) is accelerator


def test_an_extra_that_tensorflow_never_had() -> None:
    """It is refused, because installers would ignore it."""
    facts = load()
    with pytest.raises(UsageError, match="no release of TensorFlow has an extra `cuda`"):
        of_tensorflow(Requirement.of(PackagingRequirement("tensorflow[cuda]")), facts)
