"""A stage of a Dockerfile while it is built: what is installed so far, and which Python each command runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.model.configuration import Configuration
from tfenv.model.package import TENSORFLOWS, Name, normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from packaging.specifiers import SpecifierSet

NONE = Version("0")
"""A CUDA or cuDNN that is known not to be there."""

_NAME = re.compile(r"(?:python|pip)(?P<version>\d(?:\.\d+)?)?")
_CUDA_WHEEL = re.compile(r"nvidia-(?:cuda-runtime|cudnn|cublas)(?:-cu\d+)?|torch|jaxlib")


@dataclass(slots=True, kw_only=True)
class Stage:
    """What the image of a stage holds.

    Attributes:
        known: what the base image brings, and the environment's settings.
        os: distribution and release, as `images.toml` names it.
        system_python: version of the Python that the distribution installs as `python3`.
        system_pip: version of pip that the distribution installs.
        commands: what `python`, `pip` and their like are: a version, or another name (`pip3` runs `python3`).
        used: Python that packages were last installed for.
        packages: installed or asked for, the last word on each.
        conda: packages that conda installed.
        wheels: requirements whose wheels were made or downloaded into a folder.
        wheel_files: names of wheels that are installed from a path or a URL.
        variables: values of `ENV` and `ARG`.
        files: texts of files that the Dockerfile writes itself, by name.
        read: gives the text of a file beside the Dockerfile, or ``None``.
    """

    known: Configuration = field(default_factory=Configuration)
    os: str | None = None
    system_python: Version | None = None
    system_pip: Version | None = None
    commands: dict[str, Version | str] = field(default_factory=dict)
    used: Version | None = None
    packages: dict[Name, SpecifierSet] = field(default_factory=dict)
    conda: set[Name] = field(default_factory=set)
    wheels: dict[Name, SpecifierSet] = field(default_factory=dict)
    wheel_files: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    read: Callable[[str], str | None] = lambda _path: None

    def copy(self) -> Stage:
        """The same, to build upon."""
        return replace(
            self,
            commands=dict(self.commands),
            packages=dict(self.packages),
            wheels=dict(self.wheels),
            conda=set(self.conda),
            variables=dict(self.variables),
            files=dict(self.files),
        )

    def text_of(self, path: str) -> str | None:
        """The text of a file that a command names, if it is known."""
        name = path.rpartition("/")[2]
        return self.files[name] if name in self.files else self.read(path)

    def python_of(self, command: str) -> Version | None:
        """The Python that a command (`python3`, `/opt/venv/bin/pip`, `pip3.8`) runs."""
        name = command.rpartition("/")[2]
        for _ in range(5):
            found = self.commands.get(name)
            if isinstance(found, Version):
                return found
            if found is None:
                break
            name = found
        match = _NAME.fullmatch(name)
        return Version(match["version"]) if match is not None and "." in (match["version"] or "") else None

    def use(self, python: Version | None) -> None:
        """Every plain command runs this Python from now on: an environment that is active, or Python's own image."""
        for name in ("python", "python3", "pip", "pip3"):
            if python is None:
                self.commands.pop(name, None)
            else:
                self.commands[name] = python
        self.packages.pop(normalize("pip"), None)

    def install(self, specs: Iterable[tuple[str, SpecifierSet]], *, upgrade: bool = False) -> None:
        """Packages of pip; a name without a version leaves the one that is there, unless it is to be upgraded."""
        for text, specifier in specs:
            name = normalize(text)
            if name in TENSORFLOWS and self.known.tf is not None:
                if not str(specifier) and not upgrade:
                    continue
                self.known = replace(self.known, tf=None)
            if name == "pip" and not str(specifier):
                self.packages.pop(name, None)
            elif str(specifier) or upgrade or name not in self.packages:
                self.packages[name] = specifier
                self.conda.discard(name)

    def remove(self, names: Iterable[str]) -> None:
        """Packages that are uninstalled."""
        for text in names:
            name = normalize(text)
            self.packages.pop(name, None)
            if name in TENSORFLOWS and self.known.tf is not None:
                self.known = replace(self.known, tf=None)

    def libraries(self, *, cuda: Version | None = None, cudnn: Version | None = None) -> None:
        """CUDA libraries and a cuDNN that are installed beside the Python packages."""
        if cuda is not None:
            self.known = replace(self.known, cuda=cuda)
        if cudnn is not None:
            self.known = replace(self.known, cudnn=cudnn)
        self.known = replace(self.known, accelerated=True)

    def unknown_libraries(self) -> None:
        """CUDA libraries come from where nothing is known of them."""
        empty = {name: None for name in ("cuda", "cudnn") if getattr(self.known, name) == NONE}
        self.known = replace(self.known, **empty)  # type: ignore[arg-type]

    def configuration(self) -> Configuration:
        """The stage as `check` reads it."""
        if any(_CUDA_WHEEL.fullmatch(name) for name in self.packages):
            self.unknown_libraries()
        python = self.used or self.python_of("python") or self.python_of("python3") or self.known.machine.python
        if any(name == "tensorflow-gpu" for name in self.packages) and self.known.accelerated is None:
            self.known = replace(self.known, accelerated=True)
        packages = tuple(self.packages.items())
        known = self.known.on(python=python)
        return replace(known, packages=packages, conda=tuple(self.conda), wheels=self.wheel_files)
