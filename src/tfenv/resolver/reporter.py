"""What resolvelib tells on its way, kept for notes and explanations."""

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
    """Remembers which TensorFlow was tried, and which candidates the machine turned down.

    Attributes:
        tried: candidates of the first package, in the order they were tried.
        held: as in the provider, for what was tried.
    """

    def __init__(self, progress: Progress, task: str, first: Name) -> None:
        self._progress = progress
        self._task = task
        self._first = first
        self.tried: list[Candidate] = []
        self.held: dict[Name, dict[Version, Requirement]] = {}

    def adding_requirement(self, requirement: Want, parent: Choice | None) -> None:  # noqa: ARG002  # resolvelib names it
        """A candidate shows itself by the first thing that it requires."""
        if isinstance(parent, Candidate) and parent.identifier == self._first and parent not in self.tried[-1:]:
            self.tried.append(parent)

    def rejecting_candidate(self, criterion: Criterion[Want, Choice], candidate: Choice) -> None:
        """The last requirement is the one that was one too many."""
        want = list(criterion.information)[-1].requirement
        if isinstance(candidate, Candidate) and is_virtual(want.identifier) and want.identifier != PYTHON:
            self.held.setdefault(candidate.name, {})[candidate.version] = want.requirement

    def pinning(self, candidate: Choice) -> None:
        """Progress counts packages."""
        if isinstance(candidate, Candidate):
            self._progress.advance(self._task)
