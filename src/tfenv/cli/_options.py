"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

TF = Annotated[
    str | None,
    typer.Option("--tf", metavar="SPEC", help='TensorFlow release: 2.17.1, 2.17 or ">=2.15,<2.18"  [default: newest]'),
]
GPU = Annotated[
    list[str] | None,
    typer.Option(
        "--gpu",
        metavar="GPU",
        help='GPU: a name such as "RTX 3090" or v100, a compute capability such as 8.6, or one of cuda12, cuda11, '
        "auto (this machine's), none, rocm, metal, directml, tpu. Repeat to require support for all of them  "
        "[default: none]",
    ),
]
DRIVER = Annotated[
    str | None, typer.Option("--driver", metavar="VERSION", help="NVIDIA driver of the machine, for example 535.104.05")
]
PYTHON = Annotated[
    str | None,
    typer.Option("--python", metavar="X.Y", help="Python version  [default: newest with wheels of everything]"),
]
PLATFORM = Annotated[
    str | None,
    typer.Option(
        "--platform",
        metavar="NAME",
        help="Platform: linux-x86_64, linux-aarch64, macos-arm64, macos-x86_64, windows-x86_64 or wsl  "
        "[default: linux-x86_64]",
    ),
]
GLIBC = Annotated[
    str | None,
    typer.Option("--glibc", metavar="X.Y", help="C library of the machine  [default: that of the base image]"),
]
CPU = Annotated[
    str | None,
    typer.Option(
        "--cpu",
        metavar="CPU",
        help="Processor: a level or microarchitecture (x86-64-v3, haswell), or its features (avx,avx2)",
    ),
]
WITH = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="REQUIREMENT", help="Additional requirement, for example pandas>=2; repeatable"),
]
REQUIREMENTS = Annotated[
    list[str] | None, typer.Option("-r", "--requirement", metavar="FILE", help="Requirements file; repeatable")
]
CONSTRAINTS = Annotated[
    list[str] | None,
    typer.Option("-c", "--constraint", metavar="FILE", help="Constraints file: bounds only; repeatable"),
]
EXTRAS = Annotated[list[str] | None, typer.Option("--extra", metavar="NAME", help="Extra of the project; repeatable")]
GROUPS = Annotated[
    list[str] | None, typer.Option("--group", metavar="NAME", help="Dependency group of the project; repeatable")
]
KERAS = Annotated[
    int | None,
    typer.Option("--keras", metavar="2|3", help="Major version of tf.keras  [default: the release's own]"),
]
PREFER = Annotated[
    str | None,
    typer.Option(
        "--prefer",
        metavar="evidence|newest",
        help="CUDA libraries to choose within a range: those tested with this release, or the newest  "
        "[default: evidence]",
    ),
]
PRERELEASES = Annotated[
    bool | None, typer.Option("--pre/--no-pre", help="Allow pre-releases of TensorFlow", show_default=False)
]
FORCE_BROKEN = Annotated[
    bool | None,
    typer.Option("--force-broken", help="Lock what `tfenv check` calls broken, too", show_default=False),
]
EXCLUDE_NEWER = Annotated[
    str | None,
    typer.Option("--exclude-newer", metavar="DATE", help="Ignore files uploaded on or after this date"),
]
OFFLINE = Annotated[bool, typer.Option("--offline", envvar="TFENV_OFFLINE", help="Use only what is cached")]
INDEX_URL = Annotated[
    str | None,
    typer.Option("--index-url", metavar="URL", help="Package index  [default: https://pypi.org/simple/]"),
]
EXTRA_INDEX_URL = Annotated[
    list[str] | None,
    typer.Option(
        "--extra-index-url",
        metavar="URL",
        help="Fallback index, used for packages not found on earlier indexes; repeatable",
    ),
]
OUTPUT = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the files")]
TARGET = Annotated[
    str | None,
    typer.Option("--target", metavar="NAME", help="Target of pyproject.toml; its lock is pylock.NAME.toml"),
]
FORCE = Annotated[bool, typer.Option("--force", help="Overwrite files that tfenv did not write")]
JSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON")]
QUIET = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only")]
VERBOSE = Annotated[bool, typer.Option("-v", "--verbose", help="Print more")]


def asked(values: Mapping[str, object]) -> dict[str, object]:
    """The request among the parameters of a command.

    Args:
        values: values by name of the parameter; `with_` is the parameter of the key `with`.

    Returns:
        Values by key of `[tool.tfenv]`, without those that were not given.
    """
    from tfenv.inputs.request import KEYS

    names = {key: "with_" if key == "with" else key.replace("-", "_") for key in KEYS}
    return {key: values[name] for key, name in names.items() if values.get(name) not in (None, [])}
