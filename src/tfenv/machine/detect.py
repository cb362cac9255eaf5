"""Detection of everything that matters about a host."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from tfenv.machine import processor, surroundings
from tfenv.machine.devices import gpus
from tfenv.machine.host import ThisHost
from tfenv.model.inventory import Inventory
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from tfenv.machine.host import Host

_PLATFORMS = {
    ("Linux", "x86_64"): Platform.LINUX_X86_64,
    ("Linux", "aarch64"): Platform.LINUX_AARCH64,
    ("Darwin", "arm64"): Platform.MACOS_ARM64,
    ("Darwin", "x86_64"): Platform.MACOS_X86_64,
    ("Windows", "AMD64"): Platform.WINDOWS_X86_64,
}


def load_nvml() -> Any | None:
    """The NVML bindings; ``None`` if they cannot be imported. Whether a driver answers is found out later."""
    try:
        import pynvml
    except ImportError:
        return None
    return pynvml


def this_platform(host: Host | None = None) -> Platform | None:
    """The platform of the host; ``None`` if TensorFlow publishes no wheels for it."""
    host = host or ThisHost()
    found = _PLATFORMS.get(host.kernel)
    if found is Platform.LINUX_X86_64 and is_wsl(host):
        return Platform.WSL
    return found


def is_wsl(host: Host) -> bool:
    """Whether the host is WSL.

    Source: WSL kernels name Microsoft in `/proc/version`, and offer the GPU as `/dev/dxg`.
    """
    return "microsoft" in (host.read("/proc/version") or "").lower()


def glibc(host: Host) -> Version | None:
    """The version of glibc, from the first line of `ldd --version`; ``None`` with musl and outside Linux."""
    text = host.run("ldd", "--version") or ""
    match = re.search(r"(\d+\.\d+)\s*$", text.splitlines()[0]) if text and "musl" not in text else None
    return Version(match[1]) if match else None


def detect(host: Host | None = None, *, nvml: Any | None = None) -> Inventory:
    """Everything that can be detected of a host.

    Args:
        host: host to examine; by default this machine.
        nvml: module `pynvml` as returned by `load_nvml`; ``None`` uses other sources.
    """
    host = host or ThisHost()
    found, driver = gpus(host, nvml)
    cpu = processor.flags(host)
    microarchitecture, level = processor.microarchitecture(cpu)
    unknown = []
    if driver is None and any(device.vendor == "nvidia" for device in found):
        unknown.append("compute capability: an NVIDIA GPU is on the PCI bus, but no driver answers")
    if not found and not host.list("/sys/bus/pci/devices"):
        unknown.append("GPUs: neither a driver nor the PCI bus can be read here")
    return Inventory(
        platform=this_platform(host),
        system=_system(host),
        glibc=glibc(host),
        cpu=cpu,
        microarchitecture=microarchitecture,
        level=level,
        gpus=found,
        driver=driver,
        board=_board(host),
        libraries=surroundings.libraries(host),
        engines=surroundings.engines(host),
        interpreters=surroundings.interpreters(host),
        disk_free=shutil.disk_usage(".").free,
        unknown=tuple(unknown),
    )


def _system(host: Host) -> str:
    release = host.read("/etc/os-release") or ""
    match = re.search(r'^PRETTY_NAME="?([^"\n]+)"?$', release, re.MULTILINE)
    name = match[1] if match else host.kernel[0]
    return f"{name} under WSL" if is_wsl(host) else name


def _board(host: Host) -> str | None:
    """The name of a Jetson board, from the device tree; ``None`` for other machines."""
    model = host.read("/proc/device-tree/model")
    return model if model and "NVIDIA" in model else None
