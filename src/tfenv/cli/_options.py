"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TF = Annotated[
    str | None,
    typer.Option("--tf", metavar="SPEC", help='TensorFlow: `2.17.1`, `2.17` or `">=2.15,<2.18"`  [default: newest]'),
]
GPU = Annotated[
    list[str] | None,
    typer.Option(
        "--gpu",
        metavar="GPU",
        help='`cuda12`, `auto` (this machine\'s), `none`, a name such as `"RTX 3090"` or v100, or 8.6; '
        "may be repeated: all must work. Or one of `rocm` (`rocm6.0`), `metal`, `directml`, `tpu`  [default: none]",
    ),
]
DRIVER = Annotated[
    str | None, typer.Option("--driver", metavar="VERSION", help="NVIDIA driver of the machine, such as 535.104.05.")
]
PYTHON = Annotated[
    str | None, typer.Option("--python", metavar="X.Y", help="[default: the newest that everything has wheels for]")
]
PLATFORM = Annotated[
    str | None,
    typer.Option(
        "--platform",
        metavar="NAME",
        help="linux-x86_64, linux-aarch64, macos-arm64, macos-x86_64, windows-x86_64 or wsl  [default: linux-x86_64]",
    ),
]
GLIBC = Annotated[
    str | None,
    typer.Option("--glibc", metavar="X.Y", help="glibc of the machine  [default: that of the base image]"),
]
CPU = Annotated[
    str | None,
    typer.Option("--cpu", metavar="CPU", help="A level or microarchitecture (x86-64-v3, haswell), or avx,avx2,…"),
]
KERAS = Annotated[
    int | None,
    typer.Option("--keras", metavar="2|3", help="What `tf.keras` shall be  [default: the release's own]"),
]
PREFER = Annotated[
    str | None,
    typer.Option(
        "--prefer",
        metavar="evidence|newest",
        help="Of CUDA libraries that a range leaves open: those that were seen to work, or the newest  "
        "[default: evidence]",
    ),
]
EXCLUDE_NEWER = Annotated[
    str | None,
    typer.Option("--exclude-newer", metavar="DATE", help="Act as if nothing uploaded from this moment on existed."),
]
OFFLINE = Annotated[bool, typer.Option("--offline", envvar="TFENV_OFFLINE", help="Use only what is cached.")]
INDEX_URL = Annotated[
    str | None,
    typer.Option("--index-url", metavar="URL", help="The first package index  [default: https://pypi.org/simple/]"),
]
EXTRA_INDEX_URL = Annotated[
    list[str] | None,
    typer.Option("--extra-index-url", metavar="URL", help="Asked for names the indexes before it do not know."),
]
OUTPUT = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where the files are, or go.")]
TARGET = Annotated[
    str | None,
    typer.Option(
        "--target", metavar="NAME", help="One of several targets: its files are `pylock.NAME.toml` and so on."
    ),
]
FORCE = Annotated[bool, typer.Option("--force", help="Overwrite files that tfenv did not write.")]
JSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
QUIET = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")]
VERBOSE = Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")]
