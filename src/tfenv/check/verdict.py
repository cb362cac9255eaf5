"""Would this combination work? The rules, asked of a configuration. Pure: no network, no disk beyond the database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.check import hardware, libraries, packages
from tfenv.check.subject import (
    CPU,
    DISTRIBUTIONS,
    GPU,
    Subject,
    pythons_of,
    subject,
    versions,
)
from tfenv.errors import UsageError
from tfenv.facts.makers import maker_of
from tfenv.model.hardware import Gpu
from tfenv.model.package import TENSORFLOW
from tfenv.model.report import Answer, Caution, Problem, Verdict
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.facts.database import Database
    from tfenv.model.configuration import Configuration
    from tfenv.model.package import Name

ORDER = (
    "tf-unknown",
    "python-no-wheel",
    "platform-no-wheel",
    "platform-no-gpu",
    "glibc-too-old",
    "cpu-instruction-missing",
    "op-abi-mismatch",
    "package-incompatible",
    "keras-mismatch",
    "companion-mismatch",
    "api-removed",
    "loader-path",
    "cuda-mismatch",
    "cudnn-mismatch",
    "driver-too-old",
    "driver-too-new",
    "gpu-too-old",
    "gpu-too-new",
    "cudnn-too-old",
    "cudnn-gpu-dropped",
    "cudnn-known-bad",
)
"""Codes in the order in which they strike: while installing, at import, when the libraries are opened, when the device
is made, at the first convolution."""

_OTHERS = (
    "intel-tensorflow",
    "intel-tensorflow-avx512",
    "nvidia-tensorflow",
    "tensorflow-aarch64",
    "tensorflow-directml",
    "tensorflow-macos",
    "tensorflow-rocm",
)
"""Distributions that bring the module `tensorflow`, each by another builder."""

_PLUGINS = {
    "intel-extension-for-tensorflow": "Intel",
    "tensorflow-directml-plugin": "AMD",
    "tensorflow-metal": "Apple",
}
"""Packages that let TensorFlow use GPUs of another maker."""

_POINTERS = ("tensorflow-intel", "tf-nightly", "tf-nightly-gpu", "tf-nightly-cpu")
"""What else has the number of a release: what the wheel for Windows points at, and nightly builds."""

_SAME_TIME = {"keras-mismatch": "package-incompatible", "companion-mismatch": "package-incompatible"}
_RANK = {code: ORDER.index(_SAME_TIME.get(code, code)) for code in ORDER}


_HOPELESS = ("python-no-wheel", "platform-no-wheel", "platform-no-gpu", "driver-too-new", "gpu-too-old", "gpu-too-new")
"""What a machine can have with every release."""


def judge(configuration: Configuration, database: Database) -> Verdict:
    """The verdict on a configuration, without fixes.

    What is not said is assumed where every machine of today has it (AVX) or tfenv can choose it (Python, where a GPU is
    asked about), and said to be assumed; what else is missing is `unknown`.
    """
    tf = configuration.tf or _installed(configuration)
    configuration = _with_plugin(configuration)
    if configuration.foreign is not None:
        return _ended(_foreign(configuration.foreign, tf))
    if (other := _of_others(configuration)) is not None:
        return concluded((), (), [f"tf: {other} is built by others, and nothing is known of its build"])
    if tf is None:
        return _unsaid(configuration, database)
    found = versions(tf, database)
    if not found:
        return _no_release(tf, configuration, database)
    verdicts = [_examine(version, replace(configuration, tf=str(version)), database) for version in found]
    verdict = min(verdicts, key=_badness)
    if _is_prerelease(tf) and not found[0].is_prerelease:
        return replace(verdict, warnings=(_assumed(f"the build {tf} is like {found[0]}"), *verdict.warnings))
    return verdict


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """As they strike, each subject once for a code; those that strike together keep their order."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.code, problem.subject), problem)
    return tuple(sorted(first.values(), key=lambda problem: _RANK[problem.code]))


def concluded(problems: Iterable[Problem], warnings: Iterable[Caution] = (), unknown: Iterable[str] = ()) -> Verdict:
    """Broken if there is a problem, else unknown if something is missing, else it works."""
    problems, unknown = in_order(problems), tuple(dict.fromkeys(unknown))
    answer = Answer.BROKEN if problems else Answer.UNKNOWN if unknown else Answer.WORKS
    return Verdict(answer=answer, problems=problems, warnings=tuple(dict.fromkeys(warnings)), unknown=unknown)


def _badness(verdict: Verdict) -> tuple[int, int, int]:
    """The first of several releases that is best; they come newest first."""
    rank = (Answer.WORKS, Answer.UNKNOWN, Answer.BROKEN).index(verdict.answer)
    return rank, -_RANK[verdict.problems[0].code] if verdict.problems else 0, len(verdict.warnings)


def _examine(version: Version, configuration: Configuration, database: Database) -> Verdict:
    warnings: list[Caution] = []
    unknown: list[str] = []
    platform = configuration.platform or Platform.LINUX_X86_64
    if configuration.platform is None:
        warnings.append(_assumed(f"the platform is {platform}, x86_64 with Linux"))
    if configuration.glibc is None and configuration.system is not None and platform.is_linux:
        glibc = database.systems.glibc(configuration.system)
        if glibc is not None:
            warnings.append(_assumed(f"glibc is {glibc}, that of {configuration.system}"))
            configuration = replace(configuration, glibc=glibc)
    gpus, unclear, strangers = _gpus(configuration, database)
    unknown += unclear
    wanted = bool(configuration.accelerated)
    about = choose(version, platform, configuration, database, accelerated=wanted)
    if about is None:
        name = _distribution(configuration) or TENSORFLOW
        return concluded([_no_distribution(name, version, database)])
    problems = [*_wheel(about, configuration), *strangers]
    if any(problem.code in ("python-no-wheel", "platform-no-wheel") for problem in problems):
        return concluded(problems, warnings)
    if configuration.python is None:
        if wanted:
            warnings.append(_assumed(f"Python is one that {about.words} has a wheel for, such as {about.python}"))
        else:
            unknown.append("python")
    problems += _glibc(about, configuration)
    clashes, cautions = packages.problems(about, configuration, database)
    problems += clashes
    warnings += cautions
    problems += hardware.processor(about, configuration, database)
    warnings += hardware.assumed(about, configuration, database)
    if configuration.accelerated is None and configuration.python is None:
        unknown.append("gpu")
    elif configuration.accelerated is None:
        warnings.append(_assumed("no GPU is to be used: none is named, and no driver, CUDA or cuDNN"))
    if wanted and not strangers:
        no_gpu = hardware.without_gpu(about, database)
        problems += no_gpu
        if not no_gpu:
            for part in (
                hardware.problems(about, gpus, configuration, database),
                libraries.problems(about, gpus, configuration, database),
            ):
                problems += part.problems
                warnings += part.warnings
                unknown += part.unknown
    return concluded(problems, warnings, unknown)


def choose(
    version: Version, platform: Platform, configuration: Configuration, database: Database, *, accelerated: bool
) -> Subject | None:
    """The distribution that is named, else the one that brings what is wanted on this platform."""
    named = _distribution(configuration)
    if named is not None:
        return subject(named, version, platform, configuration.python, database)
    own = subject(TENSORFLOW, version, platform, configuration.python, database)
    if accelerated:
        other = subject(GPU, version, platform, configuration.python, database)
        plain = own is None or own.build is None or not own.build.is_cuda
        if plain and other is not None and other.build is not None and other.build.is_cuda:
            return other
    return own


def gpus_of(configuration: Configuration, database: Database) -> tuple[Gpu, ...]:
    """The GPUs that are named and known."""
    return _gpus(configuration, database)[0]


def _distribution(configuration: Configuration) -> Name | None:
    said = {name for name, _ in configuration.packages}
    return next((name for name in (TENSORFLOW, GPU, CPU) if name in said), None)


def _installed(configuration: Configuration) -> str | None:
    """The release that the packages name, if `tf` does not."""
    for name in (*DISTRIBUTIONS, *_POINTERS):
        if (specifier := configuration.package(name)) is not None:
            version = configuration.version_of(name)
            return str(version) if version is not None else str(specifier)
    return None


def _with_plugin(configuration: Configuration) -> Configuration:
    """GPUs that a plugin serves ask nothing of CUDA."""
    makers = {maker for name, maker in _PLUGINS.items() if configuration.package(name) is not None}
    if not makers:
        return configuration
    rest = tuple(gpu for gpu in configuration.gpus if (maker := maker_of(gpu)) is None or maker not in makers)
    if rest == configuration.gpus and configuration.gpus:
        return configuration
    return replace(configuration, gpus=rest, accelerated=bool(rest or configuration.cuda or configuration.cudnn))


def _of_others(configuration: Configuration) -> str | None:
    """A distribution that somebody else builds, if none of TensorFlow's own is there."""
    said = [name for name, _ in configuration.packages]
    if configuration.tf is not None or any(name in DISTRIBUTIONS for name in said):
        return None
    return next((name for name in said if name in _OTHERS), None)


def _is_prerelease(tf: str) -> bool:
    try:
        return Version(tf).is_prerelease
    except ValueError:
        return False


def _unsaid(configuration: Configuration, database: Database) -> Verdict:
    """Without a release: what no release would do, else what is missing."""
    missing = ["tf"]
    missing += ["python"] if configuration.python is None else []
    missing += ["gpu"] if not configuration.gpus and configuration.capability is None else []
    if configuration.accelerated:
        verdicts = [
            _examine(newest[0], replace(configuration, tf=str(newest[0])), database)
            for stem in reversed(database.releases.minors)
            if (newest := versions(stem, database))
        ]
        furthest = min(verdicts, key=_badness)
        if furthest.problems and furthest.problems[0].code in _HOPELESS:
            return replace(furthest, unknown=tuple(dict.fromkeys(("tf", *furthest.unknown))))
    return concluded((), (), missing)


def _gpus(
    configuration: Configuration, database: Database
) -> tuple[tuple[Gpu, ...], tuple[str, ...], tuple[Problem, ...]]:
    """The GPUs that are named; what cannot be understood; and those that no CUDA build can use."""
    found: list[Gpu] = []
    unknown: list[str] = []
    strangers: list[Problem] = []
    capability = configuration.capability
    for name in configuration.gpus:
        if (maker := maker_of(name)) is not None:
            strangers.append(hardware.of_another_maker(name, maker))
        elif capability is not None and len(configuration.gpus) == 1:
            found.append(Gpu(name=hardware.plain(name, database), capability=capability))
        else:
            try:
                found.append(database.gpus.find(name))
            except UsageError as error:
                # what the newest of them is too old for, all are
                found += [newest] if (newest := database.gpus.newest(name)) is not None else []
                unknown.append(f"gpu: {error.message}" + (f" ({error.hint})" if error.hint else ""))
    if not configuration.gpus and capability is not None:
        found.append(Gpu(name=str(capability), capability=capability))
    # an integrated GPU beside one of NVIDIA is not what computes
    return tuple(dict.fromkeys(found)), tuple(unknown), () if found or unknown else tuple(strangers)


def _wheel(about: Subject, configuration: Configuration) -> list[Problem]:
    """Is there something to install?"""
    here = pythons_of(about.facts, about.platform)
    where = about.facts.sources
    if not here:
        known = sorted({str(wheel.platform) for wheel in about.facts.wheels if wheel.platform is not None})
        because = f"{about.words} has wheels for {', '.join(known)} only"
        return [Problem(code="platform-no-wheel", subject=str(about.platform), because=(because,), sources=where)]
    if not about.wheels:
        said = f"Python {configuration.python}"
        because = f"{about.words} has wheels for Python {_several(here)} on {about.platform}, and none for {said}"
        return [Problem(code="python-no-wheel", subject=said, because=(because,), sources=where)]
    return packages.pip(about, configuration)


def _glibc(about: Subject, configuration: Configuration) -> list[Problem]:
    if configuration.glibc is None or not about.platform.is_linux or about.python is None:
        return []
    needed = [wheel.needs_glibc for wheel in about.wheels]
    if any(floor is None or floor <= configuration.glibc for floor in needed):
        return []
    lowest = min(floor for floor in needed if floor is not None)
    return [
        Problem(
            code="glibc-too-old",
            subject=f"glibc {configuration.glibc}",
            because=(f"{about.words} is built for glibc {lowest} and newer", f"this machine has {configuration.glibc}"),
            sources=(about.source,),
        )
    ]


def _no_release(tf: str, configuration: Configuration, database: Database) -> Verdict:
    known = [Version(stem) for stem in database.releases.minors]
    try:
        asked = Version(tf)
    except ValueError:
        because = f"no release that the database knows is {tf}; it knows {known[0]} to {known[-1]}"
        return concluded([Problem(code="tf-unknown", subject=f"tensorflow {tf}", because=(because,))])
    if asked.release[:2] < known[0].release[:2]:
        return concluded((), (), [f"tf: {tf} is older than {known[0]}, the first release that the database knows"])
    if asked.local is not None or asked.is_prerelease or asked.is_devrelease:
        return concluded((), (), [f"tf: the database does not know the build {tf}"])
    stem = f"{asked.major}.{asked.minor}"
    patches = sorted({each for each in database.releases.versions_of(stem) if not each.is_prerelease})
    because = (
        f"the releases of TensorFlow {stem} are {_several(patches)}" if patches else f"there is no TensorFlow {stem}"
    )
    problem = Problem(
        code="tf-unknown",
        subject=f"tensorflow {tf}",
        because=(because,),
        sources=("https://pypi.org/simple/tensorflow/",),
    )
    return concluded([problem], (), () if configuration.tf else ("tf",))


def _no_distribution(name: Name, version: Version, database: Database) -> Problem:
    newest = next(iter(database.releases.versions(name)), None)
    because = f"{name} has no release {version}" + (f"; its last is {newest}" if newest is not None else "")
    return Problem(
        code="tf-unknown",
        subject=f"{name} {version}",
        because=(because,),
        sources=(f"https://pypi.org/simple/{name}/",),
    )


def _foreign(said: str, tf: str | None) -> Problem:
    because = f"TensorFlow{f' {tf}' if tf else ''} has wheels for 64 bit Linux with glibc, Windows and macOS only"
    return Problem(
        code="platform-no-wheel", subject=said, because=(because,), sources=("https://pypi.org/simple/tensorflow/",)
    )


def _ended(problem: Problem) -> Verdict:
    return concluded([problem])


def _assumed(message: str) -> Caution:
    return Caution(code="assumed", message=message)


def _several(words: Iterable[object]) -> str:
    texts = [str(word) for word in words]
    if len(texts) > 4:
        return f"{texts[0]} … {texts[-1]}"
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
