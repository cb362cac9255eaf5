"""What is asked of the judge: a configuration whose words have been read, with what they do not say as unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.check.apparent import apparent
from tfenv.errors import UsageError
from tfenv.facts.makers import maker_of
from tfenv.model.goal import Goal
from tfenv.model.hardware import Gpu, driver_of
from tfenv.model.package import TENSORFLOW, Name
from tfenv.model.report import Caution, Problem
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN

if TYPE_CHECKING:
    from tfenv.facts.database import Database
    from tfenv.model.configuration import Configuration

PLUGIN = {
    "AMD": (
        "AMD's own builds (tensorflow-rocm, `tfenv lock --gpu rocm`) do",
        "https://rocm.docs.amd.com/projects/install-on-linux/en/latest/",
    ),
    "Intel": (
        "Intel's plugin (intel-extension-for-tensorflow) does",
        "https://github.com/intel/intel-extension-for-tensorflow",
    ),
    "Apple": (
        "Apple's plugin (tensorflow-metal, `tfenv lock --gpu metal`) does",
        "https://developer.apple.com/metal/tensorflow-plugin/",
    ),
}
"""Who uses the GPUs of another maker than NVIDIA, and the page that says so."""

_PLUGINS = {
    "intel-extension-for-tensorflow": "Intel",
    "tensorflow-directml-plugin": "AMD",
    "tensorflow-metal": "Apple",
}
"""Packages that let TensorFlow use GPUs of another maker."""

NOT_THERE = Version("0")
"""Version of a CUDA or a cuDNN that is known not to be there."""

_RUNTIME = re.compile(r"nvidia-cuda-runtime(?:-cu\d+)?")
_CUDNN = re.compile(r"nvidia-cudnn-cu\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A package that is installed or asked for.

    Attributes:
        name: normalized name of the project.
        specifier: versions that are there or asked for; `==` for an installed one, empty if any will do.
        by: what brought it, if it was not named itself: the wheel with the CUDA libraries, or the release that
            requires exactly this one.
    """

    name: Name
    specifier: SpecifierSet
    by: str = ""

    @property
    def version(self) -> Version | None:
        """The one version, if there is exactly one."""
        exact = [one.version for one in self.specifier if one.operator in ("==", "===") and "*" not in one.version]
        try:
            return Version(exact[0]) if len(exact) == 1 else None
        except InvalidVersion:
            return None

    @property
    def words(self) -> str:
        """`2.1.0` for `==2.1.0`."""
        version, text = self.version, ",".join(sorted(map(str, self.specifier), reverse=True))
        return str(version) if version is not None else f"asked for as {text}" if text else "not pinned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A configuration, read.

    Attributes:
        said: TensorFlow in the words of the user (`2.17`); ``None`` if not named.
        releases: releases of TensorFlow that the words name, newest first; empty if none is known.
        distribution: distribution that is TensorFlow, if one is named.
        goal: machine, Keras and constraints, as a lock has to meet them.
        accelerated: whether a GPU is to be used; ``None`` if not known.
        fixed: packages other than TensorFlow, the CUDA stack (`system-cuda`, `system-cudnn`) among them.
        conda: packages that conda installed, whose releases may not be those of PyPI.
        also: CUDA stacks of wheels beside the one in `fixed`; TensorFlow opens the one with the right file names.
        complete: whether `fixed` is all that is installed.
        observed: whether the packages were seen installed.
        installer: command that installs packages (`pip`).
        problems: what is wrong whatever the rules say.
        unknown: what could not be read, one line each.
        cautions: what is assumed.
    """

    said: str | None = None
    releases: tuple[Version, ...] = ()
    distribution: Name | None = None
    goal: Goal = field(default_factory=Goal)
    accelerated: bool | None = None
    fixed: tuple[Fixed, ...] = ()
    conda: frozenset[Name] = frozenset()
    also: tuple[Fixed, ...] = ()
    complete: bool = False
    observed: bool = False
    installer: str = "pip"
    problems: tuple[Problem, ...] = ()
    unknown: tuple[str, ...] = ()
    cautions: tuple[Caution, ...] = ()

    @property
    def target(self) -> Target:
        """The machine."""
        return self.goal.target

    def on(self, **changes: object) -> Question:
        """The same on another machine."""
        return replace(self, goal=replace(self.goal, target=replace(self.target, **changes)))  # type: ignore[arg-type]

    def of(self, name: str) -> Fixed | None:
        """What is fixed of a package."""
        return next((one for one in self.fixed if one.name == name), None)

    def fixing(self, *changed: Fixed) -> Question:
        """The same with some packages at other versions."""
        names = {one.name for one in changed}
        return replace(self, fixed=(*(one for one in self.fixed if one.name not in names), *changed))

    def without(self, *names: str) -> Question:
        """The same without some packages."""
        return replace(self, fixed=tuple(one for one in self.fixed if one.name not in names))


def ask(configuration: Configuration, database: Database) -> Question:
    """The question that a configuration is; every word of it is read here, once."""
    names = {name for name, _ in configuration.packages}
    distribution = database.distributions.first(names)
    said = configuration.tf or _installed(configuration, database)
    cautions: list[Caution] = []
    gpus, unclear, strangers, accelerated = _gpus(configuration, database)
    machine = configuration.machine
    platform, glibc = machine.platform, machine.glibc
    if platform in (None, Platform.LINUX_X86_64) and (bound := database.gpus.bound_to(gpus)) is not None:
        platform = bound.platform  # a name of a distribution (`Ubuntu 20.04`) means the usual processor
    if platform is None and machine.foreign is None:
        platform = Platform.LINUX_X86_64
        cautions.append(_assumed(f"the platform is {platform}, x86_64 with Linux"))
    if glibc is None and machine.system is not None and platform is not None and platform.is_linux:
        glibc = database.systems.glibc(machine.system)
        if glibc is not None:
            cautions.append(_assumed(f"glibc is {glibc}, that of {machine.system}"))
    if accelerated is None and distribution is not None and distribution.wish is Accelerator.CUDA:
        accelerated = True
    wish = None if distribution is None else distribution.wish
    cuda = Accelerator.CUDA if accelerated and not strangers else Accelerator.NONE
    words = [gpu for gpu in machine.gpus if isinstance(gpu, str)]
    others = [other for word in words if (other := database.gpus.other(word)) is not None]
    target = Target(
        platform=platform or Platform.LINUX_X86_64,
        foreign=machine.foreign,
        system=machine.system,
        python=machine.python,
        accelerator=wish if wish is Accelerator.ROCM else cuda,
        gpus=gpus,
        gfx=tuple(other for other in others if other.startswith("gfx")),
        driver=None if machine.driver is None else driver_of(machine.driver),
        glibc=glibc,
        cpu=machine.cpu,
    )
    releases = () if said is None else named(said, database)
    if said is not None and releases and _is_prerelease(said) and not releases[0].is_prerelease:
        cautions.append(_assumed(f"the build {said} is like {releases[0]}"))
    of_tensorflow = None if distribution is None or distribution.builder else distribution.name
    fixed, also = _fixed(configuration, of_tensorflow)
    return Question(
        said=said,
        releases=releases,
        distribution=None if distribution is None else distribution.name,
        goal=Goal(target=target, keras=configuration.keras),
        accelerated=accelerated,
        fixed=fixed,
        conda=frozenset(configuration.conda),
        also=also,
        complete=configuration.complete,
        observed=configuration.observed,
        installer=configuration.installer,
        problems=(
            *strangers,
            *apparent(configuration, platform, names, database),
        ),
        unknown=unclear,
        cautions=tuple(cautions),
    )


def named(said: str, database: Database) -> tuple[Version, ...]:
    """The releases that a version or a specifier names, newest first; `2.17` is any patch of it.

    A pre-release is one of them only if it is named; one that is not known, and a nightly build, stands for what its
    minor became.
    """
    try:
        asked = Version(said)
    except InvalidVersion:
        specifier = SpecifierSet(said)
        return tuple(each for each in database.releases.versions(TENSORFLOW) if specifier.contains(each))
    exact = len(asked.release) > 2 or asked.is_prerelease
    known = database.releases.versions_of(f"{asked.major}.{asked.minor}")
    stable = tuple(each for each in known if not each.is_prerelease)
    if not exact:
        return stable
    found = tuple(each for each in known if each == asked)
    return found or (stable if asked.is_prerelease and asked.local is None else ())


def _installed(configuration: Configuration, database: Database) -> str | None:
    """The release that the packages name, if `tf` does not."""
    for row in database.distributions.all:
        if row.numbered and (specifier := configuration.package(row.name)) is not None:
            version = configuration.version_of(row.name)
            return str(version) if version is not None else str(specifier)
    return None


def _fixed(configuration: Configuration, distribution: Name | None) -> tuple[tuple[Fixed, ...], tuple[Fixed, ...]]:
    """The packages and the CUDA stack; and the stacks of wheels beside it."""
    found = {
        name: Fixed(name=name, specifier=specifier)
        for name, specifier in configuration.packages
        if name != distribution
    }
    also: list[Fixed] = []
    for name, pattern, said in (
        (SYSTEM_CUDA, _RUNTIME, configuration.cuda),
        (SYSTEM_CUDNN, _CUDNN, configuration.cudnn),
    ):
        if said is not None and said != NOT_THERE:
            found[name] = Fixed(name=name, specifier=_as_said(said, exact=name == SYSTEM_CUDNN))
            continue
        stacks = [
            Fixed(name=name, specifier=_of_wheel(name, one.version), by=one.name)
            for one in list(found.values())
            if pattern.fullmatch(one.name) and one.version is not None
        ]
        if stacks:
            found[name] = stacks[0]
            also += stacks[1:]
        elif said is not None:
            found[name] = Fixed(name=name, specifier=SpecifierSet(f"=={NOT_THERE}"))
    return tuple(found.values()), tuple(also)


def _of_wheel(name: Name, version: Version) -> SpecifierSet:
    """The runtime's wheel is numbered like its toolkit, that of cuDNN like cuDNN."""
    return SpecifierSet(f"=={version.major}.{version.minor}.*" if name == SYSTEM_CUDA else f"=={version}")


def _as_said(version: Version, *, exact: bool) -> SpecifierSet:
    """`8` is any of its minors; a cuDNN with a minor is that release, a CUDA any update of its `X.Y`."""
    if exact and len(version.release) > 1:
        return SpecifierSet(f"=={version}")
    return SpecifierSet(f"=={'.'.join(map(str, version.release[:2]))}.*")


def _gpus(
    configuration: Configuration, database: Database
) -> tuple[tuple[Gpu, ...], tuple[str, ...], tuple[Problem, ...], bool | None]:
    """The GPUs that are named, what cannot be read, those that no CUDA build can use, and whether one is wanted."""
    served = {maker for name, maker in _PLUGINS.items() if configuration.package(name) is not None}
    served |= {"AMD"} & {row.builder for name, _ in configuration.packages if (row := database.distributions.of(name))}
    texts = [text for text in configuration.machine.gpus if isinstance(text, Gpu) or maker_of(text) not in served]
    accelerated = configuration.accelerated
    if served and (len(texts) < len(configuration.machine.gpus) or not configuration.machine.gpus):
        libraries = (configuration.cuda, configuration.cudnn)
        accelerated = bool(texts) or any(each not in (None, NOT_THERE) for each in libraries)
    found: list[Gpu] = []
    unknown: list[str] = []
    strangers: list[Problem] = []
    capability = configuration.capability
    for text in texts:
        if isinstance(text, Gpu):
            found.append(text)
            continue
        if (maker := maker_of(text)) is not None:
            strangers.append(_of_another_maker(text, maker))
            continue
        try:
            gpu = database.gpus.find(text)
        except UsageError as error:
            if capability is not None and len(texts) == 1:
                found.append(Gpu(name=text, capability=capability))
                continue
            # what the newest of them is too old for, all are
            found += [newest] if (newest := database.gpus.newest(text)) is not None else []
            unknown.append(f"gpu: {error.message}" + (f" ({error.hint})" if error.hint else ""))
        else:
            measured = capability is not None and len(texts) == 1
            found.append(replace(gpu, capability=capability) if measured and capability is not None else gpu)
    if not configuration.machine.gpus and capability is not None:
        found.append(Gpu(name=str(capability), capability=capability))
    # an integrated GPU beside one of NVIDIA is not what computes
    return tuple(dict.fromkeys(found)), tuple(unknown), () if found or unknown else tuple(strangers), accelerated


def _of_another_maker(name: str, maker: str) -> Problem:
    other, source = PLUGIN[maker]
    return Problem(
        code="platform-no-gpu",
        subject=name,
        because=(f"the wheels of TensorFlow use GPUs of NVIDIA only, and {name} is made by {maker}; {other}",),
        sources=(source,),
    )


def _is_prerelease(said: str) -> bool:
    try:
        return Version(said).is_prerelease
    except InvalidVersion:
        return False


def _assumed(message: str) -> Caution:
    return Caution(code="assumed", message=message)
