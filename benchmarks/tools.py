"""The lockers: how each is installed, given its input and called. Each has its own environment, home and cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.world import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.cases import Case

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = FOLDER / "environments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One locker.

    Attributes:
        name: name in the table.
        installs: requirements that install the tool.
        feed: writes the input files into a folder.
        command: returns the command; its last parameter is whether everything is cached.
        keeps: files of the lock, without which the tool starts from nothing.
        forgets: whether remembered answers are removed too, but not pages and metadata.
        slow: whether a run takes half a minute or more, so that it is measured less often.
    """

    name: str
    installs: tuple[str, ...]
    feed: Callable[[Case, Path, str, bool], None]
    command: Callable[[Case, str, bool], list[str] | None]
    keeps: tuple[str, ...]
    forgets: bool = False
    slow: bool = False

    @property
    def folder(self) -> Path:
        """The environment of the tool."""
        return ENVIRONMENTS / self.name.split()[0]

    def install(self) -> str:
        """Create the environment, with bytecode compiled as by an installer; returns the version of the tool."""
        python = self.folder / "bin" / "python"
        if not python.exists():
            subprocess.run(["uv", "venv", "-q", "--python", sys.executable, self.folder], check=True)
            again: list[str] = []
        else:
            again = ["--reinstall-package", "tfenv"]
        if not again or self.installs[0].startswith(str(ROOT)):
            install = ["uv", "pip", "install", "-q", "--compile-bytecode", "--python", str(python), *again]
            subprocess.run([*install, *self.installs], check=True)
        shown = subprocess.run(
            ["uv", "pip", "list", "--python", python, "--format", "freeze"], capture_output=True, text=True, check=True
        )
        name = "tfenv" if self.installs[0].startswith(str(ROOT)) else self.installs[0].split("[")[0]
        return next((line for line in shown.stdout.splitlines() if line.startswith(f"{name}==")), name)

    def environment(self, home: Path, cache: Path, ca: Path) -> dict[str, str]:
        """The environment variables of a run, independent of the caller's."""
        return {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "XDG_CACHE_HOME": str(cache),
            "TFENV_CACHE_DIR": str(cache / "tfenv"),
            "UV_CACHE_DIR": str(cache / "uv"),
            "UV_PYTHON_DOWNLOADS": "never",
            "PIP_CACHE_DIR": str(cache / "pip"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_TOOLS_CACHE_DIR": str(cache / "pip-tools"),
            "PDM_CHECK_UPDATE": "0",
            "PDM_CACHE_DIR": str(cache / "pdm"),
            "POETRY_CACHE_DIR": str(cache / "poetry"),
            "POETRY_VIRTUALENVS_CREATE": "false",
            "PIP_CERT": str(ca),
            "SSL_CERT_FILE": str(ca),
            "REQUESTS_CA_BUNDLE": str(ca),
            "CURL_CA_BUNDLE": str(ca),
            # nothing but the local index can be reached
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "localhost,127.0.0.1",
        }

    def forget(self, folder: Path, cache: Path) -> None:
        """Remove the lock."""
        for name in self.keeps:
            (folder / name).unlink(missing_ok=True)
        for entry in (cache / "tfenv").rglob("documents/*") if self.forgets else ():
            if b'"made"' in entry.read_bytes():
                entry.unlink()


def _requirements(case: Case, held: bool) -> list[str]:
    return [*case.requires, *([case.held] if held and case.held else [])]


def _text(case: Case, folder: Path, _index: str, held: bool) -> None:
    (folder / "in.txt").write_text("\n".join([*_requirements(case, held), ""]))


def _project(case: Case, folder: Path, held: bool, rest: str) -> None:
    wanted = ",\n".join(f"  {text!r}" for text in _requirements(case, held))
    later = f"{case.python.split('.')[0]}.{int(case.python.split('.')[1]) + 1}"
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "benchmark"\nversion = "0"\nrequires-python = ">={case.python},<{later}"\n'
        f"dependencies = [\n{wanted},\n]\n{rest}"
    )


def _for_uv(case: Case, folder: Path, index: str, held: bool) -> None:
    environments = "[\"sys_platform == 'linux' and platform_machine == 'x86_64'\"]"
    rest = f'[tool.uv]\nenvironments = {environments}\n[[tool.uv.index]]\nurl = "{index}"\ndefault = true\n'
    _project(case, folder, held, rest)


def _for_pdm(case: Case, folder: Path, index: str, held: bool) -> None:
    source = f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{index}"\nverify_ssl = false\n'
    _project(case, folder, held, f"[tool.pdm]\ndistribution = false\n{source}")
    (folder / ".pdm-python").write_text(str(ENVIRONMENTS / "pdm" / "bin" / "python"))


def _for_poetry(case: Case, folder: Path, index: str, held: bool) -> None:
    source = f'[[tool.poetry.source]]\nname = "bench"\nurl = "{index}"\npriority = "primary"\n'
    _project(case, folder, held, f"[tool.poetry]\npackage-mode = false\n{source}")


def _for_tfenv(case: Case, folder: Path, _index: str, held: bool) -> None:
    rest = [text for text in _requirements(case, held) if not text.startswith(("tensorflow==", "tensorflow["))]
    (folder / "in.txt").write_text("\n".join([*rest, ""]))
    # the nearest project is that of the benchmark, not ours above it
    (folder / "pyproject.toml").write_text("[tool.tfenv]\n")


def _tfenv(case: Case, index: str, cached: bool) -> list[str]:
    command = ["tfenv", "lock", "-q", "--tf", case.tensorflow, "--python", case.python, "--index-url", index]
    command += ["-r", "in.txt", "--glibc", "2.36", *(["--gpu", "cuda12"] if case.cuda else [])]
    if case.check:
        return [*command, "--check"]
    if case.upgraded:
        command += ["--upgrade", case.upgraded]
    return [*command, *(["--offline"] if cached else [])]


def _tfenv_anew(case: Case, index: str, cached: bool) -> list[str] | None:
    """A warm run without remembered answer: only pages and metadata are cached."""
    return _tfenv(case, index, cached) if not case.check else None


def _uv_compile(case: Case, index: str, cached: bool) -> list[str]:
    command = ["uv", "pip", "compile", "-q", "in.txt", "-o", "out.txt", "--python-version", case.python]
    command += ["--python-platform", "x86_64-manylinux_2_36", "--index-url", index]
    if case.upgraded:
        command += ["--upgrade-package", case.upgraded]
    return [*command, *(["--offline"] if cached or case.check else [])]


def _uv_lock(case: Case, _index: str, cached: bool) -> list[str] | None:
    if case.python != "3.11":  # it needs exactly that interpreter
        return None
    command = ["uv", "lock", "-q", *(["--check"] if case.check else [])]
    if case.upgraded:
        command += ["--upgrade-package", case.upgraded]
    return [*command, *(["--offline"] if cached or case.check else [])]


def _pip_compile(case: Case, index: str, _cached: bool) -> list[str] | None:
    if case.python != "3.11":
        return None
    command = ["pip-compile", "-q", "in.txt", "-o", "out.txt", "--strip-extras", "--index-url", index]
    return [*command, *(["--upgrade-package", case.upgraded] if case.upgraded else [])]


def _pip(case: Case, index: str, _cached: bool) -> list[str] | None:
    if case.check or case.upgraded:
        return None
    command = ["pip", "install", "-q", "--dry-run", "--ignore-installed", "--report", "out.json", "-r", "in.txt"]
    if case.python != "3.11":
        return None
    return [*command, "--index-url", index]


def _pdm(case: Case, _index: str, _cached: bool) -> list[str] | None:
    if case.python != "3.11":
        return None
    target = ["--python", f"=={case.python}.*", "--platform", "manylinux_2_36_x86_64"]
    if case.check:
        return ["pdm", "lock", "-q", "--check"]
    if case.upgraded:
        return ["pdm", "update", "-q", "--no-sync", "--update-reuse", case.upgraded]
    return ["pdm", "lock", "-q", *target]


def _poetry(case: Case, _index: str, _cached: bool) -> list[str] | None:
    if case.python != "3.11":
        return None
    if case.check:
        return ["poetry", "check", "-q", "--lock"]
    if case.upgraded:
        return ["poetry", "update", "-q", "-n", "--lock", case.upgraded]
    return ["poetry", "lock", "-q", "-n"]


TOOLS: Sequence[Tool] = (
    Tool(name="tfenv", installs=(f"{ROOT}[fast]",), feed=_for_tfenv, command=_tfenv, keeps=("pylock.toml",)),
    Tool(
        name="tfenv (not asked before)",
        installs=(f"{ROOT}[fast]",),
        feed=_for_tfenv,
        command=_tfenv_anew,
        keeps=("pylock.toml",),
        forgets=True,
    ),
    Tool(name="uv pip compile", installs=("uv",), feed=_text, command=_uv_compile, keeps=("out.txt",)),
    Tool(name="uv lock", installs=("uv",), feed=_for_uv, command=_uv_lock, keeps=("uv.lock",)),
    Tool(
        name="pip-compile",
        installs=("pip-tools", "pip"),
        feed=_text,
        command=_pip_compile,
        keeps=("out.txt",),
        slow=True,
    ),
    Tool(name="pip install --dry-run", installs=("pip",), feed=_text, command=_pip, keeps=("out.json",), slow=True),
    Tool(name="pdm lock", installs=("pdm", "hishel<2"), feed=_for_pdm, command=_pdm, keeps=("pdm.lock",), slow=True),
    Tool(
        name="poetry lock", installs=("poetry",), feed=_for_poetry, command=_poetry, keeps=("poetry.lock",), slow=True
    ),
)


def empty(folder: Path) -> Path:
    """Create or empty a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
