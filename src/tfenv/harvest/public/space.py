"""The names of one module."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfenv.harvest.public.objects import Value


class Space:
    """The names of one module.

    Attributes:
        names: names with their objects at the end of the module.
        cleaned: whether the module keeps only documented names, or lists its public names itself.
        given: names that other modules set in this one: `app.flags = flags`.
        dunders: names with an underscore that `*` imports nevertheless (`tf.__version__` up to 1.8).
        brought: names imported by `*`.
        starred: modules imported by `*`.
        left: names that another module keeps in this one: `remove_undocumented(nest.__name__, …)`.
        listed: names in a literal `__all__`; ``None`` without one.
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
