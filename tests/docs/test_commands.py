"""The commands of README and docs, run as a reader would run them, against the real index."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import PAGES, ROOT, blocks, commands

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.index

AS_OF = "2026-11-30"
"""the state of the index that the README's example shows"""

_RUN = ("lock", "check", "render", "why", "compat", "facts", "init")
"""commands that are run; the others install gigabytes, take minutes or need an engine, and have tests of their own"""

_NOT_RUN = ("example", "--user", "download.pytorch.org")
"""parts of commands that ask hosts which do not exist, or which are not the package index; tests ask local ones"""

_REGISTRY = re.compile(r"^  (warning: the base image|note: https://registry).*\n", re.MULTILINE)
"""what differs where no registry of images can be reached"""


def _tfenv(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from tfenv.cli import main; main()", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_of_a_page(page: Path, tmp_path: Path) -> None:
    """In an empty folder, one after the other, each ends well."""
    (tmp_path / "train.py").write_text("import tensorflow as tf\n\nprint(tf.constant(1))\n", encoding="utf-8")
    for command in commands(page):
        words = shlex.split(command)
        if words[0] != "tfenv" or len(words) < 2 or words[1] not in _RUN or any(one in command for one in _NOT_RUN):
            continue
        ran = _tfenv(tmp_path, words[1:])
        assert ran.returncode == 0, (command, ran.stdout, ran.stderr)


def test_the_example_of_the_readme(tmp_path: Path) -> None:
    """The README shows what the command prints, but for the time it took."""
    (example,) = blocks(ROOT / "README.md", "console")
    command, _, output = example.removeprefix("$ tfenv ").partition("\n")
    ran = _tfenv(tmp_path, [*shlex.split(command), "--exclude-newer", AS_OF])
    assert _steady(ran.stderr) == _steady(output)


def _steady(text: str) -> str:
    return _REGISTRY.sub("", re.sub(r"in [\d.]+ s\b", "in T s", text))


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv tool", "pipx", "pip", "git"])
def test_ways_to_install(installer: str, tmp_path: Path) -> None:
    """A stranger's clone installs as the page says, and runs outside of it."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    environment = {
        **os.environ,
        "UV_TOOL_DIR": f"{tmp_path}/tools", "UV_TOOL_BIN_DIR": f"{tmp_path}/bin",
        "PIPX_HOME": f"{tmp_path}/pipx", "PIPX_BIN_DIR": f"{tmp_path}/bin",
    }  # fmt: skip
    environment.pop("VIRTUAL_ENV", None)
    lines = commands(ROOT / "docs" / "install.md")
    if installer == "pip":
        chosen = [line.replace("~/.tfenv", f"{tmp_path}/venv") for line in lines if "~/.tfenv" in line]
        program = f"{tmp_path}/venv/bin/tfenv"
    else:
        start = {"uv tool": "uv tool install '.", "pipx": "pipx install '.", "git": "uv tool install 'tfenv"}[installer]
        chosen = [line.replace("git+URL", f"git+file://{clone}") for line in lines if line.startswith(start)]
        program = f"{tmp_path}/bin/tfenv"
        if shutil.which("pipx") is None:
            chosen = [line.replace("pipx install", "uvx pipx install") for line in chosen]
    assert chosen
    for line in dict.fromkeys(chosen):
        ran = subprocess.run(
            ["bash", "-c", line], cwd=clone, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, (line, ran.stderr)
    ran = subprocess.run([program, "compat", "2.15"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "2.15" in ran.stdout
