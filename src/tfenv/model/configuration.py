"""What is known of one environment on one machine, as `check` is told it or `doctor` finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.model.hardware import ComputeCapability
    from tfenv.model.package import Name
    from tfenv.model.target import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Any subset of the facts; ``None`` and empty mean "not said".

    Attributes:
        tf: a version or a specifier, as it was said (`2.17.1`, `2.17`, `>=2.15,<2.18`).
        python: `X.Y` or `X.Y.Z`.
        cuda: toolkit whose libraries the loader finds, `X.Y`.
        cudnn: that the loader finds, as precise as it was said.
        driver: of NVIDIA.
        gpus: names or compute capabilities; every one must work.
        capability: measured; it outranks what a single GPU's name tells.
        accelerated: is a GPU to be used? ``None`` if nothing was said about one.
        platform: operating system and processor.
        system: the operating system as it was said (`Ubuntu 20.04`).
        foreign: the platform in words, if TensorFlow has wheels for nothing like it.
        glibc: of the machine.
        cpu: instruction sets, named as in `/proc/cpuinfo`.
        keras: which major `tf.keras` shall be.
        packages: installed, or asked for; several rows of one name must hold together.
        complete: are the packages all that is installed (a freeze, a lock, an environment), and not a few of them?
        observed: were the packages seen installed, so that their wheels fitted?
        installer: the command that installs packages there (`pip`, `uv pip`).
        loader: CUDA libraries by soname, each with every file of that name on the loader path, first found first.
    """

    tf: str | None = None
    python: Version | None = None
    cuda: Version | None = None
    cudnn: Version | None = None
    driver: Version | None = None
    gpus: tuple[str, ...] = ()
    capability: ComputeCapability | None = None
    accelerated: bool | None = None
    platform: Platform | None = None
    system: str | None = None
    foreign: str | None = None
    glibc: Version | None = None
    cpu: frozenset[str] | None = None
    keras: int | None = None
    packages: tuple[tuple[Name, SpecifierSet], ...] = ()
    complete: bool = False
    observed: bool = False
    installer: str = "pip"
    loader: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def package(self, name: str) -> SpecifierSet | None:
        """What is said of a package, by normalized name."""
        return next((specifier for each, specifier in self.packages if each == name), None)

    def version_of(self, name: str) -> Version | None:
        """The version of a package, if exactly one is said."""
        from packaging.version import Version

        exact = [one.version for one in self.package(name) or () if one.operator in ("==", "===")]
        return Version(exact[0]) if len(exact) == 1 and "*" not in exact[0] else None
