"""A verdict where an error log shows what happened: what was seen outranks what the rules expect. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.offered import placed
from tfenv.check.question import ask
from tfenv.check.verdict import judge
from tfenv.check.words import ORDER, platforms_of
from tfenv.model import tags
from tfenv.model.report import Answer, Problem, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfenv.check.knowledge import Knowledge
    from tfenv.model.configuration import Configuration
    from tfenv.model.evidence import Evidence, Symptom
    from tfenv.model.package import Name

_KIN = {
    "python-no-wheel": ("python-no-wheel", "platform-no-wheel", "tf-unknown"),
    "gpu-too-new": ("gpu-too-new", "gpu-too-old", "cuda-mismatch"),
    "gpu-too-old": ("gpu-too-old",),
    "cuda-mismatch": ("platform-no-gpu", "cuda-mismatch", "cudnn-mismatch"),
    "cudnn-mismatch": (
        "platform-no-gpu",
        "cudnn-mismatch",
        "cudnn-too-old",
        "cuda-mismatch",
        "cudnn-gpu-dropped",
        "gpu-too-new",
    ),
    "cudnn-too-old": ("cudnn-too-old", "cudnn-mismatch"),
    "driver-too-old": ("driver-too-old", "gpu-too-old"),
    "keras-mismatch": ("keras-mismatch",),
    "loader-path": ("platform-no-gpu", "loader-path"),
}
"""Codes of the rules that explain what a symptom shows, in that order."""

_BEFORE = {"companion-mismatch": "keras-mismatch", "op-abi-mismatch": "api-removed"}
_FILES = ("python-no-wheel", "platform-no-wheel")

SAYS = "in the log: "
"""How the telling line is quoted."""

RANK = {code: ORDER.index(_BEFORE.get(code, code)) * 2 - (code in _BEFORE) for code in ORDER}
"""Place of each code among the symptoms of a log: as they strike; one that names a suspect is before its kin."""


def told(configuration: Configuration, evidence: Evidence, knowledge: Knowledge) -> Verdict:
    """The verdict of the rules, with what the log shows as its first problem.

    Args:
        configuration: what is known, the facts of the log among it.
        evidence: what the log shows, in the order in which it strikes.
        knowledge: facts and releases.
    """
    verdict = judge(ask(configuration, knowledge.database), knowledge)
    if not evidence.symptoms:
        return _with_strangers(verdict, evidence.strangers)
    main = evidence.symptoms[0]
    first = _on_this_platform(_explained(main, configuration, verdict), main, configuration, knowledge)
    seen = {(first.code, first.subject)}
    codes = {first.code, main.code}
    rest = [problem for problem in verdict.problems if (problem.code, problem.subject) not in seen]
    codes |= {problem.code for problem in rest}
    more = []
    for symptom in evidence.symptoms[1:]:
        problem = _plain(symptom)
        if problem.code not in codes:
            more.append(problem)
            codes.add(problem.code)
    verdict = replace(verdict, answer=Answer.BROKEN, problems=(first, *rest, *more))
    return _with_strangers(verdict, evidence.strangers)


def supposed(configuration: Configuration, symptoms: Sequence[Symptom], knowledge: Knowledge) -> Configuration:
    """What the first symptom implies: where pip ran, a driver below what was wanted, a lacking instruction."""
    if not symptoms:
        return configuration
    first = symptoms[0]
    if first.offered is not None:
        configuration = placed(configuration, first.offered, knowledge.database)
    if first.distribution is not None and configuration.tf is not None:
        configuration = _named(configuration, first.distribution, knowledge)
    driver = configuration.machine.driver
    match first.code:
        case "platform-no-gpu" if configuration.accelerated is None:
            return replace(configuration, accelerated=True)  # who looks for a GPU wants one
        case "cpu-instruction-missing":
            return _without_instruction(configuration, knowledge)
        case "driver-too-old" if driver is not None and len(driver.release) == 1:
            # elsewhere a branch alone means its newest driver; this one was not new enough
            return configuration.on(driver=Version(f"{driver.major}.0"))
    return configuration


def _with_strangers(verdict: Verdict, strangers: Sequence[str]) -> Verdict:
    """The verdict with the lines that nobody understood; it is not `works` any more if there are any."""
    lines = tuple(f"log: no cause among versions is known for `{line[:160]}`" for line in strangers)
    answer = Answer.UNKNOWN if lines and verdict.answer is Answer.WORKS else verdict.answer
    return replace(verdict, answer=answer, unknown=(*lines, *verdict.unknown))


def _named(configuration: Configuration, name: Name, knowledge: Knowledge) -> Configuration:
    """Asked for under the name of one distribution."""
    table = knowledge.database.distributions
    said = any(table.of(each) is not None for each, _ in configuration.packages)
    if said or name not in ("tensorflow-gpu", "tensorflow-cpu"):
        return configuration
    try:
        given = SpecifierSet(f"=={Version(configuration.tf or '')}.*")
    except ValueError:
        given = SpecifierSet(configuration.tf or "")
    return replace(configuration, packages=(*configuration.packages, (name, given)))


def _without_instruction(configuration: Configuration, knowledge: Knowledge) -> Configuration:
    """A processor that dies of an instruction lacks the newest one asked of it."""
    if configuration.machine.cpu is not None or configuration.tf is None:
        return configuration
    for cpu in (frozenset({"avx"}), frozenset[str]()):
        lacking = configuration.on(cpu=cpu)
        verdict = judge(ask(lacking, knowledge.database), knowledge)
        if any(problem.code == "cpu-instruction-missing" for problem in verdict.problems):
            return lacking
    return configuration


def _explained(symptom: Symptom, configuration: Configuration, verdict: Verdict) -> Problem:
    """The problem of the rules that this shows, if there is one; else the symptom's own."""
    own = _plain(symptom)
    if configuration.machine.foreign is not None and symptom.installing and verdict.problems:
        where = verdict.problems[0]
        return replace(where, because=(own.because[0], *where.because), sources=(*own.sources, *where.sources))
    if symptom.installing and symptom.package is not None:
        for problem in verdict.problems:
            if problem.code in _FILES and problem.subject.partition(" ")[0] == symptom.package:
                return replace(problem, because=(own.because[0], *problem.because))
        for problem in verdict.problems:  # a part of it could not be installed because it cannot be installed itself
            if problem.code in _FILES and own.code in _FILES and problem.subject.startswith("tensorflow "):
                return replace(problem, because=(*problem.because, *own.because))
    for code in _KIN.get(own.code, (own.code,)):
        for problem in verdict.problems:
            same = problem.code == code and symptom.package in (None, problem.subject)
            if same:
                chain = (own.because[0], *problem.because)
                return replace(problem, because=chain, sources=(*symptom.sources, *problem.sources))
    if own.code == "cuda-mismatch" and symptom.general:
        return replace(own, code="loader-path")
    if own.code in ("cuda-mismatch", "cudnn-mismatch") and _fits(own.code, configuration):
        because = (
            f"what is said to be installed fits, so the loader does not find it: `{own.subject}` is not on its path"
        )
        return replace(own, code="loader-path", because=(*own.because, because))
    return own


def _on_this_platform(
    problem: Problem, symptom: Symptom, configuration: Configuration, knowledge: Knowledge
) -> Problem:
    """A file that no installer found: whether it is the platform that has none, and not the Python."""
    name, platform = symptom.package, configuration.machine.platform
    if problem.code != "python-no-wheel" or not symptom.installing or name is None or platform is None:
        return problem
    releases = [one for one in knowledge.source.releases(name) if symptom.asked in (None, one.version)]
    wheels = [file for one in releases[:1] for file in one.files if file.is_wheel]
    if not wheels or any(tags.serves(platform, tag.platform) for file in wheels for tag in file.tags):
        return problem
    because = f"{name} {releases[0].version} has wheels for {platforms_of(releases[0])} only"
    return replace(problem, code="platform-no-wheel", because=(*problem.because, because))


def _fits(code: str, configuration: Configuration) -> bool:
    """Is the release of the library known (and the rules found nothing wrong with it)?"""
    known = configuration.cuda if code == "cuda-mismatch" else configuration.cudnn
    return known is not None and configuration.tf is not None


def _plain(symptom: Symptom) -> Problem:
    return Problem(
        code=symptom.code,
        subject=symptom.subject,
        because=(symptom.cause, f"{SAYS}{symptom.line[:240]}"),
        sources=symptom.sources,
    )
