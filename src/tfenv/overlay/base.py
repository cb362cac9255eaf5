"""Which image a lock starts from: one of Python, or, where no wheels bring CUDA, one that has CUDA and cuDNN. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.model.lock import Origin

if TYPE_CHECKING:
    from tfenv.facts.images import ImageRow, ImageTable
    from tfenv.model.lock import Stack
    from tfenv.model.target import Platform

AMD_IMAGES = (
    "https://rocm.docs.amd.com/projects/install-on-linux/en/docs-6.0.2/how-to/3rd-party/tensorflow-install.html"
)


def base_of(images: ImageTable, platform: Platform, python: Version, stack: Stack) -> ImageRow | None:
    """The image; ``None`` off Linux, and where no image is known that has the CUDA the stack leaves to the system.

    An image without CUDA would build, and its TensorFlow would silently run on the CPU.

    Args:
        images: that are known.
        platform: of the lock.
        python: that was chosen.
        stack: of the lock.

    Raises:
        UsageError: no image of that Python is known.
    """
    if not platform.is_linux:
        return None
    if stack.origin is not Origin.SYSTEM:
        return images.python(python)
    if stack.cuda is None or stack.cudnn is None or len(stack.cuda.release) < 2:
        return None
    toolkit = Version(f"{stack.cuda.major}.{stack.cuda.minor}")
    return images.cuda(toolkit, stack.cudnn.major, python=python)


def base_warnings(row: ImageRow | None, platform: Platform, python: Version, stack: Stack) -> tuple[str, ...]:
    """One line each: where the CUDA libraries must come from if no wheels bring them, and what keeps them away."""
    if stack.origin is not Origin.SYSTEM:
        return ()
    if stack.rocm is not None:
        rocm = f"ROCm {stack.rocm.major}.{stack.rocm.minor}"
        images = f"AMD's own are `rocm/tensorflow`, {AMD_IMAGES}"
        return (f"no wheels bring {rocm}: install it, or name an image that has it with `--base-image` ({images})",)
    libraries = f"CUDA {stack.cuda} and cuDNN {stack.cudnn}"
    if not platform.is_linux:
        return (f"no wheels bring {libraries}: install them on the machine, or take `environment.yml`",)
    if row is None:
        return (f"no wheels bring {libraries}, and no base image with them is known: take `environment.yml`",)
    found = [f"no wheels bring {libraries}: they come with the base image or, in `environment.yml`, from conda"]
    if row.deleted is not None:
        found.append(
            f"the base image {row.reference} can no longer be pulled ({row.deleted}): take `environment.yml`, or name "
            "a copy with `--base-image`"
        )
    if row.python.release[:2] != python.release[:2]:
        wanted = f"{python.major}.{python.minor}"
        found.append(f"the python3 of the base image ({row.os}) is {row.python}: it has to offer python{wanted} too")
    return tuple(found)
