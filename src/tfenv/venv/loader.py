"""Preparation of an environment for the import of TensorFlow: variables, and a hook that opens the CUDA libraries.

TensorFlow asks the dynamic loader for names such as `libcudnn.so.9`. From 2.14 on, its wheels know the folders of some
CUDA wheels, but never of all (2.17.1 lacks NCCL); earlier ones know none. The loader finds a library by its name if it
is open already, so a hook opens the libraries of the locked wheels just before TensorFlow is imported.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tfenv.model.lock import Origin
from tfenv.store import files

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.model.lock import Lock

_PTH = "_tfenv.pth"
_MODULE = "_tfenv_loader.py"

_HOOK = '''\
"""Written by tfenv: opens the CUDA libraries of this environment when TensorFlow is imported."""

import glob
import os
import sys

NAMES = (
    "cudart", "nvJitLink", "cublasLt", "cublas", "cufft", "curand", "cusparse", "cusolver", "cudnn", "nccl", "nvrtc",
    "cupti",
)


class Finder:
    """Opens the libraries when TensorFlow is imported, then removes itself."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "tensorflow":
            sys.meta_path.remove(cls)
            show_libdevice()
            open_libraries()
        return None


def show_libdevice():
    """Set XLA_FLAGS: releases before 2.15 search `libdevice` and `ptxas` only where the CUDA toolkit installs them."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nvidia", "cuda_nvcc")
    flags = os.environ.get("XLA_FLAGS", "")
    if os.path.isdir(os.path.join(path, "nvvm")) and "--xla_gpu_cuda_data_dir" not in flags and " " not in path:
        os.environ["XLA_FLAGS"] = (flags + " --xla_gpu_cuda_data_dir=" + path).strip()


def open_libraries():
    """Open the libraries in the order of their dependencies; TensorFlow reports those that cannot be opened."""
    import ctypes

    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nvidia")
    for name in NAMES:
        for path in sorted(glob.glob(os.path.join(glob.escape(root), "*", "lib", "lib" + name + ".so*"))):
            try:
                ctypes.CDLL(path)
            except OSError:
                pass


sys.meta_path.insert(0, Finder)
'''


def write(lock: Lock, site_packages: Path) -> tuple[str, ...]:
    """Write, update or remove the two files that do this; returns the names of those that exist now.

    Raises:
        HostError: a file cannot be written.
    """
    preload = lock.stack.origin is Origin.WHEELS and lock.target.platform.is_linux
    lines = []
    if lock.environment:
        pairs = "; ".join(
            f"os.environ.setdefault({json.dumps(name)}, {json.dumps(value)})" for name, value in lock.environment
        )
        lines.append(f"import os; {pairs}")
    if preload:
        lines.append(f"import {_MODULE.removesuffix('.py')}")
    texts = {_PTH: "".join(f"{line}\n" for line in lines), _MODULE: _HOOK if preload else ""}
    for name, text in texts.items():
        path = site_packages / name
        if not text:
            with files.writing(path):
                path.unlink(missing_ok=True)
            continue
        with files.whole(path) as out:
            out.write(text.encode())
    return tuple(name for name, text in texts.items() if text)
