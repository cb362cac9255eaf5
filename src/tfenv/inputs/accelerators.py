"""Words of `--gpu`: names of GPUs, `cuda12`, `auto`, `none`, and accelerators of other makers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.database import load
from tfenv.facts.makers import maker_of
from tfenv.model.hardware import Gpu
from tfenv.model.target import Accelerator, Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfenv.model.inventory import GpuDevice

AUTO = "auto"
"""The GPUs of this machine."""
NOTHING = ("none", "cpu")
"""Words for no GPU."""

PLACES = {
    Accelerator.ROCM: (Platform.LINUX_X86_64,),
    Accelerator.METAL: (Platform.MACOS_ARM64,),
    Accelerator.DIRECTML: (Platform.WINDOWS_X86_64, Platform.WSL),
    Accelerator.TPU: (Platform.LINUX_X86_64,),
}
"""Accelerators that are not GPUs of NVIDIA, and the platforms that have them, the usual one first."""

_CUDA = re.compile(r"cuda(\d{1,2})?")
_GFX = re.compile(r"gfx[0-9a-f]{3,4}")
_ROCM = re.compile(r"rocm(\d{1,2}(?:\.\d+){0,2})?")
_WRITTEN = {"AMD": "rocm", "Apple": "metal"}
"""What to write for the GPUs of another maker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerators:
    """Accelerators that words of `--gpu` ask for.

    Attributes:
        kind: kind of accelerator; ``None`` if it depends on the GPUs of this machine.
        cuda: requested major release of CUDA.
        rocm: requested ROCm: 6, or 6.0.
        gpus: NVIDIA GPUs, each once.
        gfx: targets of AMD's GPUs, each once.
    """

    kind: Accelerator | None
    cuda: int | None = None
    rocm: Version | None = None
    gpus: tuple[Gpu, ...] = ()
    gfx: tuple[str, ...] = ()


def read_gpu(text: str) -> Gpu | str:
    """One word of `--gpu`: a GPU, or a word such as `cuda12`, `metal` or `gfx1100` in lower case.

    Raises:
        ValueError: no GPU has the name; the message has the nearest names.
    """
    word = text.strip().lower()
    if word in (AUTO, *NOTHING, *(kind.value for kind in PLACES)) or _CUDA.fullmatch(word) or _ROCM.fullmatch(word):
        return word
    known = load().gpus
    try:
        return known.find(text)
    except UsageError as error:
        if (other := known.other(text)) is not None:
            return other
        hint = error.hint if (maker := maker_of(text)) is None else _instead(maker)
        raise ValueError(error.message + (f" ({hint})" if hint else "")) from None


def contradictions(words: Iterable[Gpu | str]) -> Iterator[str]:
    """Reasons why words of `--gpu` cannot be combined, one sentence each."""
    several = list(dict.fromkeys(words))
    alone = [word for word in several if isinstance(word, str) and (word in NOTHING or _kind(word) is not None)]
    if len(several) > 1 and not set(several) <= set(NOTHING) and not all(map(_is_gfx, several)):
        yield from (f"`{word}` cannot be combined with another GPU" for word in alone)
    majors = sorted({major for word in several if (major := _major(word)) is not None})
    if len(majors) > 1:
        yield f"one CUDA major at a time, not {' and '.join(f'cuda{major}' for major in majors)}"


def accelerators(words: Sequence[Gpu | str]) -> Accelerators:
    """The accelerators that words of `--gpu` ask for; the words do not contradict each other."""
    for word in words:
        if isinstance(word, str) and (kind := _kind(word)) is not None:
            rocm = _ROCM.fullmatch(word)
            return Accelerators(
                kind=kind,
                rocm=Version(rocm[1]) if rocm is not None and rocm[1] else None,
                gfx=tuple(dict.fromkeys(str(each) for each in words if _is_gfx(each))),
            )
    wanted = [word for word in words if word not in NOTHING]
    return Accelerators(
        kind=Accelerator.NONE if not wanted else None if set(wanted) == {AUTO} else Accelerator.CUDA,
        cuda=next((major for word in wanted if (major := _major(word)) is not None), None),
        gpus=tuple(dict.fromkeys(word for word in wanted if isinstance(word, Gpu))),
    )


def gpus_of(devices: Iterable[GpuDevice]) -> tuple[Gpu, ...]:
    """The NVIDIA GPUs of a machine, under the names that people write, so that both ways give the same lock.

    Raises:
        UsageError: a GPU whose name is not known, and whose compute capability could not be read.
    """
    known = load().gpus
    return tuple(gpu if isinstance(gpu, Gpu) else known.find(gpu) for gpu in read_devices(devices))


def read_devices(devices: Iterable[GpuDevice]) -> tuple[Gpu | str, ...]:
    """The same without an error: a GPU whose name and compute capability are unknown stays text."""
    known, gpus = load().gpus, list[Gpu | str]()
    for device in devices:
        if device.vendor != "nvidia":
            continue
        try:
            gpu = known.find(device.name)
        except UsageError:
            gpus.append(
                device.name if device.capability is None else Gpu(name=device.name, capability=device.capability)
            )
        else:
            gpus.append(gpu if device.capability is None else replace(gpu, capability=device.capability))
    return tuple(dict.fromkeys(gpus))


def _kind(word: str) -> Accelerator | None:
    """The accelerator of another maker that a word names."""
    rocm = _ROCM.fullmatch(word) or _GFX.fullmatch(word)
    return Accelerator.ROCM if rocm else next((kind for kind in PLACES if kind.value == word), None)


def _is_gfx(word: Gpu | str) -> bool:
    return isinstance(word, str) and _GFX.fullmatch(word) is not None


def _major(word: Gpu | str) -> int | None:
    match = _CUDA.fullmatch(word) if isinstance(word, str) else None
    return int(match[1]) if match is not None and match[1] else None


def _instead(maker: str) -> str:
    """The word of `--gpu` for a GPU of another maker than NVIDIA."""
    return f"of {maker}: `--gpu {_WRITTEN[maker]}`" if maker in _WRITTEN else f"of {maker}, whose plugin is not locked"
