"""What resolvelib tells on its way, kept for notes and explanations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolvelib.reporters import BaseReporter

from tfenv.resolver.candidate import PYTHON, Candidate, Want, is_virtual
from tfenv.resolver.provider import Choice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from packaging.version import Version
    from resolvelib.resolvers import Criterion
    from resolvelib.structs import RequirementInformation

    from tfenv.model.package import Name, Requirement
    from tfenv.model.progress import Progress

    Edge = tuple[Name | None, Name]
    """Who asks (``None`` is the request), and for what."""


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
        self._edges: dict[Edge, tuple[Want, Choice | None]] = {}
        self._clashed: dict[Edge, None] = {}

    def adding_requirement(self, requirement: Want, parent: Choice | None) -> None:
        """A candidate shows itself by the first thing that it requires."""
        self._edges.setdefault(_edge(requirement, parent), (requirement, parent))
        if isinstance(parent, Candidate) and parent.identifier == self._first and parent not in self.tried[-1:]:
            self.tried.append(parent)

    def rejecting_candidate(self, criterion: Criterion[Want, Choice], candidate: Choice) -> None:
        """The last requirement is the one that was one too many."""
        self.clashing(criterion.information)
        want = list(criterion.information)[-1].requirement
        if isinstance(candidate, Candidate) and is_virtual(want.identifier) and want.identifier != PYTHON:
            self.held.setdefault(candidate.name, {})[candidate.version] = want.requirement

    def resolving_conflicts(self, causes: Collection[RequirementInformation[Want, Choice]]) -> None:
        """What the search turns back from."""
        self.clashing(causes)

    def clashing(self, causes: Iterable[RequirementInformation[Want, Choice]]) -> None:
        """Requirements that nothing satisfies together."""
        for cause in causes:
            edge = _edge(cause.requirement, cause.parent)
            self._edges.setdefault(edge, (cause.requirement, cause.parent))
            self._clashed[edge] = None

    def involved(self) -> list[tuple[Want, Choice | None]]:
        """Who asked for what, as far as it bears on a clash: the chains from the request to whatever clashed."""
        names = {name for edge in self._clashed for name in edge if name is not None and not is_virtual(name)}
        while more := {parent for parent, name in self._edges if name in names and parent is not None} - names:
            names |= more
        return [one for edge, one in self._edges.items() if edge[1] in names or edge in self._clashed]

    def pinning(self, candidate: Choice) -> None:
        """Progress counts packages."""
        if isinstance(candidate, Candidate):
            self._progress.advance(self._task)


def _edge(want: Want, parent: Choice | None) -> Edge:
    return parent.name if isinstance(parent, Candidate) else None, want.requirement.name
