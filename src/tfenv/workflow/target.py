"""From what people type about a machine to a `Target`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from tfenv.errors import UsageError
from tfenv.facts.makers import maker_of
from tfenv.model.hardware import Gpu
from tfenv.model.target import Accelerator, Platform, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tfenv.facts.gpus import GpuTable
    from tfenv.model.machine import Machine

_CUDA = re.compile(r"cuda(\d{1,2})?", re.IGNORECASE)
_ROCM = re.compile(r"rocm(\d{1,2}(?:\.\d+){0,2})?", re.IGNORECASE)

_ELSEWHERE = {
    Accelerator.ROCM: (Platform.LINUX_X86_64,),
    Accelerator.METAL: (Platform.MACOS_ARM64,),
    Accelerator.DIRECTML: (Platform.WINDOWS_X86_64, Platform.WSL),
    Accelerator.TPU: (Platform.LINUX_X86_64,),
}
"""What is no GPU of NVIDIA, and the platforms that have it; the first is taken where none is named."""

_OF_OTHERS = {"AMD": "rocm", "Apple": "metal"}
"""What to write for the GPUs of another maker."""


def read_target(
    *,
    gpus: Iterable[str],
    known: Callable[[], GpuTable],
    detect: Callable[[], Machine],
    driver: str | None = None,
    python: str | None = None,
    platform: str | None = None,
    glibc: str | None = None,
    cpu: str | None = None,
) -> Target:
    """The machine that the options describe.

    Args:
        gpus: `cuda12`, `cuda`, `auto`, `none`, names of GPUs or compute capabilities; or one of `rocm`, `rocm6`,
            `rocm6.0`, `metal`, `directml`, `tpu`.
        known: the table in which names of GPUs are looked up, read where one is named.
        detect: looks at this host; called for `auto` only.
        driver: of NVIDIA, such as 535.104.05.
        python: `X.Y` or `X.Y.Z`.
        platform: such as `linux-x86_64`; that of this host is not assumed.
        glibc: such as 2.31.
        cpu: a level or microarchitecture (`x86-64-v3`), or instruction sets by comma (`avx,avx2`).

    Raises:
        UsageError: with everything that cannot be understood.
    """
    faults: list[str] = []
    target = Target(
        platform=_platform(platform, faults),
        python=_version(python, "--python", faults),
        driver=_version(driver, "--driver", faults),
        glibc=_version(glibc, "--glibc", faults),
        cpu=_cpu(cpu, faults),
    )
    words = tuple(gpus)
    if (other := _other(words, faults)) is not None:
        accelerator, rocm = other
        target = replace(target, accelerator=accelerator, rocm=rocm)
        places = _ELSEWHERE[accelerator]
        if not platform:
            target = replace(target, platform=places[0])
        elif target.platform not in places:
            faults.append(f"--gpu {accelerator}: there is one on {' and '.join(map(str, places))}, not on {platform}")
    else:
        accelerator, major, found, seen = _gpus(words, known, detect, faults)
        target = replace(target, accelerator=accelerator, cuda_major=major, gpus=found, driver=target.driver or seen)
    if faults:
        raise UsageError("the target cannot be understood", faults=tuple(faults))
    return target


def _other(words: tuple[str, ...], faults: list[str]) -> tuple[Accelerator, Version | None] | None:
    """What is asked for that is no GPU of NVIDIA, and the ROCm."""
    for word in words:
        rocm = _ROCM.fullmatch(word)
        plain = next((each for each in _ELSEWHERE if word.lower() == each.value), None)
        found = Accelerator.ROCM if rocm is not None else plain
        if found is not None:
            if len(words) > 1:
                faults.append(f"--gpu {word}: cannot be combined with another --gpu")
            return found, Version(rocm[1]) if rocm is not None and rocm[1] else None
    return None


def _gpus(
    words: tuple[str, ...], known: Callable[[], GpuTable], detect: Callable[[], Machine], faults: list[str]
) -> tuple[Accelerator, int | None, tuple[Gpu, ...], Version | None]:
    majors: set[int] = set()
    found: list[Gpu] = []
    driver = None
    lowered = {word.lower() for word in words}
    if lowered & {"none", "cpu"} and len(lowered) > 1:
        faults.append("--gpu none: cannot be combined with another --gpu")
    wanted = bool(lowered - {"none", "cpu"})
    for word in words:
        if (cuda := _CUDA.fullmatch(word)) is not None:
            majors.update({int(cuda[1])} if cuda[1] else ())
        elif word.lower() == "auto":
            gpus, driver = _of_this_host(detect(), known)
            found += gpus
            wanted = bool(found) or len(lowered) > 1
        elif word.lower() not in ("none", "cpu"):
            try:
                found.append(known().find(word))
            except UsageError as error:
                hint = error.hint if (maker := maker_of(word)) is None else _instead(maker)
                faults.append(f"--gpu {word}: {error.message}" + (f" ({hint})" if hint else ""))
    if len(majors) > 1:
        faults.append(f"--gpu: one CUDA major at a time, not {' and '.join(f'cuda{one}' for one in sorted(majors))}")
    accelerator = Accelerator.CUDA if wanted else Accelerator.NONE
    return accelerator, next(iter(majors), None), tuple(dict.fromkeys(found)), driver


def _instead(maker: str) -> str:
    """What to write for a GPU that is not NVIDIA's."""
    return (
        f"of {maker}: `--gpu {_OF_OTHERS[maker]}`" if maker in _OF_OTHERS else f"of {maker}, whose plugin is not locked"
    )


def _of_this_host(machine: Machine, known: Callable[[], GpuTable]) -> tuple[list[Gpu], Version | None]:
    """The NVIDIA GPUs of this host and its driver; a GPU whose capability nobody tells is looked up by its name."""
    gpus = []
    for device in machine.gpus:
        if device.vendor == "nvidia":
            try:
                # the name people use, so that the lock is the one they get who type it
                gpus.append(known().find(device.name))
            except UsageError:
                if device.capability is None:
                    raise
                gpus.append(Gpu(name=device.name, capability=device.capability))
    return gpus, machine.driver.version if machine.driver else None


def _platform(text: str | None, faults: list[str]) -> Platform:
    try:
        return Platform(text.lower()) if text else Platform.LINUX_X86_64
    except ValueError:
        faults.append(f"--platform {text}: one of {', '.join(each.value for each in Platform)}")
        return Platform.LINUX_X86_64


def _version(text: str | None, option: str, faults: list[str]) -> Version | None:
    try:
        return Version(text) if text else None
    except InvalidVersion:
        faults.append(f"{option} {text}: not a version")
        return None


def _cpu(text: str | None, faults: list[str]) -> frozenset[str] | None:
    if not text:
        return None
    from tfenv.machine.processor import features_of

    try:
        return features_of(text)
    except LookupError:
        words = frozenset(word.strip().lower() for word in text.split(",") if word.strip())
        if len(words) == 1 and not next(iter(words)).startswith(("avx", "sse", "fma", "f16c", "neon", "asimd")):
            faults.append(f"--cpu {text}: neither a processor that is known nor instruction sets such as `avx,avx2`")
        return words
