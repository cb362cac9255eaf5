"""From a file of any known format to what it declares; the format is told by name and content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfenv.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfenv.inputs.declared.declared import DependencyFile

_NAMES = (
    (r"(poetry|uv|pdm)\.lock", "TOML lock"),
    (r"Pipfile\.lock", "Pipfile.lock"),
    (r"Pipfile", "Pipfile"),
    (r"pixi\.lock|.*conda-lock\.ya?ml", "conda-lock"),
    (r"pixi\.toml", "pixi.toml"),
    (r"pylock(\..+)?\.toml", "pylock"),
    (r"pyproject\.toml", "pyproject"),
    (r"setup\.cfg", "setup.cfg"),
    (r"setup\.py", "setup.py"),
    (r".*\.ipynb", "notebook"),
    (r".*\.py", "script"),
    (r".*environment.*\.ya?ml", "environment"),
)
"""Names of files, the format of each."""
_CONTENTS = (
    (r"^# /// script\s*$", "script"),
    (r"^@EXPLICIT\s*$|^# This file may be used to create an environment", "conda list"),
    (r"^\[\[packages\]\]\s*$", "pylock"),
    (r"^\[\[package\]\]\s*$", "TOML lock"),
    (r"^\[(project|tool\.(poetry|tfenv|pdm|uv)\b.*)\]\s*$", "pyproject"),
    (r"^\[(dev-)?packages\]\s*$", "Pipfile"),
    (r"^\[(dependencies|pypi-dependencies)\]\s*$", "pixi.toml"),
    (r"^\[options\]\s*$", "setup.cfg"),
    (r'^\s*"_meta"\s*:\s*\{', "Pipfile.lock"),
    (r'^\s*"(cells|nbformat)"\s*:', "notebook"),
    (r"^(package|packages)\s*:\s*$", "conda-lock"),
    (r"^dependencies\s*:", "environment"),
    (r"^(import setuptools|from (setuptools|distutils)[\w.]* import)\b", "setup.py"),
)
"""Lines that only files of one format have, the format of each; the first that is found counts."""


def format_of(name: str, content: str) -> str | None:
    """The format of a file: a name such as `TOML lock` or `pyproject`; ``None`` for a requirements file.

    Args:
        name: name of the file, without folders.
        content: its text.
    """
    for pattern, kind in _NAMES:
        if re.fullmatch(pattern, name, re.IGNORECASE):
            return kind
    for pattern, kind in _CONTENTS:
        if re.search(pattern, content, re.MULTILINE):
            return kind
    return None


def read(name: str, content: str) -> DependencyFile | None:
    """What a file declares; ``None`` if it is a requirements file, or a `pyproject.toml`, which has its own reader.

    Args:
        name: name of the file, without folders.
        content: its text.

    Raises:
        UsageError: the file is damaged.
    """
    reader = _reader(format_of(name, content))
    try:
        return None if reader is None else reader(content.removeprefix("\ufeff"), name)
    except RecursionError:
        raise UsageError(f"`{name}` is nested too deeply") from None


def _reader(kind: str | None) -> Callable[[str, str], DependencyFile] | None:
    """The reader of a format; its modules (10, with `ast` and `configparser`) are imported only for such files."""
    match kind:
        case "TOML lock" | "pylock" | "Pipfile.lock" | "conda-lock":
            from tfenv.inputs.declared import locks

            return {
                "TOML lock": locks.of_toml,
                "pylock": locks.of_pylock,
                "Pipfile.lock": locks.of_pipenv,
                "conda-lock": locks.of_conda,
            }[kind]
        case "conda list" | "environment" | "pixi.toml":
            from tfenv.inputs.declared import conda

            return {"conda list": conda.of_list, "environment": conda.of_environment, "pixi.toml": conda.of_pixi}[kind]
        case "Pipfile":
            from tfenv.inputs.declared import poetry

            return poetry.of_pipfile
        case "notebook" | "script":
            from tfenv.inputs.declared import scripts

            return {"notebook": scripts.of_notebook, "script": scripts.of_script}[kind]
        case "setup.cfg" | "setup.py":
            from tfenv.inputs.declared import setup_files

            return {"setup.cfg": setup_files.of_cfg, "setup.py": setup_files.of_py}[kind]
        case _:
            return None
