"""A lock as `environment.yml`: conda brings Python (and CUDA where no wheels do), pip the rest by hash.

conda writes the `pip` list, line by line, into a requirements file and hands that to pip, so options and hashes hold (one
hash makes pip ask for one on every line):
https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html#create-env-file-manually
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfenv.model.lock import Origin
from tfenv.outputs.heading import FIRST_LINE
from tfenv.outputs.lines import hashed, index_options, without_credentials

if TYPE_CHECKING:
    from tfenv.model.lock import Lock, Stack

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.=+!-]*=[A-Za-z0-9_.=+!-]*( --hash=sha256:[0-9a-f]{64})?")
"""what YAML cannot take for anything but this string: a name, an equals sign and a version, perhaps a hash"""

_LOADER = (
    "# TensorFlow looks for the CUDA libraries on the loader path; once, in the activated environment:",
    "#   conda env config vars set LD_LIBRARY_PATH=$CONDA_PREFIX/lib",
)


def dumps(lock: Lock) -> str:
    """The text of `environment.yml`; the same lock gives the same bytes.

    The versions of conda's own packages are those of the lock; their builds are conda's choice.
    """
    lines = [FIRST_LINE]
    if lock.stack.origin is Origin.SYSTEM:
        lines += _LOADER
    lines += ["name: tfenv", "channels:", "  - conda-forge", "  - nodefaults", "dependencies:"]
    lines += [f"  - {_scalar(spec)}" for spec in conda_specs(lock)]
    lines += ["  - pip", "  - pip:"]
    lines += [f"      - {_scalar(option)}" for option in index_options(lock)]
    lines += [f"      - {_scalar(f'{pin} {hash_option}')}" for pin, hash_option in hashed(lock)]
    if lock.environment:
        lines += ["variables:", *(f"  {_scalar(name)}: {_scalar(value)}" for name, value in lock.environment)]
    return without_credentials("\n".join(lines) + "\n")


def conda_specs(lock: Lock) -> tuple[str, ...]:
    """What conda itself installs beside pip, as `name=version`."""
    python = lock.target.python
    specs = ["python"] if python is None else [f"python={python.major}.{python.minor}"]
    if lock.stack.origin is Origin.SYSTEM:
        specs += _cuda_specs(lock.stack)
    return tuple(specs)


def _cuda_specs(stack: Stack) -> list[str]:
    """The names conda-forge gives the CUDA libraries: one package up to 11, many under `cuda-version` from 12 on.

    Source: https://conda-forge.org/docs/maintainer/knowledge_base/#cuda-builds
    """
    specs = []
    if stack.cuda is not None:
        release = f"{stack.cuda.major}.{stack.cuda.minor}"
        specs += [f"cuda-version={release}", "cuda-libraries"] if stack.cuda.major >= 12 else [f"cudatoolkit={release}"]
    if stack.cudnn is not None:
        specs.append(f"cudnn={stack.cudnn}")
    return specs


def _scalar(value: str) -> str:
    """A YAML scalar that is read back as exactly this string, whatever is in it."""
    return value if _PLAIN.fullmatch(value) else f'"{"".join(map(_character, value))}"'


def _character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if " " <= character <= "~" else f"\\U{ord(character):08x}"
