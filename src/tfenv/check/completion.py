"""Whether a few fixed packages can be completed to a whole environment: only then does an answer say `works`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tfenv.check.fixes import Fixes
from tfenv.check.repairs import MOST
from tfenv.check.verdict import concluded
from tfenv.model.report import Answer, Problem
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN

if TYPE_CHECKING:
    from tfenv.check.knowledge import Knowledge
    from tfenv.check.question import Question
    from tfenv.model.report import Verdict
    from tfenv.resolver import Conflict


def completed(verdict: Verdict, question: Question, knowledge: Knowledge) -> Verdict:
    """The verdict, if what is fixed is part of some lock; else why it is not, with what repairs it.

    Args:
        verdict: of the judge; only one that says `works` is looked at.
        question: what was asked.
        knowledge: facts and releases.
    """
    packages = [one for one in question.fixed if one.name not in (SYSTEM_CUDA, SYSTEM_CUDNN)]
    if verdict.answer is not Answer.WORKS or question.complete or not packages:
        return verdict
    conflict: Conflict | None = None
    for version in question.releases:
        found = Fixes(replace(question, releases=(version,)), knowledge).conflict()
        if found is None:
            return verdict
        conflict = conflict or found
    if conflict is None or not conflict.links:
        names = ", ".join(one.name for one in packages)
        return concluded((), verdict.warnings, [f"packages: whether a whole environment has {names} was not found out"])
    because = tuple(dict.fromkeys(_words(conflict)))
    parties = {link.requirement.name for link in conflict.links} | {
        link.parent[0] for link in conflict.links if link.parent is not None
    }
    subject = next((one.name for one in packages if one.name in parties), packages[0].name)
    fixes = Fixes(question, knowledge).relaxed()
    problem = Problem(code="package-incompatible", subject=subject, because=because, fixes=tuple(fixes[:MOST]))
    return concluded([problem], verdict.warnings)


def _words(conflict: Conflict) -> list[str]:
    """The requirements that cannot be met together."""
    lines = []
    for link in conflict.links:
        wanted = f"{link.requirement.name}{link.requirement.specifier}"
        lines.append(f"{link.parent[0]} {link.parent[1]} requires {wanted}" if link.parent else f"{wanted} is fixed")
        lines += [reason for reason in link.requirement.because.split("\n") if reason]
    return [*lines, *conflict.gaps.values()]
