"""A GPU that a requested package asks for, by its name or by what its extra brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.facts.wishes import of_extra, of_name
from tfenv.model import tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfenv.facts.wishes import Wish
    from tfenv.model.goal import Goal
    from tfenv.model.package import Name
    from tfenv.resolver.outcome import Pin, Resolution


def asked_gpu(goal: Goal, resolution: Resolution) -> Wish | None:
    """The first wish for a GPU among the requested packages; ``None`` if there is none.

    A package that another requested one brings anyway asks for nothing: `pip freeze` also lists the CUDA libraries of
    torch.

    Args:
        goal: what was asked for.
        resolution: what was chosen for it.
    """
    markers = tags.markers(goal.target.platform, resolution.python)
    roots = [each for each in goal.requirements if each.name in resolution.pins]
    for root in roots:
        pin = resolution.pins[root.name]
        if (wish := of_name(root.name)) is not None:
            others = [each.name for each in roots if of_name(each.name) is None]
            if root.name not in _reached(others, resolution):
                return wish
        for extra in sorted(root.extras):
            if (wish := of_extra(root.name, extra, _brought(pin, extra, markers))) is not None:
                return wish
    return None


def _brought(pin: Pin, extra: str, markers: Mapping[str, str]) -> Iterator[Name]:
    """What a release requires with an extra, and not without it."""
    for requirement in pin.metadata.requires:
        marker = requirement.marker
        if marker is None or marker.evaluate({**markers, "extra": ""}):
            continue
        if marker.evaluate({**markers, "extra": extra}):
            yield requirement.name


def _reached(names: list[Name], resolution: Resolution) -> set[Name]:
    """Everything that some packages bring."""
    found: set[Name] = set()
    while names:
        if (name := names.pop()) not in found:
            found.add(name)
            names += resolution.pins[name].dependencies
    return found
