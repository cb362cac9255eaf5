"""Python and the machine as packages: what the target answers to requirements on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.model.target import Accelerator
from tfenv.resolver.candidate import PYTHON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfenv.model.package import Requirement
    from tfenv.model.target import Target

CUDA_MAJORS = tuple(Version(str(major)) for major in range(20, 6, -1))
"""What `--gpu cuda` may turn out to be; a build asks for the one it was compiled with."""

ROCM = tuple(Version(f"{major}.{minor}") for major in range(10, 2, -1) for minor in range(9, -1, -1))
"""The same of `--gpu rocm`."""


@dataclass(frozen=True, slots=True, eq=False)
class VirtualCandidate:
    """One answer of the target.

    Attributes:
        identifier: of the virtual package.
        versions: all of these must satisfy a requirement (several GPUs); ``None`` if the target does not say, then
            every requirement is accepted, and becomes something that the lock asks of a machine.
        words: for packages whose requirements are written as extras: instruction sets, platforms; ``None`` as above.
    """

    identifier: str
    versions: tuple[Version, ...] | None = None
    words: frozenset[str] | None = None

    def satisfies(self, requirement: Requirement) -> bool:
        """Does the target have what is required?"""
        if self.versions is not None and not all(requirement.allows(version) for version in self.versions):
            return False
        return self.words is None or requirement.extras <= self.words


def answers(target: Target, pythons: Sequence[Version]) -> dict[str, tuple[VirtualCandidate, ...]]:
    """All virtual packages of a target; `pythons` are full versions, newest first."""

    def one(name: str, version: Version | None) -> tuple[VirtualCandidate, ...]:
        return (VirtualCandidate(name, None if version is None else (version,)),)

    capabilities = tuple(Version(str(gpu.capability)) for gpu in target.gpus)
    if target.accelerator is not Accelerator.CUDA:
        majors: tuple[Version, ...] = (Version("0"),)
    elif target.cuda_major is not None:
        majors = (Version(str(target.cuda_major)),)
    else:
        majors = CUDA_MAJORS
    return {
        PYTHON: tuple(VirtualCandidate(PYTHON, (python,)) for python in pythons),
        "__driver": one("__driver", target.driver),
        "__compute_capability": (VirtualCandidate("__compute_capability", capabilities or None),),
        "__glibc": one("__glibc", target.glibc),
        "__cpu": (VirtualCandidate("__cpu", words=target.cpu),),
        "__platform": (
            VirtualCandidate("__platform", words=frozenset({target.platform.value, target.platform.wheels.value})),
        ),
        "__cuda": tuple(VirtualCandidate("__cuda", (major,)) for major in majors),
        "__rocm": tuple(VirtualCandidate("__rocm", (version,)) for version in ROCM if _is_asked(version, target.rocm)),
        # a release that is known not to work asks for a 0 that no target has
        "__known_bad": one("__known_bad", Version("1")),
    }


def _is_asked(rocm: Version, asked: Version | None) -> bool:
    """`6` asks for any of its minors, `6.0` and `6.0.2` for one."""
    return asked is None or rocm.release[: len(asked.release)] == asked.release[:2]
