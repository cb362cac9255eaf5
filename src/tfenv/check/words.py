"""Clashes in words: a code, a subject, and the chain of reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.check.clash import ClashKind
from tfenv.check.question import NOT_THERE
from tfenv.facts.rows import cited
from tfenv.model import tags
from tfenv.model.hardware import driver_text
from tfenv.model.package import Name
from tfenv.model.report import Problem
from tfenv.model.target import Platform
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN
from tfenv.resolver.candidate import PYTHON, is_virtual

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.check.clash import Clash, Edges
    from tfenv.check.question import Question
    from tfenv.facts.identity import DistributionTable
    from tfenv.model.package import File, Release, Requirement

KERAS = ("keras", "tf-keras")
ORDER = (
    "tf-unknown",
    "python-no-wheel",
    "platform-no-wheel",
    "package-missing",
    "package-broken",
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

_SAME_TIME = {
    "keras-mismatch": "package-incompatible",
    "companion-mismatch": "package-incompatible",
    "package-missing": "package-incompatible",
}
RANK = {code: ORDER.index(_SAME_TIME.get(code, code)) for code in ORDER}

_FIRST = ("protobuf", "numpy", "ml-dtypes", "h5py", "keras", "wrapt", "gast")
"""In the order in which `import tensorflow` fails over them."""

_CODES = {PYTHON: "python-no-wheel", "__glibc": "glibc-too-old", "__cpu": "cpu-instruction-missing"}
_NAMES = {SYSTEM_CUDA: "CUDA", SYSTEM_CUDNN: "cuDNN"}
NOTHING = str(NOT_THERE)
"""What is given where a library is known not to be there."""


def problem_of(clash: Clash, question: Question, edges: Edges, table: DistributionTable) -> Problem:
    """A clash as `check` reports it."""
    code = code_of(clash, table)
    because = tuple(dict.fromkeys(_because(clash, question, edges)))
    source = clash.requirement.source or clash.source
    sources = cited(source)
    if clash.requirement.source and clash.source and len(sources) < len(because) and not clash.requirement.because:
        sources = (*sources, clash.source)
    return Problem(code=code, subject=_subject(clash, code, question, table), because=because, sources=sources)


def code_of(clash: Clash, table: DistributionTable) -> str:
    """The code of the contract."""
    requirement, parent = clash.requirement, clash.parent[0]
    if clash.kind is ClashKind.MISSING and requirement.brought == "metadata":
        return "package-missing"
    if requirement.code:
        return requirement.code
    if is_virtual(requirement.name):
        return _CODES.get(requirement.name, "package-incompatible")
    if requirement.name in KERAS or parent in KERAS:
        return "keras-mismatch"
    if table.of(requirement.name) is not None or clash.kind is ClashKind.MISSING:
        return "companion-mismatch"
    return "package-incompatible"


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """As they strike, each subject once for a code; those that strike together as the import meets them."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.code, problem.subject), problem)
    return tuple(sorted(first.values(), key=_rank))


def _rank(problem: Problem) -> tuple[int, int]:
    together = problem.code in ("package-incompatible", *_SAME_TIME)
    place = (*_FIRST, problem.subject).index(problem.subject) if together else 0
    return RANK.get(problem.code, len(ORDER)), place


def _subject(clash: Clash, code: str, question: Question, table: DistributionTable) -> str:
    requirement, (parent, version), target = clash.requirement, clash.parent, question.target
    if clash.kind is ClashKind.FILE or requirement.name == PYTHON:
        return f"{parent} {version}"
    if clash.kind is ClashKind.ABSENT:
        return parent
    if requirement.name in _NAMES:
        return (
            f"{_NAMES[requirement.name]} {_system(clash.given)}" if clash.given != NOTHING else _NAMES[requirement.name]
        )
    if code.startswith("driver") and target.driver is not None:
        return f"driver {driver_text(target.driver)}"
    if code.startswith("gpu") or code == "cudnn-gpu-dropped":
        failing = [gpu for gpu in target.gpus if not requirement.allows(Version(str(gpu.capability)))]
        failing.sort(key=lambda gpu: gpu.name not in requirement.because)
        return failing[0].name if failing else " and ".join(target.gfx)
    if parent == SYSTEM_CUDNN:
        return f"cuDNN {version}"
    if code == "cpu-instruction-missing":
        return " ".join(sorted(requirement.extras - (target.cpu or frozenset())))
    if code == "glibc-too-old":
        return f"glibc {target.glibc}"
    if code == "platform-no-gpu":
        return str(target.platform)
    if is_virtual(requirement.name) or table.of(requirement.name) is not None:
        return parent
    return requirement.name


def _because(clash: Clash, question: Question, edges: Edges) -> list[str]:
    requirement, (parent, version) = clash.requirement, clash.parent
    release = f"{parent} {version}"
    if clash.kind is ClashKind.FILE:
        if requirement.code == "platform-no-wheel":
            return [f"{release} has wheels for {clash.given or 'no platform'} only"]
        where = f"Python {clash.given} on {question.target.platform}"
        return [f"{release} has wheels for {where}, and none for Python {edges.python}"]
    if clash.kind is ClashKind.ABSENT:
        return [f"there is no release {version} of {parent}; the newest is {clash.given}"]
    reasons = [reason for reason in requirement.because.split("\n") if reason]
    if not is_virtual(requirement.name) and requirement.name not in _NAMES:
        wants = f"{release} requires {plain(requirement)}"
        reasons = reasons if reasons and reasons[0].startswith(f"{release} requires") else [wants, *reasons]
    elif requirement.name == PYTHON:
        reasons = [f"{release} requires Python {requirement.specifier}"]
    return [*reasons, *_has(clash, question, edges)]


def plain(requirement: Requirement) -> str:
    """A requirement without its marker: `numpy<2,>=1.26`."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    either = " or ".join(str(spec) for spec in requirement.any_of)
    return f"{requirement.name}{extras}{requirement.specifier}{either}"


def _has(clash: Clash, question: Question, edges: Edges) -> list[str]:
    """What there is instead."""
    name, target = clash.requirement.name, question.target
    if clash.kind is ClashKind.MISSING:
        return [f"{name} is not installed"]
    if name in _NAMES and clash.given == NOTHING:
        return [f"{_NAMES[Name(name)]} is not installed here"]
    if name == SYSTEM_CUDA:
        return [f"CUDA {_system(clash.given)} has no file of that name"]
    if name == SYSTEM_CUDNN:
        return [f"the cuDNN here is {_system(clash.given)}"]
    if clash.kind is ClashKind.VERSION:
        return [f"{name} is {clash.given}"]
    if name == "__driver" and target.driver is not None:
        return [f"the driver is {driver_text(target.driver)}"]
    if name == "__compute_capability":
        return [_capability(question, clash)]
    if name == "__glibc":
        return [f"this machine has {target.glibc}"]
    if name == "__cpu":
        lacking = sorted(clash.requirement.extras - (target.cpu or frozenset()))
        return [f"this processor has no {' '.join(word.upper() for word in lacking)}"]
    return [f"this is Python {edges.python}"] if name == PYTHON else []


def _capability(question: Question, clash: Clash) -> str:
    for gpu in question.target.gpus:
        if not clash.requirement.allows(Version(str(gpu.capability))):
            subject = gpu.name if gpu.name != str(gpu.capability) else "the GPU"
            return f"{subject} has compute capability {gpu.capability}"
    return ""


def _system(given: str) -> str:
    """`11.2` for `asked for as ==11.2.*`."""
    return given.removeprefix("asked for as ").removeprefix("==").removesuffix(".*")


def pythons_of(files: list[File]) -> str:
    """The Pythons that some wheels are for, in words."""
    found = set()
    for file in files:
        for tag in file.tags:
            digits = tag.interpreter.removeprefix("cp").removeprefix("py")
            if digits.isdigit() and len(digits) > 1:
                found.add(Version(f"{digits[0]}.{digits[1:]}"))
    versions = [str(version) for version in sorted(found)]
    if len(versions) > 4:
        return f"{versions[0]} … {versions[-1]}"
    return " and ".join(filter(None, (", ".join(versions[:-1]), *versions[-1:])))


def platforms_of(release: Release) -> str:
    """The platforms that a release has wheels for, in words."""
    found = [
        each
        for each in Platform
        if each is not Platform.WSL
        and any(tags.serves(each, tag.platform) for file in release.files for tag in file.tags)
    ]
    return ", ".join(sorted(map(str, found)))
