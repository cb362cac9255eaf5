"""A Dockerfile, as a `Configuration`: what its last stage holds once every instruction has been carried out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tfenv.inputs.docker import instructions
from tfenv.inputs.docker.bases import stage_of
from tfenv.inputs.docker.packagers import install
from tfenv.inputs.docker.shell import Command, commands
from tfenv.inputs.docker.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfenv.facts.images import ImageTable
    from tfenv.inputs.docker.instructions import Instruction
    from tfenv.model.configuration import Configuration

_PACKAGES = ("site-packages", "dist-packages", "venv", "/usr/local", "/opt/conda", "/usr/lib/python3", "/root/.local")
"""Folders that hold Python packages."""
_PYTHONS = ("venv", "/usr/local", "/opt/conda", "/opt/python", "conda")
"""Folders that hold a Python."""


def loads(
    text: str,
    images: ImageTable,
    *,
    read: Callable[[str], str | None] = lambda _path: None,
    arguments: Mapping[str, str] | None = None,
    target: str | None = None,
) -> Configuration:
    """Read a Dockerfile.

    Args:
        text: content of the file.
        images: base images that are known.
        read: gives the text of a file that it copies (`requirements.txt`), or ``None``.
        arguments: values of build arguments that override their defaults.
        target: stage to build; by default the last one.
    """
    build = _Build(images, read, dict(arguments or {}))
    for instruction in instructions.read(text):
        if instruction.word == "FROM" and target is not None and build.name == target.lower():
            break
        build.carry_out(instruction)
    return build.stage.configuration()


def of_image(reference: str, images: ImageTable) -> Configuration:
    """What an image brings, by its name and tag."""
    return stage_of(reference, images).configuration()


class _Build:
    """The stages of one Dockerfile while they are built."""

    def __init__(self, images: ImageTable, read: Callable[[str], str | None], arguments: dict[str, str]) -> None:
        self._images = images
        self._read = read
        self._given = arguments
        self._global: dict[str, str] = {}
        self._stages: dict[str, Stage] = {}
        self._started = 0
        self.name = ""
        self.stage = Stage(read=read)

    def carry_out(self, instruction: Instruction) -> None:
        """Change the stage by one instruction."""
        match instruction.word:
            case "ARG":
                self._argument(self._expanded(instruction.rest))
            case "FROM":
                self._start(instruction)
            case "ENV":
                values = instructions.environment(self._expanded(instruction.rest))
                self.stage.variables |= values
                self._settings(values)
            case "RUN":
                self._run(instruction)
            case "COPY" | "ADD":
                self._copy(instruction)

    def _expanded(self, text: str) -> str:
        return instructions.expand(text, self.stage.variables if self._started else self._global)

    def _argument(self, rest: str) -> None:
        name, given, default = rest.partition("=")
        name = name.strip()
        known = self._global if self._started else {}
        value = self._given.get(name, default.strip().strip("\"'") if given else known.get(name))
        if value is not None:
            (self.stage.variables if self._started else self._global).setdefault(name, value)

    def _start(self, instruction: Instruction) -> None:
        parts = instructions.expand(instruction.rest, self._global).split()
        if not parts:
            return
        platform = instruction.flags.get("platform")
        earlier = self._stages.get(parts[0].lower())
        platform = None if platform is None else instructions.expand(platform, self._global)
        self.stage = earlier.copy() if earlier is not None else stage_of(parts[0], self._images, platform=platform)
        self.stage.read = self._read
        named = len(parts) > 2 and parts[1].lower() == "as"
        self.name = parts[2].lower() if named else str(self._started)
        self._stages[str(self._started)] = self._stages[self.name] = self.stage
        self._started += 1

    def _settings(self, values: Mapping[str, str]) -> None:
        """Settings of the environment that change what TensorFlow uses."""
        if values.get("CUDA_VISIBLE_DEVICES") in ("-1", "", "none") or values.get("NVIDIA_VISIBLE_DEVICES") in (
            "none",
            "void",
        ):
            self.stage.known = replace(self.stage.known, accelerated=False)
        if values.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true"):
            self.stage.known = replace(self.stage.known, keras=2)

    def _run(self, instruction: Instruction) -> None:
        words = instruction.words
        if words is not None:
            shell = words[:1] and words[0].rpartition("/")[2] in ("sh", "bash") and len(words) > 2
            found = list(commands(words[-1], self.stage.variables)) if shell else [Command(words=words)]
        else:
            script = "\n".join(instruction.documents.values()) or instruction.rest
            lines = [line for line in script.splitlines() if not line.lstrip().startswith("#")]
            found = commands("\n".join(lines).replace("\\\n", " "), self.stage.variables)  # type: ignore[assignment]
        for command in found:
            if command.words:
                install(command, self.stage, self._images)

    def _copy(self, instruction: Instruction) -> None:
        """Files that the Dockerfile itself holds, and what comes from another stage or image."""
        words = instruction.words or self._expanded(instruction.rest).split()
        if instruction.documents:
            self.stage.files[words[-1].rpartition("/")[2]] = "\n".join(instruction.documents.values())
            return
        install(Command(words=["copy", *words]), self.stage, self._images)
        origin = instruction.flags.get("from")
        if origin is None:
            self._rename(words)
        if origin is None or len(words) < 2:
            return
        origin = self._expanded(origin)
        other = self._stages.get(origin.lower()) or stage_of(origin, self._images)
        for path in words[:-1]:
            self._bring(path.rstrip("/"), other)

    def _rename(self, words: list[str]) -> None:
        """A file of the context that gets another name in the image."""
        match words:
            case [first, last]:
                source, target = first.rpartition("/")[2], last.rpartition("/")[2]
            case _:
                return
        if source != target and "." in target.strip(".") and (text := self.stage.text_of(words[0])) is not None:
            self.stage.files[target] = text

    def _bring(self, path: str, other: Stage) -> None:
        """What a folder of another stage adds."""
        stage = self.stage
        if not path or any(folder in path for folder in _PACKAGES):
            stage.packages |= other.packages
            stage.conda |= other.conda
            stage.wheel_files = (*stage.wheel_files, *other.wheel_files)
            stage.used = other.used if other.used is not None and stage.used is None else stage.used
            if other.known.tf is not None:
                stage.known = replace(stage.known, tf=other.known.tf)
        if (not path or any(folder in path for folder in _PYTHONS)) and "lib" not in path.rpartition("/")[2]:
            stage.commands |= {name: found for name, found in other.commands.items() if name not in stage.commands}
        if "wheel" in path or path.rpartition("/")[2] in ("dist", "wheels", "whl", "packages"):
            stage.wheels |= other.wheels
        if "/cuda" in path and other.known.cuda is not None:
            stage.libraries(cuda=other.known.cuda)
        if "cudnn" in path and other.known.cudnn is not None:
            stage.libraries(cudnn=other.known.cudnn)
