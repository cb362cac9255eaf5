"""The facts laid over an environment that exists: CUDA and cuDNN are those that are there."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.facts.rules import NEVER, cudnn_bounds, cudnn_demands, foreign_libraries
from tfenv.model.package import TENSORFLOW, Name, Requirement
from tfenv.model.target import Platform
from tfenv.overlay.overlay import CPU, GPU, FactsOverlay
from tfenv.overlay.stand_ins import stands_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tfenv.facts.cuda import CudaTable, Toolkit
    from tfenv.facts.database import Database
    from tfenv.facts.rules import Demand
    from tfenv.model.builds import Build
    from tfenv.model.package import File, Metadata
    from tfenv.model.source import Source
    from tfenv.model.target import Target

SYSTEM_CUDA, SYSTEM_CUDNN = Name("system-cuda"), Name("system-cudnn")
"""CUDA libraries that the loader finds, whoever brought them: projects with one release, the one that is there."""


class PresentOverlay(FactsOverlay):
    """As `FactsOverlay`, for what is installed and not for what a lock would choose.

    The distribution of TensorFlow that is named stays as it is: none stands in for it. It requires a CUDA whose
    libraries have the names that it opens, and a cuDNN of the major and minor that it was built with.
    """

    def __init__(self, source: Source, database: Database, target: Target, tensorflow: Version | None = None) -> None:
        beside = NEVER if tensorflow is None else SpecifierSet(f"=={tensorflow}")
        super().__init__(source, database, target, tensorflow=beside)
        self._demanded: dict[tuple[Name, Version], tuple[Demand, ...]] = {}

    def expect(self, wanted: Iterable[Name | File], then: Callable[[], None] | None = None) -> None:
        """Nothing: each pin is asked for once, and nothing is searched."""

    def demands(self, name: Name, version: Version) -> tuple[Demand, ...]:
        """What a release asks of the machine beside its metadata and patches; worked out once."""
        key = (name, version)
        if key not in self._demanded:
            self._demanded[key] = super().demands(name, version)
        return self._demanded[key]

    def cudnn_demands(self, version: Version, cuda_major: int) -> tuple[Demand, ...] | None:
        """What a cuDNN that is there asks of the machine; ``None`` if the facts do not know the release."""
        row = self._database.cudnn.row(version, cuda_major)
        return None if row is None else cudnn_demands(version, row, self._target)

    def newest_cudnn(self, cuda_major: int) -> Version | None:
        """The newest cuDNN for a CUDA major that the facts know."""
        known = [one.releases[-1] for one in self._database.cudnn.all if one.cuda_major == cuda_major]
        return max(known, default=None)

    def _of_stand_in(self, file: File) -> Metadata | None:
        return stands_for(file, self._database.rocm) if file.name == TENSORFLOW else None

    def _for_the_gpu(self, metadata: Metadata) -> list[Requirement]:
        if not self._cuda or metadata.name not in (TENSORFLOW, CPU, GPU):
            return []
        build = self.build(metadata.name, metadata.version)
        if build is None or build.cuda is None:
            return []
        return list(self._stack(f"{metadata.name} {metadata.version}", build))

    def _stack(self, subject: str, build: Build) -> Iterator[Requirement]:
        if (cuda := self._system_cuda(subject, build)) is not None:
            yield cuda
        for bound in cudnn_bounds(subject, build):
            requirement = bound.requirement
            yield Requirement(
                name=SYSTEM_CUDNN,
                specifier=requirement.specifier,
                because=requirement.because,
                source=requirement.source,
                code=requirement.code,
                brought="fact",
            )

    def _system_cuda(self, subject: str, build: Build) -> Requirement | None:
        """A toolkit whose libraries have the names that the build opens."""
        assert build.cuda is not None
        served = _served(self._database.cuda, build.cuda, self._target.platform)
        if served is None:
            return None
        ranges, opened = served
        because = f"{subject} is built with CUDA {build.cuda}"
        return Requirement(
            name=SYSTEM_CUDA,
            any_of=ranges,
            because=f"{because}, and opens {opened}" if opened else because,
            source=build.source,
            code="cuda-mismatch",
            brought="fact",
        )


@lru_cache(maxsize=256)
def _served(table: CudaTable, cuda: Version, platform: Platform) -> tuple[tuple[SpecifierSet, ...], str] | None:
    """The toolkits whose libraries have the names that a build for `cuda` opens, and some of those names."""
    if len(cuda.release) == 1:  # a major alone stands for its newest release, whose names are those of all from X.1 on
        built = next((one for one in reversed(table.all) if one.version.major == cuda.major), None)
    else:
        built = table.toolkit(Version(f"{cuda.major}.{cuda.minor}"))
    if built is None:
        return None
    served = [one.version for one in table.all if not foreign_libraries(built, one, platform)]
    newest = table.all[-1].version
    ranges = [SpecifierSet(f"=={version}.*") for version in served]
    if newest.major == cuda.major and newest in served:
        ranges.append(SpecifierSet(f">{newest},<{newest.major + 1}"))
    others = [one for one in table.all if one.version.major != cuda.major]
    return tuple(ranges), _opened(built, others, platform)


def _opened(built: Toolkit, others: list[Toolkit], platform: Platform) -> str:
    """The libraries by whose names a build tells its own toolkit from others."""
    names = dict.fromkeys(
        (mine.windows if platform is Platform.WINDOWS_X86_64 else mine.soname) or mine.name
        for other in others
        for mine, _ in foreign_libraries(built, other, platform)
    )
    return " and ".join(list(names)[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
