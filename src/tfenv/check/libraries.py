"""The rules about CUDA libraries and cuDNN, asked of a configuration. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.check.hardware import Part, met, problem
from tfenv.check.subject import offers_cuda_wheels
from tfenv.facts.rows import cited
from tfenv.facts.rules import cudnn_bounds, cudnn_demands, foreign_libraries
from tfenv.model.report import Caution, Problem
from tfenv.model.target import Accelerator, Platform, Target

if TYPE_CHECKING:
    from tfenv.check.subject import Subject
    from tfenv.facts.cuda import Toolkit
    from tfenv.facts.database import Database
    from tfenv.model.configuration import Configuration
    from tfenv.model.hardware import Gpu

_RUNTIME = re.compile(r"nvidia-cuda-runtime(?:-cu\d+)?")
_CUDNN = re.compile(r"nvidia-cudnn-cu\d+")


def problems(about: Subject, gpus: tuple[Gpu, ...], configuration: Configuration, database: Database) -> Part:
    """What the loader finds, against what the build opens. Without a word on it, the release's own wheels bring it."""
    build = about.build
    if build is None or build.cuda is None:
        return Part()
    found: list[Problem] = []
    warnings: list[Caution] = []
    unknown: list[str] = []
    cuda, cudnn = stack(configuration)
    bundled = offers_cuda_wheels(about)
    if cuda is None and cudnn is None and not bundled:
        unknown += ["cuda", "cudnn"]
    elif cuda is None:
        whose = (
            f"those of `{about.facts.name}[and-cuda]`"
            if bundled
            else f"of CUDA {build.cuda}, which {about.words} is built with"
        )
        warnings.append(Caution(code="assumed", message=f"the CUDA libraries are {whose}"))
    elif cudnn is None:
        if bundled:
            warnings.append(Caution(code="assumed", message=f"cuDNN is that of `{about.facts.name}[and-cuda]`"))
        else:
            unknown.append("cudnn")
    if cuda is not None:
        found += _by_soname(about, cuda, database)
    if cudnn is not None:
        offered = (cudnn,)
        coarse = len(cudnn.release) == 1  # of which minor it is, nobody says
        missed = [
            demand
            for demand in cudnn_bounds(about.words, build)
            if met(demand.requirement, offered) is False and not (coarse and demand.requirement.code == "cudnn-too-old")
        ]
        # a cuDNN of a lower major is not merely too old
        found += [
            problem(demand.requirement.code, f"cuDNN {cudnn}", demand.requirement, f"the cuDNN here is {cudnn}")
            for demand in missed[:1]
        ]
        if not missed and coarse:
            warnings.append(Caution(code="assumed", message=f"cuDNN is a release of {cudnn} that is new enough"))
        elif not missed:
            part = _code_in_cudnn(about, cudnn, cuda or build.cuda, gpus, database)
            found += part.problems
            unknown += part.unknown
    found += _twice(configuration)
    return Part(problems=tuple(found), warnings=tuple(warnings), unknown=tuple(unknown))


def stack(configuration: Configuration) -> tuple[Version | None, Version | None]:
    """CUDA and cuDNN: what was said, else what NVIDIA's wheels among the packages are."""
    runtime = _wheel(configuration, _RUNTIME)
    cuda = configuration.cuda or (None if runtime is None else Version(f"{runtime.major}.{runtime.minor}"))
    return cuda, configuration.cudnn or _wheel(configuration, _CUDNN)


def _wheel(configuration: Configuration, pattern: re.Pattern[str]) -> Version | None:
    return next(
        (
            version
            for name, _ in configuration.packages
            if pattern.fullmatch(name) and (version := configuration.version_of(name)) is not None
        ),
        None,
    )


def _toolkit(cuda: Version, database: Database) -> Toolkit | None:
    """`X.Y` exactly; a major alone stands for its newest release, whose names are those of all from X.1 on."""
    if len(cuda.release) == 1:
        return next((one for one in reversed(database.cuda.all) if one.version.major == cuda.major), None)
    return database.cuda.toolkit(Version(f"{cuda.major}.{cuda.minor}"))


def _by_soname(about: Subject, cuda: Version, database: Database) -> list[Problem]:
    build = about.build
    assert build is not None
    assert build.cuda is not None
    if len(cuda.release) == 1 and cuda.major == build.cuda.major:
        return []  # of which minor it is, nobody says
    built, offered = _toolkit(build.cuda, database), _toolkit(cuda, database)
    because = f"{about.words} is built with CUDA {build.cuda}"
    windows = about.platform is Platform.WINDOWS_X86_64
    if built is None or offered is None:
        if built is not None and cuda.major != build.cuda.major:
            return [_other_cuda(about, cuda, (because, f"the CUDA libraries here are those of {cuda}"))]
        return []
    foreign = foreign_libraries(built, offered, about.platform)
    if not foreign:
        return []
    wanted = " and ".join((one.windows if windows else one.soname) or one.name for one, _ in foreign[:2]) + (
        f" and {len(foreign) - 2} more" if len(foreign) > 2 else ""
    )
    return [
        _other_cuda(
            about,
            cuda,
            (f"{because}, and opens {wanted}", f"CUDA {cuda} has no file of that name"),
            foreign[0][0].source,
        )
    ]


def _other_cuda(about: Subject, cuda: Version, because: tuple[str, ...], *sources: str) -> Problem:
    assert about.build is not None
    return Problem(
        code="cuda-mismatch",
        subject=f"CUDA {cuda}",
        because=because,
        sources=(about.build.source, *(each for text in sources for each in cited(text)[:1])),
    )


def _code_in_cudnn(about: Subject, cudnn: Version, cuda: Version, gpus: tuple[Gpu, ...], database: Database) -> Part:
    row = database.cudnn.row(cudnn, cuda.major)
    if row is None:
        known = any(one.cuda_major == cuda.major and one.releases[-1] < cudnn for one in database.cudnn.all)
        return Part(
            unknown=(f"cudnn: {cudnn} for CUDA {cuda.major} is newer than what the database knows",) if known else ()
        )
    found = []
    for gpu in gpus or (None,):
        target = Target(platform=about.platform, accelerator=Accelerator.CUDA, gpus=() if gpu is None else (gpu,))
        capability = None if gpu is None else (Version(str(gpu.capability)),)
        for demand in cudnn_demands(cudnn, row, target):
            offered = capability if demand.requirement.name == "__compute_capability" else (Version("1"),)
            if gpu is None and demand.requirement.code == "cudnn-known-bad":
                continue
            if met(demand.requirement, offered) is False:
                subject = (
                    gpu.name if gpu is not None and demand.requirement.code == "cudnn-gpu-dropped" else f"cuDNN {cudnn}"
                )
                found.append(problem(demand.requirement.code, subject, demand.requirement))
    return Part(problems=tuple(found))


def _twice(configuration: Configuration) -> list[Problem]:
    """Two files of one name on the loader path: which one is opened depends on the order."""
    return [
        Problem(
            code="loader-path",
            subject=soname,
            because=(f"the loader finds {soname} at {files[0]}, which hides {' and '.join(files[1:])}",),
        )
        for soname, files in configuration.loader
        if len(files) > 1
    ]
