"""An error log: the facts it tells, as a `Configuration`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfenv.errors import UsageError
from tfenv.inputs import configuration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tfenv.model.configuration import Configuration

_KEYS = ("tf", "python", "cuda", "cudnn", "driver", "gpu", "glibc", "os", "arch")


def read(found: Iterable[Mapping[str, str]]) -> Configuration:
    """The configuration that these facts make; of two of one name the first counts, what cannot be read is left out."""
    from json import dumps

    values: dict[str, Any] = {}
    packages: dict[str, str] = {}
    for each in found:
        for key, value in _spelled(each):
            if key.startswith("packages."):
                packages.setdefault(key.removeprefix("packages."), value)
            else:
                values.setdefault(key, value)
    for key in list(values):
        if not _readable({key: values[key]}):
            del values[key]
    packages = {name: value for name, value in packages.items() if _readable({"packages": {name: value}})}
    return configuration.loads(dumps({**values, "packages": packages}), "the log")


def _spelled(found: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Facts by the keys of the configuration; numbers as they are printed elsewhere (`8200` for cuDNN 8.2.0)."""
    for key, value in found.items():
        if key == "capability":
            yield "compute_capability", value
        elif key == "cp":
            yield "python", f"{value[0]}.{value[1:]}"
        elif key == "sm":
            yield "compute_capability", f"{value[:-1]}.{value[-1]}"
        elif key == "os" and value in ("win32", "win"):
            yield "os", "Windows"
        elif key == "os" and value == "manylinux":
            yield "os", "Linux"
        elif key in _KEYS or key.startswith("packages."):
            yield key, value


def _readable(values: dict[str, Any]) -> bool:
    from json import dumps

    try:
        configuration.loads(dumps(values), "the log")
    except UsageError:
        return False
    return True
