"""Requirements that ask for a GPU: what their name says, and what their extras bring."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.model.package import TENSORFLOW
from tfenv.model.target import Accelerator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.facts.database import Database
    from tfenv.facts.releases import ReleaseTable
    from tfenv.model.package import Requirement

_MARK = re.compile(r"-gpu$|(?:^|-)(?:cuda|cu(?=\d))(?P<number>\d{2,3})?x?(?:-|$)")
_NAMED = re.compile(r"^\s*([A-Za-z0-9._-]+)")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
_FOR = {
    Accelerator.CUDA: "GPUs of NVIDIA",
    Accelerator.ROCM: "GPUs of AMD",
    Accelerator.METAL: "GPUs of Apple",
    Accelerator.DIRECTML: "GPUs with DirectX 12",
    Accelerator.TPU: "TPUs",
}
_NEWEST_MAJOR = 20
"""Numbers above are a CUDA release without its dot: `cu112` is 11.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An accelerator that a requirement asks for.

    Attributes:
        accelerator: kind of accelerator.
        cuda: CUDA major that it is built for, if it says one.
        because: reason, as a sentence about the requirement.
    """

    accelerator: Accelerator
    cuda: int | None = None
    because: str = ""


def of_name(name: str) -> Wish | None:
    """What the name of a distribution asks for: `onnxruntime-gpu`, `cupy-cuda12x`, `mxnet-cu112`; ``None`` if nothing.

    Projects name a build for GPUs so, and so do NVIDIA's own wheels: https://docs.cupy.dev/en/stable/install.html.
    """
    match = _MARK.search(name)
    if match is None:
        return None
    number = match["number"]
    major = None if number is None else int(number) if int(number) <= _NEWEST_MAJOR else int(number[:-1])
    return Wish(accelerator=Accelerator.CUDA, cuda=major, because=f"`{name}` is built for GPUs of NVIDIA")


def of_extra(name: str, extra: str, brought: Iterable[str]) -> Wish | None:
    """What an extra asks for, by the distributions that it brings; ``None`` if none of them is built for a GPU."""
    for other in brought:
        if (wish := of_name(other)) is not None:
            return replace(wish, because=f"`{name}[{extra}]` brings {other}, which is built for GPUs of NVIDIA")
    return None


def of_tensorflow(requirement: Requirement, database: Database) -> Wish | None:
    """What a requirement of TensorFlow asks for; ``None`` if nothing, or if it is not about TensorFlow.

    An extra counts even if the releases that are asked for do not have it.

    Raises:
        UsageError: no release of TensorFlow has an extra that is asked for.
    """
    row = database.distributions.of(requirement.name)
    if row is None:
        return None
    if row.wish is not None and row.wish is not Accelerator.NONE:
        return Wish(accelerator=row.wish, because=f"`{row.name}` is TensorFlow for {_FOR[row.wish]}")
    found = None
    for extra in sorted(requirement.extras):
        brought = _brought(extra, database.releases)
        if not brought:
            raise UsageError(
                f"`{requirement.name}[{extra}]`: no release of TensorFlow has an extra `{extra}`",
                hint="`--gpu cuda12` locks TensorFlow with CUDA; `tensorflow[and-cuda]` asks for the same",
            )
        found = found or of_extra(requirement.name, extra, brought)
    return None if found is None else replace(found, cuda=None)


def _brought(extra: str, releases: ReleaseTable) -> tuple[str, ...]:
    """The distributions that an extra of TensorFlow brings in the newest release that has it; empty if none has it."""
    for stem in reversed(releases.minors):
        for version in releases.versions_of(stem):
            facts = releases.release(TENSORFLOW, version)
            for wheel in () if facts is None else facts.wheels:
                lines = [line for line in wheel.requires_dist or () if extra in _EXTRA.findall(line)]
                if lines:
                    return tuple(match[1] for line in lines if (match := _NAMED.match(line)))
    return ()
