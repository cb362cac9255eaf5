"""One resolution for wheels and machines alike."""

from __future__ import annotations

from tfenv.resolver.explain import explain
from tfenv.resolver.outcome import Attempt, Conflict, Kind, Link, Need, Part, Pin, Resolution
from tfenv.resolver.protocols import Source
from tfenv.resolver.resolve import resolve
from tfenv.resolver.smallest import EXPLAINING, smallest

__all__ = [
    "EXPLAINING",
    "Attempt",
    "Conflict",
    "Kind",
    "Link",
    "Need",
    "Part",
    "Pin",
    "Resolution",
    "Source",
    "explain",
    "resolve",
    "smallest",
]
