"""The facts laid over an index: what metadata does not say, said in its own terms."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tfenv.facts.releases import platform_of
from tfenv.facts.rules import Demand, build_demands, cudnn_demands, runtime_demands
from tfenv.model.package import Metadata, Name, Release, Requirement
from tfenv.model.target import Accelerator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from packaging.version import Version

    from tfenv.facts.database import Database
    from tfenv.facts.releases import ReleaseFacts
    from tfenv.model.build import Build
    from tfenv.model.package import File
    from tfenv.model.source import Source
    from tfenv.model.target import Target

TENSORFLOW, CPU, GPU = Name("tensorflow"), Name("tensorflow-cpu"), Name("tensorflow-gpu")
AND_CUDA = "and-cuda"

_CUDNN = re.compile(r"nvidia-cudnn-cu(\d+)")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
_BUILD_TOOLS = (Name("setuptools"), Name("wheel"))


class FactsOverlay:
    """A `Source` over another one, for one target.

    - TensorFlow and NVIDIA's wheels ask for a driver, a compute capability, a CUDA major (`rules`).
    - A target with CUDA gets `tensorflow[and-cuda]` where that extra exists, and a cuDNN that serves the build.
    - `tensorflow` is answered by `tensorflow-cpu` for a target without CUDA, and by `tensorflow-gpu` for one with CUDA
      where only that distribution was built with it. Such a stand-in is a release of `tensorflow` whose metadata names
      the other distribution and requires exactly it; it is not installed itself.
    - Metadata is corrected (`patches.toml`), and a source distribution requires what builds it.

    Args:
        source: the index.
        database: the facts.
        target: the machine.
        harvest: reads the facts of a release that the database lacks off its wheel; ``None`` if it cannot.
    """

    def __init__(
        self,
        source: Source,
        database: Database,
        target: Target,
        *,
        harvest: Callable[[Release, File], ReleaseFacts | None] = lambda _release, _file: None,
    ) -> None:
        self._source = source
        self._database = database
        self._target = target
        self._harvest = harvest
        self._harvested: dict[tuple[Name, Version], ReleaseFacts | None] = {}
        self._releases: dict[Name, tuple[Release, ...]] = {}
        self._metadata: dict[tuple[Name, str], Metadata] = {}
        self._stand_ins: dict[str, File] = {}

    # as a Source

    def releases(self, name: Name) -> tuple[Release, ...]:
        """Those of the index; of `tensorflow` with its stand-ins."""
        if name not in self._releases:
            found = self._source.releases(name)
            if name == TENSORFLOW:
                wanted = CPU if self._target.accelerator is Accelerator.NONE else GPU
                others = {release.version: release for release in self._source.releases(wanted)}
                found = tuple(self._with_stand_ins(release, others.get(release.version)) for release in found)
            self._releases[name] = found
        return self._releases[name]

    def metadata(self, file: File) -> Metadata:
        """That of the file, with the facts laid over it."""
        key = (file.name, file.filename)
        if key not in self._metadata:
            actual = self._stand_ins.get(file.filename) if file.name == TENSORFLOW else None
            self._metadata[key] = self._overlaid(file) if actual is None else _stand_in(actual)
        return self._metadata[key]

    def expect(self, wanted: Iterable[Name | File]) -> None:
        """Passed on, as far as the index will be asked."""
        ahead: list[Name | File] = []
        for one in wanted:
            if isinstance(one, str):
                ahead.append(one)
                if one == TENSORFLOW:
                    ahead.append(CPU if self._target.accelerator is Accelerator.NONE else GPU)
            elif one.filename not in self._stand_ins and (one.name, one.filename) not in self._metadata:
                ahead.append(one)
        self._source.expect(ahead)

    # what the facts say of what was chosen

    def facts(self, name: Name, version: Version) -> ReleaseFacts | None:
        """The row of a release: of the database, or harvested during this resolution."""
        return self._database.releases.release(name, version) or self._harvested.get((name, version))

    def build(self, name: Name, version: Version) -> Build | None:
        """The build of a release that the target installs; ``None`` if unknown."""
        facts = self.facts(name, version)
        return None if facts is None else facts.build(self._target.platform)

    def demands(self, name: Name, version: Version) -> tuple[Demand, ...]:
        """What a release asks of the machine beside its metadata and patches."""
        if name in (TENSORFLOW, CPU, GPU):
            return self._of_tensorflow(name, version)
        if (match := _CUDNN.fullmatch(name)) is not None:
            row = self._database.cudnn.row(version, int(match[1]))
            return () if row is None else cudnn_demands(version, row, self._target)
        if name.startswith("nvidia-cuda-runtime") and (toolkit := self._database.cuda.of_wheel(name, version)):
            return runtime_demands(f"{name} {version}", toolkit, self._target)
        return ()

    def warnings(self, pins: Iterable[tuple[Name, Version]]) -> tuple[str, ...]:
        """One line each: what is not known of the chosen releases, and what will be slow."""
        found: dict[str, None] = {}
        cuda = self._target.accelerator is not Accelerator.NONE
        for name, version in pins:
            release = f"{name} {version}"
            if (name, version) in self._harvested:
                if self._harvested[name, version] is not None:
                    found[f"{release} is newer than the database; its facts were read off its wheel while locking"] = (
                        None
                    )
                else:
                    found[f"{release} is not in the database, and nothing is known of its build"] = None
            elif name in (TENSORFLOW, CPU, GPU) and cuda and (build := self.build(name, version)) is not None:
                for field in build.unknown:
                    found[f"nothing tells the {field} of {release} on {self._target.platform}"] = None
            elif cuda and _CUDNN.fullmatch(name) and not self.demands(name, version):
                found[f"{release} is not in the database: for which GPUs it holds code is not known"] = None
            for demand in self.demands(name, version):
                if demand.caution is not None:
                    found[demand.caution.message] = None
        return tuple(found)

    # how

    def _with_stand_ins(self, release: Release, other: Release | None) -> Release:
        if other is None or not self._is_wanted(other):
            return release
        here = self._target.platform.wheels
        theirs = [file for file in other.files if file.is_wheel and platform_of(file.filename) is here]
        served = {tag.interpreter for file in theirs for tag in file.tags}
        kept = [
            file
            for file in release.files
            if platform_of(file.filename) is not here or not {tag.interpreter for tag in file.tags} <= served
        ]
        self._stand_ins.update({file.filename: file for file in theirs})
        return replace(release, files=(*kept, *(replace(file, name=TENSORFLOW) for file in theirs)))

    def _is_wanted(self, other: Release) -> bool:
        """`tensorflow-gpu` only where it alone was built with CUDA."""
        if self._target.accelerator is Accelerator.NONE:
            return True
        own, theirs = self.build(TENSORFLOW, other.version), self.build(GPU, other.version)
        return theirs is not None and theirs.is_cuda and (own is None or not own.is_cuda)

    def _overlaid(self, file: File) -> Metadata:
        metadata = self._declared(file) or self._source.metadata(file)
        name, version = file.name, file.version
        patches = self._database.patches.of(name, version, self._target.platform)
        dropped = {name for patch in patches for name in patch.drop}
        requires = [requirement for requirement in metadata.requires if requirement.name not in dropped]
        if name in (TENSORFLOW, CPU, GPU) and self.facts(name, version) is None:
            self._read_off(file)
        added = [demand.requirement for demand in self.demands(name, version)]
        added += [requirement for patch in patches for requirement in patch.add]
        if self._target.accelerator is not Accelerator.NONE and name == TENSORFLOW and AND_CUDA in metadata.extras:
            added += self._cuda_wheels(metadata)
        if not file.is_wheel:
            because = f"{name} {version} has no wheel and is built from source"
            added += [Requirement(name=tool, because=because) for tool in _BUILD_TOOLS if tool != name]
        return replace(metadata, requires=(*added, *requires))

    def _declared(self, file: File) -> Metadata | None:
        """The metadata of a TensorFlow wheel as the database has it, if it is of the very same file."""
        facts = self.facts(file.name, file.version) if file.name in (TENSORFLOW, CPU, GPU) else None
        wheel = None if facts is None else facts.wheel(file.filename)
        if wheel is None or wheel.requires_dist is None or wheel.sha256 != file.sha256:
            return None
        python = wheel.requires_python
        return Metadata(
            name=file.name,
            version=file.version,
            requires_python=None if python is None else SpecifierSet(python),
            requires=tuple(Requirement.of(PackagingRequirement(text)) for text in wheel.requires_dist),
            extras=frozenset(canonicalize_name(e) for text in wheel.requires_dist for e in _EXTRA.findall(text)),
            source=file.filename,
        )

    def _read_off(self, file: File) -> None:
        key = (file.name, file.version)
        if key not in self._harvested:
            release = next((one for one in self._source.releases(file.name) if one.version == file.version), None)
            self._harvested[key] = None if release is None else self._harvest(release, file)

    def _of_tensorflow(self, name: Name, version: Version) -> tuple[Demand, ...]:
        facts = self.facts(name, version)
        here = self._target.platform
        if facts is None or not any(wheel.platform is here.wheels for wheel in facts.wheels):
            return ()
        build = facts.build(here)
        if build is None and facts.carrier(here) is None:
            return ()  # its wheels for this platform were never looked into
        subject = f"{name} {version}"
        return build_demands(subject, build, self._target, cuda=self._database.cuda, gpus=self._database.gpus)

    def _cuda_wheels(self, metadata: Metadata) -> list[Requirement]:
        """The extra of the very release, and the cuDNN that its build can use: the major, and at least the minor."""
        release = f"{metadata.name} {metadata.version}"
        same = SpecifierSet(f"=={metadata.version}")
        because = f"{release} takes its CUDA libraries from wheels"
        found = [Requirement(name=metadata.name, specifier=same, extras=frozenset({AND_CUDA}), because=because)]
        build = self.build(metadata.name, metadata.version)
        floor = None if build is None else build.cudnn_floor or build.cudnn
        for wheel in {r.name: None for r in metadata.requires if _CUDNN.fullmatch(r.name)}:
            if build is not None and floor is not None:
                bound = SpecifierSet(f">={floor},<{floor.major + 1}")
                because = f"{release} was compiled against cuDNN {floor}: it needs that major, and no older release"
                found.append(Requirement(name=wheel, specifier=bound, because=because, source=build.source))
        return found


def _stand_in(actual: File) -> Metadata:
    same = SpecifierSet(f"=={actual.version}")
    because = f"{actual.name} stands in for {TENSORFLOW} on this target"
    return Metadata(
        name=actual.name,
        version=actual.version,
        requires=(Requirement(name=actual.name, specifier=same, because=because, source=actual.filename),),
        source=actual.filename,
    )
