"""A lock as `environment.yml`: conda installs Python (and CUDA if no wheels bring it), pip the rest by hash.

conda writes the lines of the `pip` list into a requirements file for pip, so options and hashes take effect (one hash
makes pip require one on every line):
https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html#create-env-file-manually
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.model.lock import Origin
from tfenv.outputs.lines import hashed, index_options, without_credentials
from tfenv.store.heading import FIRST_LINE

if TYPE_CHECKING:
    from tfenv.model.lock import Lock, Stack

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.=+!-]*=[A-Za-z0-9_.=+!-]*( --hash=sha256:[0-9a-f]{64})?")
"""strings that YAML reads as strings without quotes: a name, an equals sign and a version, perhaps a hash"""

_FIRST_ON_CONDA_FORGE = Version("9.2")
"""oldest `cudatoolkit` of conda-forge; the channel `main` of Anaconda also has 8.0 and 9.0, each with cuDNN 7.

Sources: https://anaconda.org/conda-forge/cudatoolkit/files, https://anaconda.org/main/cudnn/files
"""


def dumps(lock: Lock) -> str:
    """The text of `environment.yml`: the same bytes for the same lock.

    The lock sets the versions of conda's own packages; conda chooses their builds.
    """
    lines = [FIRST_LINE]
    if (libraries := _loader_path(lock)) is not None:
        lines += [
            "# TensorFlow needs the CUDA libraries on the loader path. Run this once in the activated environment:",
            f"#   conda env config vars set LD_LIBRARY_PATH={libraries}",
        ]
    lines += ["name: tfenv", "channels:", *(f"  - {channel}" for channel in _channels(lock.stack)), "dependencies:"]
    lines += [f"  - {_scalar(spec)}" for spec in conda_specs(lock)]
    lines += ["  - pip", "  - pip:"]
    lines += [f"      - {_scalar(option)}" for option in index_options(lock)]
    lines += [f"      - {_scalar(f'{pin} {hash_option}')}" for pin, hash_option in hashed(lock)]
    if lock.environment:
        lines += ["variables:", *(f"  {_scalar(name)}: {_scalar(value)}" for name, value in lock.environment)]
    return without_credentials("\n".join(lines) + "\n")


def conda_specs(lock: Lock) -> tuple[str, ...]:
    """The packages that conda itself installs besides pip, in conda's notation."""
    python = lock.target.python
    specs = ["python"] if python is None else [f"python={python.major}.{python.minor}"]
    if lock.stack.origin is Origin.SYSTEM:
        specs += _cuda_specs(lock.stack)
    return tuple(specs)


def _loader_path(lock: Lock) -> str | None:
    """Folders of this TensorFlow's CUDA libraries as a shell expression; ``None`` if it finds them by itself.

    Only wheels built for CUDA 12 and later (and 2.14, which the variable does not harm) search the NVIDIA wheels beside
    them: https://github.com/tensorflow/tensorflow/releases/tag/v2.14.0
    """
    if lock.stack.origin is Origin.SYSTEM and lock.stack.cuda is not None:
        return "$CONDA_PREFIX/lib"
    if lock.stack.origin is Origin.WHEELS and lock.stack.cuda is not None and lock.stack.cuda.major < 12:
        return "$(printf '%s:' \"$CONDA_PREFIX\"/lib/python*/site-packages/nvidia/*/lib)"
    return None


def _channels(stack: Stack) -> tuple[str, ...]:
    old = stack.origin is Origin.SYSTEM and stack.cuda is not None and stack.cuda < _FIRST_ON_CONDA_FORGE
    return ("conda-forge", "main", "nodefaults") if old else ("conda-forge", "nodefaults")


def _cuda_specs(stack: Stack) -> list[str]:
    """The names of the CUDA libraries on conda-forge: one package up to CUDA 11, then several under `cuda-version`.

    conda-forge has few releases of cuDNN; any of the same major version whose minor version is not older works.
    Sources: https://conda-forge.org/docs/maintainer/knowledge_base/#cuda-builds, and on cuDNN
    https://docs.nvidia.com/deeplearning/cudnn/latest/developer/forward-compatibility.html
    """
    specs = []
    if stack.cuda is not None:
        release = f"{stack.cuda.major}.{stack.cuda.minor}"
        specs += [f"cuda-version={release}", "cuda-libraries"] if stack.cuda.major >= 12 else [f"cudatoolkit={release}"]
    if stack.cudnn is not None:
        specs.append(f"cudnn>={stack.cudnn.major}.{stack.cudnn.minor},<{stack.cudnn.major + 1}")
    return specs


def _scalar(value: str) -> str:
    """A YAML scalar that is read back as exactly this string."""
    return value if _PLAIN.fullmatch(value) else f'"{"".join(map(_character, value))}"'


def _character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if " " <= character <= "~" else f"\\U{ord(character):08x}"
