"""A host that was written down: files, commands and what NVML says, as one TOML file."""

from __future__ import annotations

import tomllib
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class RecordedHost:
    """Answers from the tables `environment`, `files` and `commands` of the recording."""

    def __init__(self, recording: Mapping[str, Any]) -> None:
        self.recording = recording
        self.environment: Mapping[str, str] = recording.get("environment", {})
        system, machine = recording.get("kernel", ("Linux", "x86_64"))
        self.kernel: tuple[str, str] = (system, machine)
        self._files: Mapping[str, str] = recording.get("files", {})
        self._commands: Mapping[str, str] = recording.get("commands", {})

    @classmethod
    def load(cls, path: Path) -> RecordedHost:
        return cls(tomllib.loads(path.read_text(encoding="utf-8")))

    def read(self, path: str) -> str | None:
        return self._files.get(path)

    def list(self, directory: str) -> tuple[str, ...]:
        parts = PurePosixPath(directory).parts
        found = {
            path.parts[len(parts)]
            for path in map(PurePosixPath, self._files)
            if path.parts[: len(parts)] == parts and len(path.parts) > len(parts)
        }
        return tuple(sorted(found))

    def run(self, *command: str) -> str | None:
        return self._commands.get(" ".join(command))

    @property
    def nvml(self) -> Any:
        """A module that speaks like `pynvml`, or ``None`` if the recording says nothing of NVML."""
        said = self.recording.get("nvml")
        return None if said is None else _nvml(said)


class NVMLError(Exception):
    """As the bindings raise it."""


def _nvml(said: Mapping[str, Any]) -> Any:
    def start() -> None:
        if "error" in said:
            raise NVMLError(said["error"])

    def handle(index: int) -> Mapping[str, Any]:
        device: Mapping[str, Any] = said["devices"][index]
        if "error" in device:
            raise NVMLError(device["error"])
        return device

    return SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=start,
        nvmlShutdown=lambda: None,
        nvmlSystemGetDriverVersion=lambda: said["driver"],
        nvmlSystemGetCudaDriverVersion_v2=lambda: said["cuda"],
        nvmlDeviceGetCount=lambda: len(said["devices"]),
        nvmlDeviceGetHandleByIndex=handle,
        nvmlDeviceGetName=lambda device: device["name"],
        nvmlDeviceGetCudaComputeCapability=lambda device: tuple(device["capability"]),
        nvmlDeviceGetMemoryInfo=lambda device: SimpleNamespace(total=device["memory"]),
    )
