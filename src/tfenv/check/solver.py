"""Locks for changed questions: whether there is one, and which packages it has, as near as can be to what is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.check.edges import full
from tfenv.check.verdict import best
from tfenv.errors import IndexUnavailable
from tfenv.model.package import Requirement
from tfenv.overlay.overlay import FactsOverlay
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN
from tfenv.overlay.shipped import Shipped
from tfenv.resolver import Conflict, resolve

if TYPE_CHECKING:
    from packaging.version import Version

    from tfenv.check.clash import Edges
    from tfenv.check.knowledge import Knowledge
    from tfenv.check.question import Fixed, Question
    from tfenv.model.goal import Goal
    from tfenv.resolver import Resolution

_MOST = 12
"""Resolutions for one answer, at most."""


class Solver:
    """Resolutions for one answer, each made once.

    Args:
        knowledge: facts and releases.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._edges: dict[Question, Edges] = {}
        self._resolved: dict[Goal, Resolution | None] = {}
        self._solved: set[Question] = set()
        self._count = 0

    def best(self, question: Question) -> Edges:
        """The pass over a question on its best Python."""
        if question not in self._edges:
            version = question.releases[0] if question.releases else None
            self._edges[question] = best(question, version, self._knowledge)
        return self._edges[question]

    def has_solved(self, question: Question) -> bool:
        """Whether a lock was found for it."""
        return question in self._solved

    def solved(self, question: Question) -> None:
        """Note that the packages of a question are those of a lock."""
        self._solved.add(question)

    def resolution(self, question: Question, *wanted: Requirement) -> Resolution | None:
        """A lock with the packages as near as can be to what is there; ``None`` if there is none."""
        goal = self._goal(question)
        goal = replace(goal, requirements=(*goal.requirements, *wanted))
        if goal not in self._resolved:
            if self._count >= _MOST:
                return None
            self._count += 1
            self._resolved[goal] = self._resolve(question, goal)
        return self._resolved[goal]

    def solves(self, question: Question) -> bool:
        """Whether there is a lock."""
        if question in self._solved:
            return True
        solved = self.resolution(question) is not None
        if solved:
            self._solved.add(question)
        return solved

    def conflict(self, question: Question) -> Conflict | None:
        """Why no lock has the packages at exactly what is fixed; ``None`` if one has, or if nobody can tell."""
        goal = self._goal(question)
        stack = (SYSTEM_CUDA, SYSTEM_CUDNN)
        fixed = [one for one in question.fixed if one.name not in stack and not one.name.startswith("nvidia-")]
        known = [one for one in fixed if self._knowledge.source.releases(one.name)]
        wanted = tuple(Requirement(name=one.name, specifier=one.specifier) for one in known)
        try:
            self._search(question, replace(goal, requirements=wanted), brief=False)
        except Conflict as conflict:
            return conflict
        except IndexUnavailable:
            return None
        return None

    def _resolve(self, question: Question, goal: Goal) -> Resolution | None:
        try:
            return self._search(question, goal, brief=True)
        except (Conflict, IndexUnavailable):
            return None

    def _search(self, question: Question, goal: Goal, *, brief: bool) -> Resolution:
        target, knowledge = goal.target, self._knowledge
        stems = {f"{version.major}.{version.minor}" for version in question.releases} or None
        source = Shipped(knowledge.database, knowledge.index, minors=stems, closed=True)
        overlay = FactsOverlay(source, knowledge.database, target, keras=goal.keras, tensorflow=goal.tensorflow)
        preferred = {one.name: version for one in question.fixed if (version := self._preferred(one)) is not None}
        python = self.best(question).python
        known = [each for each in knowledge.database.images.pythons if each.release[:2] == python.release[:2]]
        return resolve(goal, overlay, pythons=known or [full(python)], preferred=preferred, brief=brief)

    def _preferred(self, one: Fixed) -> Version | None:
        """The version that is there; of a range the newest."""
        if one.version is not None or one.name in (SYSTEM_CUDA, SYSTEM_CUDNN):
            return one.version
        releases = self._knowledge.source.releases(one.name)
        return next((each.version for each in releases if one.specifier.contains(each.version)), None)

    def _goal(self, question: Question) -> Goal:
        """What a lock of it has to meet: packages that no other requires are wanted, the rest is preferred."""
        required = {name for names in self.best(question).requires.values() for name in names}
        tops = [
            one
            for one in question.fixed
            if one.name not in required
            and one.name not in (SYSTEM_CUDA, SYSTEM_CUDNN)
            and not one.name.startswith("nvidia-")
            and self._knowledge.source.releases(one.name)
        ]
        target = replace(question.target, python=self.best(question).python)
        if target.platform.is_linux and target.glibc is None:
            image = next((row for row in self._knowledge.database.images.all), None)
            target = replace(target, glibc=None if image is None else image.glibc)
        version = question.releases[0] if question.releases else None
        return replace(
            question.goal,
            tensorflow=SpecifierSet("" if version is None else f"=={version}"),
            prereleases=version is not None and version.is_prerelease,
            target=target,
            requirements=tuple(Requirement(name=one.name) for one in tops),
        )
