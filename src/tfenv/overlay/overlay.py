"""The facts laid over an index: what metadata does not say, said in its own terms."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tfenv.facts.build_rules import build_demands
from tfenv.facts.closures import PATCHES
from tfenv.facts.releases import platform_of
from tfenv.facts.rules import (
    Demand,
    cudnn_bounds,
    cudnn_demands,
    rocm_demands,
    runtime_demands,
    symbols_demand,
    unknown_release,
)
from tfenv.facts.wheels import cuda_requirements
from tfenv.model.package import TENSORFLOW, Metadata, Name, Requirement
from tfenv.model.target import Accelerator, Platform
from tfenv.overlay.stand_ins import MACOS, PLUGINS, ROCM, distribution, only, releases, stands_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tfenv.facts.database import Database
    from tfenv.facts.releases import ReleaseFacts, WheelFacts
    from tfenv.model.builds import Build
    from tfenv.model.package import File, Release
    from tfenv.model.source import Source
    from tfenv.model.target import Target

CPU, GPU = Name("tensorflow-cpu"), Name("tensorflow-gpu")
AND_CUDA = "and-cuda"

_CUDNN = re.compile(r"nvidia-cudnn-cu(\d+)")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
WINDOWS_LIKE_LINUX = "https://www.tensorflow.org/install/source_windows#gpu"
"""The table of tested builds for Windows names the CUDA and cuDNN of the Linux wheels of the same release."""
_LIKE_LINUX = ("cudnn_floor", "sass", "ptx")
_LOCAL = {
    Accelerator.NONE: re.compile(r"cpu\b"),
    Accelerator.CUDA: re.compile(r"cu\d+\b"),
    Accelerator.ROCM: re.compile(r"rocm\d"),
}
"""Local versions of builds for an accelerator."""
_BUILD_TOOLS = (Name("setuptools"), Name("wheel"))


class FactsOverlay:
    """A `Source` over another one, for one target.

    - TensorFlow and NVIDIA's wheels ask for a driver, a compute capability, a CUDA major (`rules`).
    - A target with CUDA gets `tensorflow[and-cuda]` where that extra exists, and a cuDNN that serves the build.
    - `tensorflow` is answered by `tensorflow-cpu` for a target without CUDA, and by `tensorflow-gpu` for one with CUDA
      where only that distribution was built with it: the metadata of `tensorflow` then names the other distribution and
      requires exactly it, and `tensorflow` itself is not installed. For AMD's GPUs, for TPUs and for older releases on
      Macs another distribution has the releases (`stand_ins`).
    - Where a plugin drives the GPU, TensorFlow requires it.
    - Metadata is corrected (`patches.toml`), companions ask for the TensorFlow they are made for (`companions.toml`)
      and for what their code imports (`needs.toml`), and a source distribution requires what builds it.

    Args:
        source: the index.
        database: the facts.
        target: the machine.
        keras: which major `tf.keras` shall be; ``None`` leaves it to the release.
        tensorflow: releases of TensorFlow that come into question; ``None`` for all.
        harvest: reads the facts of a release that the database lacks off its wheel; ``None`` if it cannot.
    """

    def __init__(
        self,
        source: Source,
        database: Database,
        target: Target,
        *,
        keras: int | None = None,
        tensorflow: SpecifierSet | None = None,
        harvest: Callable[[Release, File], ReleaseFacts | None] = lambda _release, _file: None,
    ) -> None:
        self._source = source
        self._database = database
        self._target = target
        self._keras = keras
        self._tensorflow = tensorflow
        self._harvest = harvest
        self._harvested: dict[tuple[Name, Version], ReleaseFacts | None] = {}
        self._metadata: dict[tuple[Name, str], Metadata] = {}
        self._carrier = distribution(target)
        self._cuda = target.accelerator is Accelerator.CUDA

    # as a Source

    def releases(self, name: Name) -> tuple[Release, ...]:
        """Those of the index; of `tensorflow`, those of the distribution that stands for it too.

        Of builds whose local versions say what they are for (`2.15.0+cpu`, `2.15.0+cu128`), those for the target.
        """
        own = _built_for(self._target.accelerator, self._source.releases(name))
        if name != TENSORFLOW or self._carrier is None:
            return own
        return releases(own, self._source.releases(self._carrier), self._target, self._database.rocm)

    def metadata(self, file: File) -> Metadata:
        """That of the file, with the facts laid over it; or of the stand-in."""
        key = (file.name, file.filename)
        if key not in self._metadata:
            self._metadata[key] = self._of_stand_in(file) or self._overlaid(file)
        return self._metadata[key]

    def expect(self, wanted: Iterable[Name | File], then: Callable[[], None] | None = None) -> None:
        """Passed on, as far as the index will be asked."""
        ahead: list[Name | File] = []
        for one in wanted:
            if isinstance(one, str):
                ahead.append(one)
                if one == TENSORFLOW and self._carrier is not None:
                    ahead.append(self._carrier)
                elif one == TENSORFLOW and not self._cuda:
                    ahead.append(CPU)
            elif (one.name, one.filename) not in self._metadata and self._is_read(one):
                ahead.append(one)
        self._source.expect(ahead, then)

    # what the facts say of what was chosen

    def facts(self, name: Name, version: Version) -> ReleaseFacts | None:
        """The row of a release: of the database, or harvested during this resolution."""
        return self._database.releases.release(name, version) or self._harvested.get((name, version))

    def build(self, name: Name, version: Version) -> Build | None:
        """The build of a release that the target installs; ``None`` if unknown."""
        facts, here = self.facts(name, version), self._target.platform
        if facts is None:
            return None
        if (carrier := facts.carrier(here)) is not None:
            facts = self.facts(carrier, version) or facts
        return build_on(facts, here)

    def demands(self, name: Name, version: Version) -> tuple[Demand, ...]:
        """What a release asks of the machine beside its metadata and patches."""
        if name == ROCM and (built := self._database.rocm.row(version)) is not None:
            return rocm_demands(f"{name} {version}", built, self._target)
        if not self._cuda:
            return ()
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
        cuda = self._cuda
        for name, version in pins:
            release, here = f"{name} {version}", self._target.platform
            if name in (TENSORFLOW, CPU, GPU):
                build = self.build(name, version)
                if self._harvested.get((name, version)) is not None:
                    found[f"{release} is not in the database: its facts were read off its wheel while locking"] = None
                elif build is None and cuda:
                    found[f"nothing is known of the build of {release} for {here}"] = None
                for field in build.unknown if cuda and build is not None else ():
                    found[f"nothing tells {field} of {release} for {here}"] = None
            if cuda and _CUDNN.fullmatch(name) and not self.demands(name, version):
                found[f"{release} is not in the database: for which GPUs it holds code is not known"] = None
            for demand in self.demands(name, version):
                if demand.caution is not None:
                    found[demand.caution.message] = None
        return tuple(found)

    # how

    def _of_stand_in(self, file: File) -> Metadata | None:
        """That of the distribution which is installed in place of `tensorflow`; ``None`` if it is installed itself."""
        if file.name != TENSORFLOW:
            return None
        if (found := stands_for(file, self._database.rocm)) is not None:
            return found
        if (other := self._stand_in(file)) is None:
            return None
        because = f"{other.name} stands in for {TENSORFLOW} on this target"
        return only(other.name, (other.version,), because, other.filename)

    def _is_read(self, file: File) -> bool:
        """Will the index be asked for the metadata of this file?"""
        return self._row(file) is None and (file.name != TENSORFLOW or stands_for(file, self._database.rocm) is None)

    def _stand_in(self, file: File) -> File | None:
        """The wheel of `tensorflow-cpu` or `tensorflow-gpu` that is installed in place of one of `tensorflow`."""
        name = GPU if self._cuda else CPU
        if name == GPU:  # only where it alone was built with CUDA
            own, theirs = self.build(TENSORFLOW, file.version), self.build(GPU, file.version)
            if theirs is None or not theirs.is_cuda or (own is not None and own.is_cuda):
                return None
        release = next((one for one in self._source.releases(name) if one.version == file.version), None)
        interpreters = {tag.interpreter for tag in file.tags}
        for other in () if release is None else release.files:
            fits = other.is_wheel and platform_of(other.filename) is self._target.platform.wheels
            if fits and other.yanked is None and interpreters & {tag.interpreter for tag in other.tags}:
                return other
        return None

    def _overlaid(self, file: File) -> Metadata:
        metadata = self._declared(file) or self._source.metadata(file)
        name, version = file.name, file.version
        patches = self._database.patches.of(name, version, self._target.platform)
        dropped = {name for patch in patches for name in patch.drop}
        requires = [requirement for requirement in metadata.requires if requirement.name not in dropped]
        # reading a wheel takes a request or more, and nothing is built for releases older than the facts
        known = self.facts(name, version) is not None or self._is_before_all(version)
        if name in (TENSORFLOW, CPU, GPU) and not known:
            self._read_off(file)
        added = [demand.requirement for demand in self.demands(name, version)]
        if (wheel := self._row(file)) is not None and (symbols := symbols_demand(wheel)) is not None:
            added.append(symbols.requirement)
        cuda = self._cuda
        added += [r for patch in patches for r in patch.add if cuda or r.name != "__cuda"]
        added += self._for_the_gpu(metadata)
        added += self._database.companions.requires(name, version)
        added += self._database.needs.requires(name, version, keras=self._keras, is_beside=self._is_beside)
        if cuda and (only := self._database.wheels.cuda_of(name, version)) is not None:
            added.append(only)
        if self._keras is not None and name in (TENSORFLOW, CPU, GPU):
            row = self._database.companions.keras_of(version, self._keras)
            added += () if row is None else row.requires
        if not file.is_wheel:
            because = f"{name} {version} has no wheel and is built from source"
            added += [Requirement(name=tool, because=because) for tool in _BUILD_TOOLS if tool != name]
        return replace(metadata, requires=(*added, *requires))

    def _is_beside(self, versions: SpecifierSet) -> bool:
        """Whether a release of TensorFlow in this range comes into question."""
        asked = self._tensorflow
        if asked is None:
            return True
        exact = [one.version for one in asked if one.operator == "==" and not one.version.endswith("*")]
        minors = self._database.releases.minors
        candidates = exact or [f"{minor}.{patch}" for minor in minors for patch in range(PATCHES)]
        return any(
            asked.contains(one, prereleases=True) and versions.contains(one, prereleases=True) for one in candidates
        )

    def _for_the_gpu(self, metadata: Metadata) -> list[Requirement]:
        """The wheels that bring CUDA, or the plugin that drives another GPU."""
        name, version, added = metadata.name, metadata.version, []
        if self._cuda and name == TENSORFLOW and AND_CUDA in metadata.extras:
            added += self._cuda_wheels(metadata)
        elif self._cuda and name in (TENSORFLOW, GPU):
            added += self._bundled(name, version)
        if name in (TENSORFLOW, CPU, MACOS) and (plugin := PLUGINS.get(self._target.accelerator)) is not None:
            added.append(Requirement(name=plugin, because=f"{name} uses the GPU by its plugin {plugin}"))
        return added

    def _row(self, file: File) -> WheelFacts | None:
        """A TensorFlow wheel as the database has it, if that is the very same file and its metadata was read."""
        facts = self.facts(file.name, file.version) if file.name in (TENSORFLOW, CPU, GPU) else None
        wheel = None if facts is None else facts.wheel(file.filename)
        return wheel if wheel and wheel.requires_dist is not None and wheel.sha256 == file.sha256 else None

    def _declared(self, file: File) -> Metadata | None:
        """Metadata from the database, which saves asking the index."""
        wheel = self._row(file)
        if wheel is None or wheel.requires_dist is None:
            return None
        python = wheel.requires_python
        return Metadata(
            name=file.name,
            version=file.version,
            requires_python=None if python is None else SpecifierSet(python),
            requires=_parsed(wheel.requires_dist),
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
        subject, here = f"{name} {version}", self._target.platform
        if self._is_before_all(version) and self.build(name, version) is None:
            return (unknown_release(subject),)
        if facts is None or not any(wheel.platform is here.wheels for wheel in facts.wheels):
            return ()
        build = self.build(name, version)
        if build is None and facts.carrier(here) is None:
            return ()  # its wheels for this platform were never looked into
        return build_demands(subject, build, self._target, cuda=self._database.cuda, gpus=self._database.gpus)

    def _is_before_all(self, version: Version) -> bool:
        """Is it older than the oldest release of the database?"""
        minors = self._database.releases.minors
        return bool(minors) and version < Version(minors[0])

    def _cuda_wheels(self, metadata: Metadata) -> list[Requirement]:
        """The extra of the very release, and the cuDNN that its build can use: the major, and at least the minor."""
        release = f"{metadata.name} {metadata.version}"
        same = SpecifierSet(f"=={metadata.version}")
        because = f"{release} takes its CUDA libraries from wheels"
        found = [Requirement(name=metadata.name, specifier=same, extras=frozenset({AND_CUDA}), because=because)]
        build = self.build(metadata.name, metadata.version)
        bounds = () if build is None else cudnn_bounds(release, build)
        for wheel in {r.name: None for r in metadata.requires if _CUDNN.fullmatch(r.name)}:
            found += [replace(bound.requirement, name=wheel) for bound in bounds]
        return found

    def _bundled(self, name: Name, version: Version) -> tuple[Requirement, ...]:
        """The CUDA libraries of a release that offers none itself, where wheels carry them all."""
        build, bundle = self.build(name, version), self._database.wheels.of(version)
        if build is None or bundle is None:
            return ()
        return cuda_requirements(name, version, build, bundle, cuda=self._database.cuda, cudnn=self._database.cudnn)


def _built_for(accelerator: Accelerator, releases: tuple[Release, ...]) -> tuple[Release, ...]:
    """The releases without builds for another accelerator, where the same release has a build for this one.

    PyTorch publishes the builds of a release as local versions: https://pytorch.org/get-started/previous-versions/.
    """
    wanted = _LOCAL.get(accelerator)
    if wanted is None or not any(release.version.local for release in releases):
        return releases
    served = {release.version.public for release in releases if wanted.match(release.version.local or "")}
    return tuple(
        release
        for release in releases
        if release.version.public not in served or wanted.match(release.version.local or "")
    )


def build_on(facts: ReleaseFacts, platform: Platform) -> Build | None:
    """The build for a platform; where a Windows wheel tells nothing, what the Linux wheel of the same CUDA tells."""
    build = facts.build(platform)
    linux = facts.build(Platform.LINUX_X86_64)
    if platform is not Platform.WINDOWS_X86_64 or linux is None:
        return build
    if build is None:
        if not any(wheel.platform is platform for wheel in facts.wheels):
            return None
        same = ("cuda", "cudnn", "sass", "ptx")
        return replace(linux, platform=platform, evidence=(*linux.evidence, WINDOWS_LIKE_LINUX), inferred=same)
    silent = tuple(name for name in _LIKE_LINUX if name in build.unknown and name not in linux.unknown)
    if not silent or build.cuda != linux.cuda:
        return build
    return replace(
        build,
        **{name: getattr(linux, name) for name in silent},
        partial=linux.partial if "sass" in silent else build.partial,
        unknown=tuple(name for name in build.unknown if name not in silent),
        inferred=(*build.inferred, *silent),
        evidence=(*build.evidence, linux.source),
    )


@lru_cache(maxsize=128)
def _parsed(texts: tuple[str, ...]) -> tuple[Requirement, ...]:
    """Wheels of one release mostly say the same."""
    return tuple(Requirement.of(PackagingRequirement(text)) for text in texts)
