"""A verdict where an error log told what happened: what was seen outranks what the rules would have expected. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.offered import placed
from tfenv.check.subject import DISTRIBUTIONS
from tfenv.check.verdict import judge
from tfenv.model.package import normalize
from tfenv.model.report import Answer, Problem, Verdict
from tfenv.symbols import database as symbols

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfenv.facts.database import Database
    from tfenv.facts.signatures import Sighting
    from tfenv.model.configuration import Configuration
    from tfenv.model.package import Name

_INSTALLING = ("python-no-wheel", "platform-no-wheel", "companion-mismatch")
"""What pip says on a platform that has no wheels at all."""

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
"""Codes of the rules that explain what a signature shows, in that order."""


def told(configuration: Configuration, sightings: Sequence[Sighting], database: Database) -> Verdict:
    """The verdict of the rules, with what the log shows as its first problem.

    Args:
        configuration: what is known, the facts of the log among it.
        sightings: in the order of the table: the first tells most.
        database: the facts.
    """
    if not sightings:
        return judge(configuration, database)
    configuration = supposed(configuration, sightings[0], database)
    verdict = judge(configuration, database)
    first = _known_symbol(sightings[0], _explained(sightings[0], configuration, verdict))
    seen = {(first.code, first.subject)}
    codes = {first.code, sightings[0].signature.code}
    rest = [problem for problem in verdict.problems if (problem.code, problem.subject) not in seen]
    codes |= {problem.code for problem in rest}
    more = []
    for sighting in sightings[1:]:
        problem = _plain(sighting)
        if problem.code not in codes:
            more.append(problem)
            codes.add(problem.code)
    return replace(verdict, answer=Answer.BROKEN, problems=(first, *rest, *more))


def supposed(configuration: Configuration, first: Sighting, database: Database) -> Configuration:
    """What a log tells without saying it: where pip ran, a driver below what was wanted, a lacking instruction."""
    if (offered := first.facts.get("offered")) is not None:
        configuration = placed(configuration, offered, database)
    if (name := first.facts.get("distribution")) is not None and configuration.tf is not None:
        configuration = _named(configuration, normalize(name))
    match first.signature.code:
        case "cpu-instruction-missing":
            return _without_instruction(configuration, database)
        case "driver-too-old" if configuration.driver is not None and len(configuration.driver.release) == 1:
            # a branch alone stands for its newest driver elsewhere; this one was not new enough
            return replace(configuration, driver=Version(f"{configuration.driver.major}.0"))
    return configuration


def _named(configuration: Configuration, name: Name) -> Configuration:
    """Asked for under the name of one distribution."""
    if name not in DISTRIBUTIONS[1:] or any(each in DISTRIBUTIONS for each, _ in configuration.packages):
        return configuration
    try:
        given = SpecifierSet(f"=={Version(configuration.tf or '')}.*")
    except ValueError:
        given = SpecifierSet(configuration.tf or "")
    return replace(configuration, packages=(*configuration.packages, (name, given)))


def _without_instruction(configuration: Configuration, database: Database) -> Configuration:
    """A processor that dies of an instruction lacks the newest one asked of it."""
    if configuration.cpu is not None or configuration.tf is None:
        return configuration
    for cpu in (frozenset({"avx"}), frozenset[str]()):
        lacking = replace(configuration, cpu=cpu)
        if any(problem.code == "cpu-instruction-missing" for problem in judge(lacking, database).problems):
            return lacking
    return configuration


def _explained(sighting: Sighting, configuration: Configuration, verdict: Verdict) -> Problem:
    """The problem of the rules that this shows, if there is one; else the signature's own."""
    own = _plain(sighting)
    if configuration.foreign is not None and own.code in _INSTALLING and verdict.problems:
        where = verdict.problems[0]
        return replace(where, because=(own.because[0], *where.because), sources=(*own.sources, *where.sources))
    for code in _KIN.get(own.code, (own.code,)):
        for problem in verdict.problems:
            same = problem.code == code and sighting.package in (None, problem.subject)
            if same:
                chain = (own.because[0], *problem.because)
                return replace(problem, because=chain, sources=(sighting.signature.source, *problem.sources))
    if own.code in ("cuda-mismatch", "cudnn-mismatch") and _fits(own.code, configuration):
        because = (
            f"what is said to be installed fits, so the loader does not find it: `{own.subject}` is not on its path"
        )
        return replace(own, code="loader-path", because=(*own.because, because))
    return own


def _known_symbol(sighting: Sighting, problem: Problem) -> Problem:
    """A name that some releases have: which."""
    found = symbols.load().api.symbol(sighting.symbol) if sighting.symbol is not None else None
    if found is None:
        return problem
    there = f"`{sighting.symbol}` is there from {found.minors[0]} to {found.minors[-1]}"
    became = symbols.load().api.became(sighting.symbol or "")
    because = (
        (*problem.because, there)
        if became is None or not became.now
        else (
            *problem.because,
            f"{there}; it became `{became.now}`",
        )
    )
    sources = problem.sources if became is None else (*problem.sources, became.source)
    return replace(problem, subject=sighting.symbol or problem.subject, because=because, sources=sources)


def _fits(code: str, configuration: Configuration) -> bool:
    """Is the release of the library known (and the rules found nothing wrong with it)?"""
    known = configuration.cuda if code == "cuda-mismatch" else configuration.cudnn
    return known is not None and configuration.tf is not None


def _plain(sighting: Sighting) -> Problem:
    code = sighting.signature.code
    if code == "cudnn-too-old":
        found, built = sighting.facts.get("cudnn"), sighting.facts.get("built_cudnn")
        if found and built and Version(found).major != Version(built).major:
            code = "cudnn-mismatch"
    return Problem(
        code=code,
        subject=sighting.subject,
        because=(sighting.cause, f"the log says: {sighting.line[:240]}"),
        sources=(sighting.signature.source,),
    )
