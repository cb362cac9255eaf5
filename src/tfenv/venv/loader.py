"""What an environment must do before TensorFlow is imported: set variables, and bring its CUDA libraries into sight.

TensorFlow asks the dynamic loader for names such as `libcudnn.so.9`. From 2.14 on its wheels know where some of the
CUDA wheels lie, never all (that of 2.17.1 lacks NCCL); earlier ones know of none. A library that is open already
answers to its name, so a hook opens those of the locked wheels, at the moment TensorFlow is imported and not before.
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
    """Sees TensorFlow asked for, opens the libraries, and steps aside."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "tensorflow":
            sys.meta_path.remove(cls)
            show_libdevice()
            open_libraries()
        return None


def show_libdevice():
    """Releases before 2.15 look for `libdevice` and `ptxas` where the CUDA toolkit installs them, and nowhere else."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nvidia", "cuda_nvcc")
    flags = os.environ.get("XLA_FLAGS", "")
    if os.path.isdir(os.path.join(path, "nvvm")) and "--xla_gpu_cuda_data_dir" not in flags and " " not in path:
        os.environ["XLA_FLAGS"] = (flags + " --xla_gpu_cuda_data_dir=" + path).strip()


def open_libraries():
    """In the order in which they need each other; what cannot be opened is left for TensorFlow to complain of."""
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
    """Write, change or remove the two small files that do so; returns the names of those that are there now.

    Raises:
        HostError: they cannot be written.
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
