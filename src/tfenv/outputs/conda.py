"""A lock as `environment.yml`: conda brings Python (and CUDA where no wheels do), pip the rest by hash.

conda writes the `pip` list, line by line, into a requirements file and hands that to pip, so options and hashes hold
(one hash makes pip ask for one on every line):
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
"""what YAML cannot take for anything but this string: a name, an equals sign and a version, perhaps a hash"""

_FIRST_ON_CONDA_FORGE = Version("9.2")
"""oldest `cudatoolkit` of conda-forge; the channel `main` of Anaconda has 8.0 and 9.0 too, each with its cuDNN 7.

Sources: https://anaconda.org/conda-forge/cudatoolkit/files, https://anaconda.org/main/cudnn/files
"""


def dumps(lock: Lock) -> str:
    """The text of `environment.yml`; the same lock gives the same bytes.

    The versions of conda's own packages are those of the lock; their builds are conda's choice.
    """
    lines = [FIRST_LINE]
    if (libraries := _loader_path(lock)) is not None:
        lines += [
            "# TensorFlow looks for the CUDA libraries on the loader path; once, in the activated environment:",
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
    """What conda itself installs beside pip, as conda spells it."""
    python = lock.target.python
    specs = ["python"] if python is None else [f"python={python.major}.{python.minor}"]
    if lock.stack.origin is Origin.SYSTEM:
        specs += _cuda_specs(lock.stack)
    return tuple(specs)


def _loader_path(lock: Lock) -> str | None:
    """Where this TensorFlow's CUDA libraries are, as a shell says it; ``None`` if it finds them by itself.

    Only the wheels built for CUDA 12 and later (and 2.14, which this does not harm) look into the NVIDIA wheels beside
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
    """The names conda-forge gives the CUDA libraries: one package up to 11, many under `cuda-version` from 12 on.

    Of cuDNN conda-forge has few releases; any of the same major whose minor is not older serves as well.
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
    """A YAML scalar that is read back as exactly this string, whatever is in it."""
    return value if _PLAIN.fullmatch(value) else f'"{"".join(map(_character, value))}"'


def _character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if " " <= character <= "~" else f"\\U{ord(character):08x}"
