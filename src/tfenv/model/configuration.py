"""Known facts about one environment on one machine, given to `check` or found by `doctor`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.model.lock import Origin
from tfenv.model.target import Accelerator, Machine

if TYPE_CHECKING:
    from packaging.version import Version

    from tfenv.model.hardware import ComputeCapability
    from tfenv.model.lock import Lock
    from tfenv.model.package import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverFloor:
    """The lowest driver for which the maker of an image says that it runs.

    Attributes:
        version: the driver.
        by: reference of the image.
        source: page that says so.
    """

    version: Version
    by: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Any subset of the facts; ``None`` and empty mean "not given".

    Attributes:
        machine: machine of the environment, with its Python.
        tf: version or specifier of TensorFlow, as given (`2.17.1`, `2.17`, `>=2.15,<2.18`).
        cuda: toolkit whose libraries the loader finds, `X.Y`; `0` if there is known to be none.
        cudnn: cuDNN that the loader finds, as precise as given; `0` if there is known to be none.
        capability: measured compute capability; it overrides that of a single named GPU.
        accelerated: whether a GPU shall be used; ``None`` if not given.
        keras: wanted major version of `tf.keras`.
        packages: installed or requested packages; all rows of one name must hold.
        complete: whether `packages` lists everything that is installed (a freeze, a lock, an environment).
        observed: whether the packages were seen installed, so that their wheels fit.
        installer: command that installs packages there (`pip`, `uv pip`).
        conda: packages that conda installs, whose releases may not be those of PyPI.
        wheels: names of wheels that are installed from a file or a URL.
        floor: lowest driver for the base image.
        loader: CUDA libraries by soname, each with all files of that name in the order of the loader path.
    """

    machine: Machine = field(default_factory=Machine)
    tf: str | None = None
    cuda: Version | None = None
    cudnn: Version | None = None
    capability: ComputeCapability | None = None
    accelerated: bool | None = None
    keras: int | None = None
    packages: tuple[tuple[Name, SpecifierSet], ...] = ()
    complete: bool = False
    observed: bool = False
    installer: str = "pip"
    conda: tuple[Name, ...] = ()
    wheels: tuple[str, ...] = ()
    floor: DriverFloor | None = None
    loader: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, lock: Lock) -> Configuration:
        """The environment and machine that a lock describes."""
        target, system = lock.target, lock.stack.origin is Origin.SYSTEM
        return cls(
            machine=target,
            cuda=lock.stack.cuda if system else None,
            cudnn=lock.stack.cudnn if system else None,
            accelerated=target.accelerator is Accelerator.CUDA,
            packages=tuple((one.name, SpecifierSet(f"=={one.version}")) for one in lock.packages),
            complete=True,
        )

    def on(self, **changes: object) -> Configuration:
        """The same environment on a machine of which other things are known."""
        return replace(self, machine=replace(self.machine, **changes))  # type: ignore[arg-type]

    def package(self, name: str) -> SpecifierSet | None:
        """The rows about a package, by normalized name."""
        return next((specifier for each, specifier in self.packages if each == name), None)

    def version_of(self, name: str) -> Version | None:
        """The version of a package, if exactly one is given."""
        from packaging.version import Version

        exact = [one.version for one in self.package(name) or () if one.operator in ("==", "===")]
        return Version(exact[0]) if len(exact) == 1 and "*" not in exact[0] else None
