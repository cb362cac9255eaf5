"""The names of one module."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfenv.harvest.public.objects import Value


class Space:
    """The names of one module.

    Attributes:
        names: what they stand for at the end.
        cleaned: it was left with documented names only, or tells its public names itself.
        given: names that other modules set in it: `app.flags = flags`.
        dunders: names with an underscore that `*` imports all the same (`tf.__version__` up to 1.8).
        brought: names that came by `*`.
        starred: the modules that they came from.
        left: where another module leaves it documented names only, these: `remove_undocumented(nest.__name__, …)`.
        listed: the names of a literal `__all__`; ``None`` without.
    """

    def __init__(self) -> None:
        self.names: dict[str, Value] = {}
        self.given: set[str] = set()
        self.brought: set[str] = set()
        self.starred: list[str] = []
        self.dunders: set[str] = set()
        self.cleaned = False
        self.left: frozenset[str] | None = None
        self.listed: list[str] | None = None
