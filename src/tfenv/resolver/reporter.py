"""What a resolver reports on its way, kept for the progress display, for notes and for explanations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolvelib.reporters import BaseReporter

from tfenv.resolver.candidate import PYTHON, Candidate, Want, is_virtual
from tfenv.resolver.provider import Choice

if TYPE_CHECKING:
    from packaging.version import Version
    from resolvelib.resolvers import Criterion

    from tfenv.model.package import Name, Requirement
    from tfenv.model.progress import Progress


class Reporter(BaseReporter[Want, Choice, str]):
    """Remembers which candidates of the first project were tried, and which candidates the machine cannot serve.

    Args:
        progress: advanced by each candidate that is chosen for the first time.
        task: name of the task that is advanced.
        first: project that is chosen before anything else.

    Attributes:
        tried: candidates of the first project, in the order in which they were tried.
        held: project to version to what it asks of the machine and does not get.
    """

    def __init__(self, progress: Progress, task: str, first: Name) -> None:
        self._progress = progress
        self._task = task
        self._first = first
        self._pinned: set[Choice] = set()
        self.tried: list[Candidate] = []
        self.held: dict[Name, dict[Version, Requirement]] = {}

    def adding_requirement(self, requirement: Want, parent: Choice | None) -> None:  # noqa: ARG002
        """A candidate is tried when its first requirement is read."""
        if isinstance(parent, Candidate) and parent.identifier == self._first and parent not in self.tried[-1:]:
            self.tried.append(parent)

    def rejecting_candidate(self, criterion: Criterion[Want, Choice], candidate: Choice) -> None:
        """The last requirement of a criterion is the one that cannot be satisfied."""
        want = list(criterion.information)[-1].requirement
        if isinstance(candidate, Candidate) and is_virtual(want.identifier) and want.identifier != PYTHON:
            self.held.setdefault(candidate.name, {})[candidate.version] = want.requirement

    def pinning(self, candidate: Choice) -> None:
        """Progress counts candidates."""
        if isinstance(candidate, Candidate) and candidate not in self._pinned:
            self._pinned.add(candidate)
            self._progress.advance(self._task)
