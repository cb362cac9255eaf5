"""A conflict in words: a fact, then a chain of because."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfenv.errors import NoSolution
from tfenv.model.hardware import driver_text
from tfenv.model.package import TENSORFLOWS
from tfenv.model.target import Accelerator
from tfenv.resolver.candidate import is_virtual
from tfenv.resolver.outcome import Kind

if TYPE_CHECKING:
    from collections.abc import Collection

    from tfenv.model.goal import Goal
    from tfenv.model.package import Requirement
    from tfenv.resolver.outcome import Conflict, Link

_LINES = 12
_ACCELERATORS = {
    Accelerator.ROCM: "a GPU of AMD",
    Accelerator.METAL: "the GPU of a Mac",
    Accelerator.DIRECTML: "a GPU with DirectX 12",
    Accelerator.TPU: "a TPU",
}
_HASH = re.compile(r" sha256:[0-9a-f]{64}")


def explain(conflict: Conflict, request: Goal, *, assumed: Collection[Kind] = ()) -> NoSolution:
    """The error to raise for a conflict; at most a dozen lines, each naming the wheel or the row that says so.

    Args:
        conflict: what contradicts what, as `smallest` found it.
        request: that has no solution.
        assumed: what of it nobody asked for (the glibc of the base image).
    """
    lines: dict[str, None] = {}
    told = set()
    for link in sorted(conflict.links, key=_rank):
        subject = link.requirement.name
        lines |= dict.fromkeys(_because(link))
        if subject not in told:
            told.add(subject)
            lines |= dict.fromkeys(f"because {gap}" for name, gap in conflict.gaps.items() if _project(name) == subject)
            lines |= dict.fromkeys(f"because {has}" for has in _has(link.requirement, conflict, request, assumed))
    lines |= dict.fromkeys(f"because {gap}" for name, gap in conflict.gaps.items() if _project(name) not in told)
    shown = list(lines)
    if len(shown) > _LINES:
        shown = [*shown[: _LINES - 1], f"and {len(shown) - _LINES + 1} more of the kind"]
    message = "\n".join([fact(conflict, request, assumed), *(f"  {_HASH.sub('', line)}" for line in shown)])
    return NoSolution(message)


def fact(conflict: Conflict, request: Goal, assumed: Collection[Kind] = ()) -> str:
    """What cannot be had together, in one line."""
    if not conflict.is_proven or not (conflict.links or conflict.parts):
        return "no solution was found in reasonable time; there may be none"
    kinds = {part.kind for part in conflict.parts} - set(assumed)
    place, wishes = _place(conflict, request, kinds), _wishes(conflict, request, kinds)
    of_tensorflow = any(part.kind.is_fact and part.name in TENSORFLOWS for part in conflict.parts)
    if not of_tensorflow and Kind.TENSORFLOW not in kinds:
        verb = "cannot be combined" if len(wishes) > 1 else "cannot be installed"
        return f"{_and(wishes) or 'the request'} {verb}{place}"
    subject = named(request) if Kind.TENSORFLOW in kinds else "no release of TensorFlow"
    never = "cannot " if Kind.TENSORFLOW in kinds else "can "
    if wishes:
        said = f"{subject} {never}be combined with {_and(wishes)}{place}"
    elif place:
        said = f"{subject} {never}run{place}"
    else:
        said = f"{subject} {never}be installed"
    if Kind.NEWER in kinds and request.exclude_newer is not None:
        said += f" as of {request.exclude_newer:%Y-%m-%d}"
    return said


def named(request: Goal) -> str:
    """TensorFlow as it was asked for: `2.15` and not `==2.15.*`."""
    text = str(request.tensorflow)
    plain = text.startswith("==") and "," not in text
    return f"TensorFlow {text.removeprefix('==').removesuffix('.*')}" if plain else f"TensorFlow {text}"


def _place(conflict: Conflict, request: Goal, kinds: Collection[Kind]) -> str:
    """On what, with what; empty if the machine takes no part."""
    target = request.target
    gpus = [target.gpus[part.number].name for part in conflict.parts if part.kind is Kind.GPU]
    words = [" and ".join(gpus)] if gpus else []
    if Kind.PLATFORM in kinds:
        words.append(str(target.platform))
    if Kind.PYTHON in kinds:
        words.append(f"Python {target.python}")
    if Kind.CUDA in kinds:
        rocm = " and ".join((*target.gfx, *((f"ROCm {target.rocm}",) if target.rocm is not None else ())))
        words.append(rocm or f"CUDA {target.cuda_major}")
    elif Kind.ACCELERATOR in kinds and not gpus:
        words.append(_ACCELERATORS.get(target.accelerator, "a GPU"))
    if Kind.DRIVER in kinds and target.driver is not None:
        words.append(f"driver {driver_text(target.driver)}")
    if Kind.GLIBC in kinds:
        words.append(f"glibc {target.glibc}")
    if Kind.CPU in kinds:
        words.append("this processor")
    if not words:
        return ""
    return f" on {words[0]}" + (f" with {', '.join(words[1:])}" if len(words) > 1 else "")


def _wishes(conflict: Conflict, request: Goal, kinds: Collection[Kind]) -> list[str]:
    """The packages that were asked for."""
    asked = {Kind.REQUIREMENT: request.requirements, Kind.CONSTRAINT: request.constraints}
    found = [f"Keras {request.keras}"] if Kind.KERAS in kinds else []
    for part in conflict.parts:
        if part.kind in asked:
            wanted = asked[part.kind][part.number]
            found.append(_plain(wanted) if part.kind is Kind.REQUIREMENT else f"{_plain(wanted)} (a constraint)")
    return found


def _rank(link: Link) -> tuple[bool, bool, bool, bool]:
    """TensorFlow's distribution, what it asks of the machine, then of packages, what those ask, and the request."""
    parent, subject = link.parent, link.requirement.name
    of_tensorflow = parent is not None and parent[0] in TENSORFLOWS
    return parent is None, not of_tensorflow, subject not in TENSORFLOWS, not is_virtual(subject)


def _because(link: Link) -> list[str]:
    """One line for each reason; a requirement without a reason of its own is shown as it is."""
    requirement = link.requirement
    where = requirement.source or (link.file.filename if link.file is not None else "")
    if requirement.because:
        reasons = requirement.because.split("\n")
        sources = requirement.source.split("\n")
        sources += sources[-1:] * (len(reasons) - len(sources))
        if link.parent is not None:
            reasons = [speaking(reason, f"{link.parent[0]} {link.parent[1]}") for reason in reasons]
        return [f"because {r}{f'   [{s}]' if s else ''}" for r, s in zip(reasons, sources, strict=False)]
    if link.parent is None:
        if requirement.name in TENSORFLOWS:
            return []  # the first line says it
        return [f"because the request asks for {_plain(requirement)}{f'   [{where}]' if where else ''}"]
    name, version = link.parent
    return [f"because {name} {version} requires {_plain(requirement)}{f'   [{where}]' if where else ''}"]


def speaking(reason: str, release: str) -> str:
    """A reason that speaks of `it`, with the name of the release."""
    if reason.startswith("it "):
        return f"{release} {reason.removeprefix('it ')}"
    return f"{release}: {reason}" if reason.startswith("its ") else reason


def _plain(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


def _has(requirement: Requirement, conflict: Conflict, request: Goal, assumed: Collection[Kind]) -> list[str]:
    """What the target has of a virtual package, where the first line does not say it."""
    target, subject = request.target, requirement.name
    if subject == "__compute_capability":
        unsaid = [
            f"{gpu.name} has compute capability {gpu.capability}"
            for gpu in (target.gpus[part.number] for part in conflict.parts if part.kind is Kind.GPU)
            if gpu.name != str(gpu.capability) and f"({gpu.capability})" not in requirement.because
        ]
        return unsaid[:1]
    if subject == "__glibc" and target.glibc is not None and Kind.GLIBC in assumed:
        return [f"the base image has glibc {target.glibc}"]
    if subject == "__cpu" and target.cpu is not None:
        lacking = sorted(requirement.extras - target.cpu)
        return [f"the processor has no {' and no '.join(word.upper() for word in lacking)}"] if lacking else []
    return []


def _project(identifier: str) -> str:
    return identifier.partition("[")[0]


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else " and ".join((", ".join(words[:-1]), words[-1])) if words else ""
