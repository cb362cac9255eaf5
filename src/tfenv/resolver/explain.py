"""A conflict in words: a fact, then a chain of because."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.errors import NoSolution
from tfenv.model.target import Accelerator
from tfenv.resolver.candidate import PYTHON, is_virtual
from tfenv.resolver.repair import hint

if TYPE_CHECKING:
    from tfenv.model.package import Name
    from tfenv.model.request import Request
    from tfenv.model.target import Target
    from tfenv.resolver.outcome import Attempt, Conflict, Link
    from tfenv.resolver.repair import Repair

_LINES = 12


def explain(conflict: Conflict, request: Request, found: tuple[Repair, ...] = ()) -> NoSolution:
    """The error to raise for a conflict; at most a dozen lines, each naming the wheel or the row that says so.

    Args:
        conflict: what contradicts what.
        request: that has no solution.
        found: changes of it that have one, for the hint.
    """
    lines: dict[str, None] = {}
    subjects = list({link.requirement.name: None for link in conflict.links})
    for subject in sorted(subjects, key=lambda name: (not is_virtual(name), name)):
        links = [link for link in conflict.links if link.requirement.name == subject]
        for link in links:
            for line in _because(link, conflict.attempt):
                lines[line] = None
        for name, gap in conflict.gaps.items():
            if name.partition("[")[0] == subject:
                lines[f"because {gap}"] = None
        if (has := _has(subject, request.target)) is not None:
            lines[f"because {has}"] = None
    shown = list(lines)
    if len(shown) > _LINES:
        shown = [*shown[: _LINES - 1], f"and {len(shown) - _LINES + 1} more of the kind"]
    message = "\n".join([_fact(conflict, request, subjects), *(f"  {line}" for line in shown)])
    return NoSolution(message, hint=hint(found))


def _fact(conflict: Conflict, request: Request, subjects: list[Name]) -> str:
    attempt = conflict.attempt
    if not conflict.links:
        return "no solution was found in reasonable time; there may be none"
    if attempt is None:
        return "nothing satisfies the request"
    name = f"TensorFlow {attempt.version}"
    machine = [subject for subject in subjects if subject != PYTHON and is_virtual(subject)]
    if machine and all(is_virtual(subject) for subject in subjects):
        fact = f"{name} cannot run on {_describe(request.target)}"
    else:
        python = f"Python {attempt.python.major}.{attempt.python.minor}"
        fact = f"nothing satisfies the request together with {name} on {python}"
    if conflict.others:
        fact += f" ({conflict.others} other release{'s' if conflict.others > 1 else ''} tried in vain)"
    return fact


def _describe(target: Target) -> str:
    gpus = " and ".join(gpu.name for gpu in target.gpus)
    parts = [gpus or str(target.platform)]
    if target.driver is not None:
        parts.append(f"driver {target.driver}")
    if target.glibc is not None and not gpus:
        parts.append(f"glibc {target.glibc}")
    if target.cuda_major is not None:
        parts.append(f"CUDA {target.cuda_major}")
    return " with ".join((parts[0], ", ".join(parts[1:]))) if len(parts) > 1 else parts[0]


def _because(link: Link, attempt: Attempt | None) -> list[str]:
    """One line for each reason; a requirement without a reason of its own is told as it is."""
    requirement = link.requirement
    where = requirement.source or (link.file.filename if link.file is not None else "")
    if requirement.because:
        reasons = requirement.because.split("\n")
        sources = requirement.source.split("\n")
        sources += sources[-1:] * (len(reasons) - len(sources))
        return [f"because {r}{f'   [{s}]' if s else ''}" for r, s in zip(reasons, sources, strict=False)]
    plain = f"{requirement.name}{f'[{chr(44).join(sorted(requirement.extras))}]' if requirement.extras else ''}"
    wanted = f"{plain}{requirement.specifier}" if requirement.specifier else f"{plain} (any version)"
    if link.parent is None:
        if (
            attempt is not None
            and requirement.name == attempt.name
            and str(requirement.specifier) == f"=={attempt.version}"
        ):
            return []
        return [f"because the request asks for {wanted}{f'   [{where}]' if where else ''}"]
    name, version = link.parent
    return [f"because {name} {version} requires {wanted}{f'   [{where}]' if where else ''}"]


def _has(subject: Name, target: Target) -> str | None:
    """What the target has of a virtual package, where saying so helps."""
    if subject == "__driver" and target.driver is not None:
        return f"the driver is {target.driver}"
    if subject == "__compute_capability" and target.gpus:
        return "the target is " + " and ".join(
            gpu.name if gpu.name == str(gpu.capability) else f"{gpu.name} ({gpu.capability})" for gpu in target.gpus
        )
    if subject == "__glibc" and target.glibc is not None:
        return f"the target has glibc {target.glibc}"
    if subject == "__cpu" and target.cpu is not None:
        return (
            f"the processor has {', '.join(sorted(target.cpu)) or 'none of the instruction sets that are asked about'}"
        )
    if subject == "__cuda":
        if target.accelerator is Accelerator.NONE:
            return "no CUDA was asked for"
        return f"CUDA {target.cuda_major} was asked for" if target.cuda_major is not None else "CUDA was asked for"
    return f"Python {target.python} was asked for" if subject == PYTHON and target.python is not None else None
