"""The rules about machines, asked of a configuration: GPU, driver, processor. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.build_rules import build_demands
from tfenv.facts.rows import cited
from tfenv.facts.rules import NEVER, UNPROVEN
from tfenv.model.hardware import driver_text
from tfenv.model.report import Caution, Problem
from tfenv.model.target import Accelerator, Target

if TYPE_CHECKING:
    from tfenv.check.subject import Subject
    from tfenv.facts.database import Database
    from tfenv.facts.rules import Demand
    from tfenv.model.configuration import Configuration
    from tfenv.model.hardware import Gpu
    from tfenv.model.package import Requirement

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

"""Who does use the GPUs of another maker, and the page that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one group of rules found."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Caution, ...] = ()
    unknown: tuple[str, ...] = ()


def of_another_maker(name: str, maker: str) -> Problem:
    """A GPU that no wheel of TensorFlow can use."""
    other, source = PLUGIN[maker]
    return Problem(
        code="platform-no-gpu",
        subject=name,
        because=(f"the wheels of TensorFlow use GPUs of NVIDIA only, and {name} is made by {maker}; {other}",),
        sources=(source,),
    )


def plain(name: str, database: Database) -> str:
    """The name as the table has it, if it does."""
    try:
        return database.gpus.row(name).name
    except UsageError:
        return name


def met(requirement: Requirement, offered: tuple[Version, ...] | None) -> bool | None:
    """Does what a machine offers meet a requirement on a virtual package? ``None`` if that is not known."""
    if requirement.specifier == NEVER:
        return False
    return None if offered is None else all(requirement.allows(version) for version in offered)


def without_gpu(about: Subject, database: Database) -> tuple[Problem, ...]:
    """A wheel is there, but it can use no GPU."""
    target = Target(platform=about.platform, accelerator=Accelerator.CUDA)
    demands = build_demands(about.words, about.build, target, cuda=database.cuda, gpus=database.gpus)
    patched = [
        requirement
        for patch in database.patches.of(about.facts.name, about.facts.version, about.platform)
        for requirement in patch.add
        if requirement.name == "__cuda"
    ]
    requirements = [
        *patched,
        *(demand.requirement for demand in demands if demand.requirement.code == "platform-no-gpu"),
    ]
    return tuple(
        problem("platform-no-gpu", str(about.platform), requirement)
        for requirement in requirements[:1]
        if requirement.specifier == NEVER
    )


def problems(about: Subject, gpus: tuple[Gpu, ...], configuration: Configuration, database: Database) -> Part:
    """What the build asks of each GPU and of the driver."""
    found: list[Problem] = []
    warnings: list[Caution] = []
    unknown = [] if gpus or configuration.gpus else ["gpu"]
    driver = configuration.driver
    if driver is None:
        unknown.append("driver")
    for gpu in gpus or (None,):
        target = Target(
            platform=about.platform,
            accelerator=Accelerator.CUDA,
            gpus=() if gpu is None else (gpu,),
            driver=driver,
        )
        offered = {
            "__driver": None if driver is None else (_newest_of(driver),),
            "__compute_capability": None if gpu is None else (Version(str(gpu.capability)),),
        }
        demands = build_demands(about.words, about.build, target, cuda=database.cuda, gpus=database.gpus)
        hopeless = any(demand.requirement.name == "__known_bad" for demand in demands)
        for demand in demands:
            if demand.requirement.name == "__cuda":
                continue  # by soname, in `libraries`
            if hopeless and demand.requirement.code == "driver-too-old":
                continue  # no driver serves both the GPU and the build
            if met(demand.requirement, offered.get(demand.requirement.name)) is False:
                found.append(
                    problem(
                        demand.requirement.code,
                        _subject(demand, gpu, driver),
                        demand.requirement,
                        *_has(demand, gpu, driver),
                    )
                )
            elif demand.caution is not None and demand.caution.code == UNPROVEN:
                unknown.append(demand.caution.message)
            elif demand.caution is not None:
                warnings.append(demand.caution)
    build = about.build
    if build is not None:
        unknown += [
            f"{field} of {about.words}, which its wheel does not tell"
            for field in build.unknown
            if field in ("sass", "cuda")
        ]
    return Part(problems=tuple(found), warnings=tuple(warnings), unknown=tuple(unknown))


def processor(about: Subject, configuration: Configuration, database: Database) -> tuple[Problem, ...]:
    """Instruction sets that the wheels were compiled for, and the processor lacks."""
    if configuration.cpu is None:
        return ()
    return tuple(
        problem(
            "cpu-instruction-missing",
            " ".join(sorted(lacking)),
            requirement,
            f"this processor has no {' '.join(word.upper() for word in sorted(lacking))}",
        )
        for requirement in _instructions(about, database)
        if (lacking := requirement.extras - configuration.cpu)
    )


def assumed(about: Subject, configuration: Configuration, database: Database) -> tuple[Caution, ...]:
    """What every machine of today has, and this one is taken to have."""
    if configuration.cpu is not None:
        return ()
    words = sorted({word.upper() for requirement in _instructions(about, database) for word in requirement.extras})
    return (Caution(code="assumed", message=f"the processor has {' and '.join(words)}"),) if words else ()


def problem(code: str, subject: str, requirement: Requirement, *more: str) -> Problem:
    """A requirement that is not met, in its own words and sources, and what there is instead."""
    return Problem(
        code=code,
        subject=subject,
        because=(*filter(None, requirement.because.split("\n")), *more),
        sources=cited(requirement.source),
    )


def _newest_of(driver: Version) -> Version:
    """A branch alone (`525`) stands for its newest driver."""
    return driver if len(driver.release) > 1 else Version(f"{driver.major}.9999")


def _instructions(about: Subject, database: Database) -> tuple[Requirement, ...]:
    return tuple(
        requirement
        for patch in database.patches.of(about.facts.name, about.facts.version, about.platform)
        for requirement in patch.add
        if requirement.name == "__cpu"
    )


def _subject(demand: Demand, gpu: Gpu | None, driver: Version | None) -> str:
    if demand.requirement.code.startswith("driver") and driver is not None:
        return f"driver {driver_text(driver)}"
    return gpu.name if gpu is not None else ""


def _has(demand: Demand, gpu: Gpu | None, driver: Version | None) -> tuple[str, ...]:
    if demand.requirement.name == "__driver" and driver is not None:
        return (f"the driver is {driver_text(driver)}",)
    if demand.requirement.name == "__compute_capability" and gpu is not None:
        return (
            (f"{gpu.name} has compute capability {gpu.capability}",)
            if gpu.name != str(gpu.capability)
            else (f"the GPU has compute capability {gpu.capability}",)
        )
    return ()
