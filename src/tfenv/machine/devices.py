"""GPUs and the NVIDIA driver, from NVML, or else `nvidia-smi`, or else `/proc` and `/sys`."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from tfenv.model.hardware import ComputeCapability
from tfenv.model.inventory import Driver, GpuDevice

if TYPE_CHECKING:
    from tfenv.machine.host import Host

_VENDORS = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}
_SMI_QUERY = "--query-gpu=name,compute_cap,driver_version,memory.total"
_MEBIBYTE = 1 << 20


def gpus(host: Host, nvml: Any | None) -> tuple[tuple[GpuDevice, ...], Driver | None]:
    """All GPUs, and the NVIDIA driver if there is one.

    Args:
        host: host to examine.
        nvml: module `pynvml`; ``None`` uses other sources.
    """
    on_bus = _on_the_bus(host)
    others = tuple(device for device in on_bus if device.vendor != "nvidia")
    silent = tuple(device for device in on_bus if device.vendor == "nvidia")
    for found in (_by_nvml(nvml) if nvml is not None else None, _by_smi(host), _by_proc(host)):
        if found is not None:
            devices, driver = found
            seen = (devices or silent) + others
            if not any(device.vendor == "nvidia" for device in seen) and driver.trouble is None:
                driver = replace(driver, trouble="it finds no GPU")
            return seen, driver
    return silent + others, None


def _by_nvml(nvml: Any) -> tuple[tuple[GpuDevice, ...], Driver] | None:
    """GPUs and driver by NVML; ``None`` if it does not answer.

    Source: NVML API reference, nvmlSystemGetDriverVersion, nvmlDeviceGetCudaComputeCapability.
    """
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    try:
        version = _version(_text(nvml.nvmlSystemGetDriverVersion()))
        if version is None:
            return None
        cuda = nvml.nvmlSystemGetCudaDriverVersion_v2()
        devices = []
        trouble = None
        for index in range(nvml.nvmlDeviceGetCount()):
            try:
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                devices.append(
                    GpuDevice(
                        name=_text(nvml.nvmlDeviceGetName(handle)),
                        vendor="nvidia",
                        capability=ComputeCapability(*nvml.nvmlDeviceGetCudaComputeCapability(handle)),
                        memory=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
                    )
                )
            except nvml.NVMLError as error:
                trouble = f"GPU {index} does not answer: {error}"
        driver = Driver(
            version=version,
            cuda=Version(f"{cuda // 1000}.{cuda % 1000 // 10}"),
            seen_by="nvml",
            trouble=trouble,
        )
        return tuple(devices), driver
    except nvml.NVMLError:
        return None
    finally:
        with suppress(nvml.NVMLError):
            nvml.nvmlShutdown()


def _smi(host: Host, *arguments: str) -> str | None:
    """The output of `nvidia-smi`, which is not on the PATH in WSL (CUDA on WSL User Guide)."""
    return host.run("nvidia-smi", *arguments) or host.run("/usr/lib/wsl/lib/nvidia-smi", *arguments)


def _by_smi(host: Host) -> tuple[tuple[GpuDevice, ...], Driver] | None:
    text = _smi(host, _SMI_QUERY, "--format=csv,noheader,nounits")
    capability_known = text is not None
    if text is None:
        # drivers before 510 do not support `compute_cap`
        text = _smi(host, _SMI_QUERY.replace("compute_cap,", ""), "--format=csv,noheader,nounits")
    if text is None:
        return None
    devices = []
    version = None
    for line in text.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) != 3 + capability_known:
            continue
        capability = None
        if capability_known:
            with suppress(ValueError):
                capability = ComputeCapability.parse(fields[1])
        version = _version(fields[-2])
        memory = int(fields[-1]) * _MEBIBYTE if fields[-1].isdigit() else None
        devices.append(GpuDevice(name=fields[0], vendor="nvidia", capability=capability, memory=memory))
    if version is None:
        return None
    header = re.search(r"CUDA Version:\s*([\d.]+)", _smi(host) or "")
    return tuple(devices), Driver(version=version, cuda=_version(header[1]) if header else None, seen_by="nvidia-smi")


def _by_proc(host: Host) -> tuple[tuple[GpuDevice, ...], Driver] | None:
    text = host.read("/proc/driver/nvidia/version") or host.read("/sys/module/nvidia/version") or ""
    match = re.search(r"\b(\d{3}\.\d+(?:\.\d+)?)\b", text)
    version = _version(match[1]) if match else None
    if version is None:
        return None
    devices = []
    for slot in host.list("/proc/driver/nvidia/gpus"):
        model = re.search(
            r"^Model:\s*(.+)$", host.read(f"/proc/driver/nvidia/gpus/{slot}/information") or "", re.MULTILINE
        )
        if model:
            devices.append(GpuDevice(name=model[1].strip(), vendor="nvidia"))
    trouble = "the kernel module is loaded, but its management library does not answer"
    return tuple(devices), Driver(version=version, seen_by="/proc", trouble=trouble)


def _on_the_bus(host: Host) -> tuple[GpuDevice, ...]:
    """Display controllers on the PCI bus (class 03), named by vendor and device number: only drivers know names."""
    found = []
    for slot in host.list("/sys/bus/pci/devices"):
        base = f"/sys/bus/pci/devices/{slot}"
        kind = (host.read(f"{base}/class") or "").strip()
        vendor = _VENDORS.get((host.read(f"{base}/vendor") or "").strip())
        if vendor is not None and kind.startswith("0x03"):
            device = (host.read(f"{base}/device") or "").strip().removeprefix("0x")
            number = (host.read(f"{base}/vendor") or "").strip().removeprefix("0x")
            found.append(GpuDevice(name=f"{number}:{device}", vendor=vendor))
    return tuple(found)


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _version(text: str) -> Version | None:
    try:
        return Version(text.strip())
    except InvalidVersion:
        return None
