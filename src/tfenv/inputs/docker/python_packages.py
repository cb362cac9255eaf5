"""What pip and uv install in a stage."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from tfenv.inputs.docker import managed
from tfenv.model.package import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.inputs.docker.stage import Stage

_VALUES = (
    *("-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target"),
    *("--prefix", "--root", "--platform", "--python-version", "--abi", "--implementation", "--cache-dir", "--timeout"),
    *("--trusted-host", "--proxy", "--retries", "--log", "--src", "--default-index", "--index", "--torch-backend"),
    *("--group", "--extra", "--no-install-package", "--index-strategy", "--python-platform", "--upgrade-package", "-P"),
    *("--only-binary", "--no-binary", "--config-settings", "-C", "-w", "--wheel-dir", "-d", "--dest", "--link-mode"),
)
_TOOLS = ("poetry", "uv", "pipenv", "pdm", "hatch", "virtualenv", "pip-tools", "wheel", "setuptools")
"""Tools that install others; without a version they say nothing about the environment."""
_CUDA_EXTRA = ("and-cuda", "cuda")


def pip(words: list[str], stage: Stage) -> None:
    """`pip install`, `pip uninstall`, and wheels that `pip wheel` makes for a later stage.

    Args:
        words: the command; its first word is a pip or a Python.
        stage: what it runs in, which is changed.
    """
    verb = next((word for word in words[1:] if word in ("install", "uninstall", "wheel", "download")), None)
    if verb is None:
        return
    rest = words[words.index(verb) + 1 :]
    if verb == "uninstall":
        stage.remove(name for name, _ in _specs(rest, stage))
        return
    if verb != "install":
        stage.wheels |= {normalize(name): specifier for name, specifier in _specs(rest, stage)}
        return
    _install(rest, stage, stage.python_of(words[0]))


def piped(words: list[str], stage: Stage) -> None:
    """`cat requirements.txt | xargs pip install`."""
    if "pip" in words and "install" in words:
        _install(["-r", words[-1]], stage, stage.python_of("pip"))


def uv(words: list[str], stage: Stage) -> None:
    """`uv pip install`, `uv add`, `uv sync`, `uv venv` and `uv python install`."""
    named = next((value for option, value in pairwise(words) if option in ("--python", "-p")), "")
    named = named or next((word.partition("=")[2] for word in words if word.startswith("--python=")), "")
    python = version_in(named) or stage.python_of(named) or version_in(stage.variables.get("UV_PYTHON", ""))
    match words[1:3]:
        case ["pip", "install"]:
            _install(words[3:], stage, python or stage.python_of("python"))
        case ["pip", "sync"]:
            _install([word for name in words[3:] for word in ("-r", name)], stage, python)
        case ["python", "install" | "pin"]:
            stage.use(next((version for word in words[3:] if (version := version_in(word)) is not None), python))
        case ["venv", *_] if python is not None:
            stage.use(python)
        case ["add", *_]:
            _install(words[2:], stage, python or stage.python_of("python"))
        case ["sync", *_] | ["export", *_]:
            if python is not None:
                stage.use(python)
            managed.uv_sync(stage)


def bring_pip(stage: Stage, version: Version | None) -> None:
    """A pip that is not installed by pip: the distribution's, or the newest."""
    if version is None:
        stage.packages.pop(normalize("pip"), None)
    else:
        stage.packages[normalize("pip")] = SpecifierSet(f"=={version}")


def version_in(text: str) -> Version | None:
    """`3.8` in `3.8.12`, `python3.8`, `cpython-3.8` or `3.8:latest`."""
    match = re.search(r"(?<![\d.])(\d\.\d+(?:\.\d+)?)(?![\d])", text)
    return None if match is None else Version(match[1])


def _install(rest: list[str], stage: Stage, python: Version | None) -> None:
    upgrade = any(word in ("-U", "--upgrade") for word in rest)
    specs = [spec for spec in _specs(rest, stage) if spec[0] not in _TOOLS or str(spec[1])]
    if any(name not in ("pip", *_TOOLS) for name, _ in specs) and python is not None:
        stage.used = python
    if upgrade or any(name == "pip" for name, _ in specs):
        specs = [(name, specifier) for name, specifier in specs if name != "pip" or str(specifier)]
        if "pip" in rest:
            bring_pip(stage, None)
    stage.install(specs, upgrade=upgrade)


def _specs(words: list[str], stage: Stage) -> Iterator[tuple[str, SpecifierSet]]:
    """Requirements among the words of a command, those of a file that it names included."""
    position = 0
    while position < len(words):
        word = words[position]
        attached = re.match(r"(?:-r|--requirements?=)(.+)", word)
        if word in ("-r", "--requirement", "--requirements") or attached is not None:
            named = attached[1] if attached is not None else words[position + 1 : position + 2]
            yield from _of_file(named if isinstance(named, str) else "".join(named), stage, ())
            position += attached is None
        elif word in _VALUES:
            position += 1
        elif word in ("-e", "--editable") or re.match(r"\.(?:\[|/|$)", word) is not None:
            yield from managed.declared(stage)
        elif not word.startswith("-"):
            yield from _operand(word, stage)
        position += 1


def _operand(word: str, stage: Stage) -> Iterator[tuple[str, SpecifierSet]]:
    """A requirement, a wheel by path or URL, or a folder of wheels."""
    text = word.partition(" #")[0].strip()
    if re.search(r"\.whl(?:[#?]|$)", text) is not None:
        yield from _wheel(re.split(r"[#?]", text.rpartition("/")[2] or text)[0], stage)
        return
    if text.endswith("/*") or "*.whl" in text:
        yield from stage.wheels.items()
        return
    with suppress(InvalidRequirement):
        requirement = PackagingRequirement(text)
        if requirement.url is not None:
            yield from _wheel(requirement.url.rpartition("/")[2].partition("#")[0], stage)
            return
        if requirement.name.lower().startswith("tensorflow") and set(_CUDA_EXTRA) & requirement.extras:
            stage.known = replace(stage.known, accelerated=True)
            stage.unknown_libraries()
        yield normalize(requirement.name), requirement.specifier


def _wheel(filename: str, stage: Stage) -> Iterator[tuple[str, SpecifierSet]]:
    with suppress(InvalidWheelFilename, ValueError):
        name, version, _, _ = parse_wheel_filename(filename.replace("%2B", "+"))
        stage.wheel_files = (*stage.wheel_files, filename)
        yield name, SpecifierSet(f"=={version}")


def _of_file(path: str, stage: Stage, seen: tuple[str, ...]) -> Iterator[tuple[str, SpecifierSet]]:
    """The lines of a requirements file, and of the files that it includes."""
    text = stage.text_of(path)
    if text is None or path in seen:
        return
    folder = path.rpartition("/")[0]
    for written in text.replace("\\\n", " ").splitlines():
        line = re.sub(r"(?:^|\s)#.*|\s--hash\S*", "", written).strip()
        if (match := re.match(r"(?:-r|--requirement)[\s=]+(\S+)", line)) is not None:
            yield from _of_file(f"{folder}/{match[1]}" if folder else match[1], stage, (*seen, path))
        elif line and not line.startswith("-"):
            yield from _operand(line, stage)
