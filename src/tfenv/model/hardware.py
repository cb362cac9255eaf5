"""Compute capabilities of GPUs, and the architectures that machine code is built for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from packaging.version import Version

_CAPABILITY = re.compile(r"(?:sm_|compute_|lto_)?(\d{1,2})\.?(\d)([af]?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class ComputeCapability:
    """Compute capability of a GPU, such as 8.6; ordered as numbers, not as text.

    Attributes:
        major: number before the point.
        minor: number after the point.
    """

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> ComputeCapability:
        """Read ``8.6``, ``86``, ``sm_86`` or ``compute_86``; a variant letter is dropped.

        Raises:
            ValueError: the text is not a compute capability.
        """
        return Architecture.parse(text).capability

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True, order=True)
class Architecture:
    """Target of machine code (SASS) or PTX: a compute capability, possibly with a variant.

    The variant ``a`` (architecture-specific) runs on exactly that capability, ``f`` (family-specific) on the same
    major and the same or a higher minor. Source: CUDA C++ Programming Guide, "Compute capability" and "Feature set
    compiler targets".

    Attributes:
        capability: compute capability of the GPUs it is for.
        variant: `a`, `f` or empty.
    """

    capability: ComputeCapability
    variant: str = ""

    @classmethod
    @lru_cache(maxsize=256)
    def parse(cls, text: str) -> Architecture:
        """Read ``9.0``, ``90a``, ``sm_86``, ``compute_90`` or ``120``.

        Raises:
            ValueError: the text is not an architecture.
        """
        match = _CAPABILITY.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"`{text}` is not a compute capability such as 8.6 or sm_86")
        return cls(ComputeCapability(int(match[1]), int(match[2])), match[3].lower())

    def sass_runs_on(self, gpu: ComputeCapability) -> bool:
        """Whether machine code runs on a GPU: on the same major and an equal or higher minor."""
        if self.variant == "a":
            return gpu == self.capability
        return gpu.major == self.capability.major and gpu.minor >= self.capability.minor

    def ptx_runs_on(self, gpu: ComputeCapability) -> bool:
        """Whether the driver compiles PTX for a GPU: for an equal or higher capability, unless it has a variant."""
        if self.variant:
            return self.sass_runs_on(gpu)
        return gpu >= self.capability

    def __str__(self) -> str:
        return f"{self.capability}{self.variant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU that the environment has to support.

    Attributes:
        name: common name (`V100`), or the capability (`8.6`) if only that was given.
        capability: its compute capability.
    """

    name: str
    capability: ComputeCapability


_NEWEST = 9999
"""Minor version that stands for the newest driver of a branch."""


def driver_of(driver: Version) -> Version:
    """The driver that a version names: a branch alone (`525`) stands for its newest driver."""
    return driver if len(driver.release) > 1 else Version(f"{driver.major}.{_NEWEST}")


def driver_text(driver: Version) -> str:
    """A driver version as NVIDIA writes it: 535.54.03 for the `Version` 535.54.3.

    Every component after the first has at least two digits (496.04 on Windows, 525.60.13 on Linux). The newest driver
    of a branch is written as the branch.
    """
    first, *rest = driver.release
    if rest == [_NEWEST]:
        return str(first)
    return ".".join((str(first), *(f"{component:02}" for component in rest)))
