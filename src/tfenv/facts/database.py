"""The tables of `constraints/facts/`, each read on first use."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.facts.location import in_use

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.facts.alternatives import AlternativeTable
    from tfenv.facts.closures import Closures
    from tfenv.facts.companions import CompanionTable
    from tfenv.facts.compile import CompileTable
    from tfenv.facts.cuda import CudaTable
    from tfenv.facts.cudnn import CudnnTable
    from tfenv.facts.gpus import GpuTable
    from tfenv.facts.habits import HabitTable
    from tfenv.facts.identity import DistributionTable
    from tfenv.facts.images import ImageTable
    from tfenv.facts.keras import KerasVersions
    from tfenv.facts.needs import NeedTable
    from tfenv.facts.patches import PatchTable
    from tfenv.facts.projects import ProjectTable
    from tfenv.facts.releases import ReleaseTable
    from tfenv.facts.rocm import RocmTable
    from tfenv.facts.signatures import SignatureTable
    from tfenv.facts.systems import SystemTable
    from tfenv.facts.wheels import WheelTable


class Database:
    """All tables; each is read on first use, so that a question about a GPU does not read a hundred releases."""

    def __init__(self, root: Path) -> None:
        """Nothing is read yet.

        Raises:
            UsageError: the folder does not exist.
        """
        if not root.is_dir():
            raise UsageError(f"there is no folder `{root}`", hint="install tfenv again")
        self.root = root

    @cached_property
    def closures(self) -> Closures:
        """Projects that are installed with a release."""
        from tfenv.facts.closures import Closures

        return Closures(self.root / "closures.txt")

    @cached_property
    def compile(self) -> CompileTable:
        """Compiler options of custom ops."""
        from tfenv.facts.compile import CompileTable

        return CompileTable(self.root / "compile.toml")

    @cached_property
    def cuda(self) -> CudaTable:
        """CUDA toolkits."""
        from tfenv.facts.cuda import CudaTable

        return CudaTable(self.root / "cuda.toml")

    @cached_property
    def cudnn(self) -> CudnnTable:
        """Releases of cuDNN."""
        from tfenv.facts.cudnn import CudnnTable

        return CudnnTable(self.root / "cudnn.toml")

    @cached_property
    def gpus(self) -> GpuTable:
        """GPUs by name."""
        from tfenv.facts.gpus import GpuTable

        return GpuTable(self.root / "gpus.toml")

    @cached_property
    def images(self) -> ImageTable:
        """Base images."""
        from tfenv.facts.images import ImageTable

        return ImageTable(self.root / "images.toml")

    @cached_property
    def releases(self) -> ReleaseTable:
        """TensorFlow releases."""
        from tfenv.facts.releases import ReleaseTable

        return ReleaseTable(self.root / "tensorflow")

    @cached_property
    def patches(self) -> PatchTable:
        """Corrections of published metadata."""
        from tfenv.facts.patches import PatchTable

        return PatchTable(self.root / "patches.toml")

    @cached_property
    def signatures(self) -> SignatureTable:
        """Known error messages."""
        from tfenv.facts.signatures import SignatureTable

        return SignatureTable(self.root / "signatures.toml")

    @cached_property
    def habits(self) -> HabitTable:
        """Ways of writing code that some releases reject."""
        from tfenv.facts.habits import HabitTable

        return HabitTable(self.root / "habits.toml")

    @cached_property
    def keras(self) -> KerasVersions:
        """Versions of Keras behind `tf.keras`."""
        from tfenv.facts.keras import KerasVersions

        return KerasVersions(self.root / "keras.toml")

    @cached_property
    def wheels(self) -> WheelTable:
        """CUDA libraries from wheels, for releases without `and-cuda`."""
        from tfenv.facts.wheels import WheelTable

        return WheelTable(self.root / "wheels.toml")

    @cached_property
    def alternatives(self) -> AlternativeTable:
        """Alternatives for machines on which no release of an index uses the GPU."""
        from tfenv.facts.alternatives import AlternativeTable

        return AlternativeTable(self.root / "alternatives.toml")

    @cached_property
    def companions(self) -> CompanionTable:
        """Releases of other packages that work with a TensorFlow."""
        from tfenv.facts.companions import CompanionTable

        return CompanionTable(self.root / "companions.toml")

    @cached_property
    def needs(self) -> NeedTable:
        """What releases of companions need beside their metadata."""
        from tfenv.facts.needs import NeedTable

        return NeedTable(self.root / "needs.toml")

    @cached_property
    def distributions(self) -> DistributionTable:
        """Distributions of TensorFlow, and distributions that write the same files."""
        from tfenv.facts.identity import DistributionTable

        return DistributionTable(self.root / "distributions.toml")

    @cached_property
    def projects(self) -> ProjectTable:
        """Releases of the projects that TensorFlow requires, and of its companions."""
        from tfenv.facts.projects import ProjectTable

        return ProjectTable(self.root / "projects.zip")

    @cached_property
    def rocm(self) -> RocmTable:
        """TensorFlow for AMD's GPUs."""
        from tfenv.facts.rocm import RocmTable

        return RocmTable(self.root / "rocm.toml")

    @cached_property
    def systems(self) -> SystemTable:
        """The glibc of distributions."""
        from tfenv.facts.systems import SystemTable

        return SystemTable(self.root / "systems.toml")

    def check(self) -> None:
        """Read every table completely.

        Raises:
            UsageError: a table has faults.
        """
        from tfenv.facts import silent

        for name, member in vars(Database).items():
            if isinstance(member, cached_property):
                getattr(self, name)
        for project in self.projects.names:
            self.projects.rows(project)
        silent.load(self.root / "tensorflow" / "silent.toml")
        if not any(self.releases) or not self.closures.rows:
            raise UsageError(f"`{self.root}` contains no releases of TensorFlow")


def load() -> Database:
    """The tables in use. Each is read on first use and kept for later calls.

    Raises:
        UsageError: the tables are missing, or those of the user are damaged.
    """
    return _opened(in_use().root / "facts")


@lru_cache(maxsize=1)
def _opened(root: Path) -> Database:
    return Database(root)
