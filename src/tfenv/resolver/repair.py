"""Changes of a request that would make it work; each is solved before it is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.model.hardware import driver_text
from tfenv.model.package import TENSORFLOWS
from tfenv.model.report import Fix
from tfenv.model.target import Accelerator, Platform
from tfenv.resolver.candidate import PYTHON
from tfenv.resolver.commands import CPU, DRIVER, LESS, PATCH, PIN, RELEASE, SYSTEM, lock_command
from tfenv.resolver.commands import PYTHON as OTHER_PYTHON
from tfenv.resolver.outcome import Conflict, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tfenv.model.goal import Goal
    from tfenv.model.package import Requirement
    from tfenv.resolver.outcome import Part, Resolution

_SHOWN = 3
_DEEP = 3
"""How many changes are tried that leave another conflict, which a second one may resolve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A change that was solved.

    Attributes:
        fix: what to change, and the command that does it.
        says: what comes of it, in one clause.
        request: as it was changed.
        resolution: that it leads to.
    """

    fix: Fix
    says: str
    request: Goal
    resolution: Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """A changed request, and how to ask for exactly what it leads to."""

    cost: int
    key: str
    request: Goal
    settle: Callable[[Goal, Resolution], tuple[Goal, str]]
    first: str = ""  # what to do beside giving the command; `{}` is the value


def repairs(
    conflict: Conflict,
    request: Goal,
    solve: Callable[[Goal], Resolution],
    *,
    narrow: Callable[[Conflict, Goal], Conflict] = lambda conflict, _request: conflict,
) -> tuple[Repair, ...]:
    """At most three changes, cheapest first; where no single one helps, two at a time.

    Args:
        conflict: what went wrong, as `smallest` found it: nothing else needs to change.
        request: that it went wrong with.
        solve: resolves a request (with the facts laid over for its target); raises `Conflict`.
        narrow: finds the smallest conflict that is left in a changed request.
    """
    found: list[Repair] = []
    failed: list[tuple[_Try, Conflict]] = []
    for one in sorted(_tries(conflict, request), key=lambda one: one.cost):
        if len(found) == _SHOWN:
            break
        try:
            _add(found, _solved(one, solve(one.request)))
        except Conflict as left:
            failed.append((one, left))
    if found:
        return tuple(found)
    for one, other in failed[:_DEEP]:
        rest = _tries(narrow(other, one.request), one.request)
        for second in sorted(rest, key=lambda each: each.cost):
            try:
                _add(found, _both(one, second, solve(second.request)))
            except Conflict:
                continue
            break
    return tuple(sorted(found, key=lambda repair: repair.fix.cost)[:_SHOWN])


def _add(found: list[Repair], repair: Repair) -> None:
    if repair.fix.command not in {each.fix.command for each in found}:
        found.append(repair)


def _solved(one: _Try, resolution: Resolution) -> Repair:
    settled, value = one.settle(one.request, resolution)
    fix = Fix(
        change=((one.key, value),),
        command=lock_command(settled, cpu=(one.key, value) == ("gpu", "none")),
        cost=one.cost,
    )
    says = "; ".join(filter(None, (one.first.replace("{}", value), _summary(resolution))))
    return Repair(fix=fix, says=says, request=settled, resolution=resolution)


def _both(first: _Try, second: _Try, resolution: Resolution) -> Repair:
    settled, value = second.settle(second.request, resolution)
    settled, earlier = first.settle(settled, resolution)
    change = ((first.key, earlier), (second.key, value))
    text = lock_command(settled, cpu=("gpu", "none") in change)
    fix = Fix(change=change, command=text, cost=first.cost + second.cost)
    does = (first.first.replace("{}", earlier), second.first.replace("{}", value), _summary(resolution))
    return Repair(fix=fix, says="; ".join(filter(None, does)), request=settled, resolution=resolution)


def hint(found: tuple[Repair, ...]) -> str | None:
    """What to say of them; ``None`` if there are none."""
    if not found:
        return None
    width = max(len(repair.fix.command) for repair in found)
    lines = [f"  {repair.fix.command:<{width}}   {repair.says}" for repair in found]
    opening = "this works" if len(found) == 1 else "any one of these works, cheapest first"
    return "\n".join([opening, *lines])


def _tries(conflict: Conflict, request: Goal) -> Iterator[_Try]:
    """Whatever of the request takes part in the conflict, asked for differently."""
    target = request.target
    kinds = {part.kind for part in conflict.parts}
    if Kind.TENSORFLOW in kinds:
        yield from _releases(conflict, request)
    if Kind.PYTHON in kinds:
        yield _Try(cost=OTHER_PYTHON, key="python", request=_on(request, python=None), settle=_settle_python)
    if Kind.CUDA in kinds:
        settle = _settle_cuda if target.rocm is None else _settle_rocm
        yield _Try(cost=OTHER_PYTHON, key="gpu", request=_on(request, cuda_major=None, rocm=None), settle=settle)
    for part in conflict.parts:
        if part.kind in (Kind.REQUIREMENT, Kind.CONSTRAINT):
            yield from _relaxed(part, request)
    if Kind.KERAS in kinds and request.keras is not None:
        other = 5 - request.keras  # there are 2 and 3
        settle, changed = partial(_as_it_is, str(other)), replace(request, keras=other)
        yield _Try(cost=PIN, key="keras", request=changed, settle=settle)
        settle, changed = partial(_as_it_is, "any"), replace(request, keras=None)
        yield _Try(cost=PIN, key="keras", request=changed, settle=settle, first="with the release's own Keras")
    if Kind.NEWER in kinds:
        changed, settle = replace(request, exclude_newer=None), partial(_as_it_is, "none")
        first = "with what was published since"
        yield _Try(cost=PIN, key="exclude-newer", request=changed, settle=settle, first=first)
    yield from _machine(conflict, request)
    if len(target.gpus) > 1:
        for part in conflict.parts:
            if part.kind is Kind.GPU:
                gpu, others = target.gpus[part.number], tuple(each for each in target.gpus)
                others = (*others[: part.number], *others[part.number + 1 :])
                settle, first = partial(_as_it_is, ", ".join(each.name for each in others)), f"leaves {gpu.name} unused"
                yield _Try(cost=LESS, key="gpu", request=_on(request, gpus=others), settle=settle, first=first)
    if Kind.ACCELERATOR in kinds and target.accelerator is not Accelerator.NONE:
        if target.platform is Platform.WINDOWS_X86_64:
            settle = partial(_as_it_is, str(Platform.WSL))
            wsl = _on(request, platform=Platform.WSL)
            yield _Try(cost=SYSTEM, key="platform", request=wsl, settle=settle, first="inside WSL 2")
        cpu = _on(request, accelerator=Accelerator.NONE, cuda_major=None, rocm=None, gpus=(), gfx=(), driver=None)
        yield _Try(cost=CPU, key="gpu", request=cpu, settle=partial(_as_it_is, "none"), first="runs on the CPU only")


def _releases(conflict: Conflict, request: Goal) -> Iterator[_Try]:
    """Another patch of what was asked for, and the nearest minor releases that the same facts do not contradict."""
    asked = _lowest(request.tensorflow)
    if asked is None:
        changed = replace(request, tensorflow=SpecifierSet())
        yield _Try(cost=RELEASE, key="tf", request=changed, settle=_settle_tensorflow)
        return
    minors = list(dict.fromkeys((version.major, version.minor) for version in conflict.offered))
    here = (asked.major, asked.minor)
    above, below = [each for each in reversed(minors) if each > here], [each for each in minors if each < here]
    for near in ([here] if here in minors else [], above, below):
        if (distance := _nearest(near, conflict, request)) is not None:
            changed = replace(request, tensorflow=_between(near[distance], near[distance]))
            cost = PATCH if near[distance] == here else RELEASE + distance // 4
            yield _Try(cost=cost, key="tf", request=changed, settle=_settle_tensorflow)


def _nearest(minors: list[tuple[int, int]], conflict: Conflict, request: Goal) -> int | None:
    """The first minor release, in this order, that the same facts do not contradict; by halves."""

    def persists(count: int) -> bool:
        first, last = minors[0], minors[count - 1]
        return conflict.persists(replace(request, tensorflow=_between(min(first, last), max(first, last))))

    if not minors or persists(len(minors)):
        return None
    low, high = 1, len(minors)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if persists(middle) else (low, middle)
    return low - 1


def _between(first: tuple[int, int], last: tuple[int, int]) -> SpecifierSet:
    """All patch releases of some minor releases."""
    if first == last:
        return SpecifierSet(f"=={first[0]}.{first[1]}.*")
    return SpecifierSet(f">={first[0]}.{first[1]},<{last[0]}.{last[1] + 1}")


def _relaxed(part: Part, request: Goal) -> Iterator[_Try]:
    """A wish with no bounds, or left out altogether; a constraint is lifted."""
    if part.kind is Kind.CONSTRAINT:
        bound = request.constraints[part.number]
        rest = tuple(each for number, each in enumerate(request.constraints) if number != part.number)
        changed, first = replace(request, constraints=rest), f"without the constraint `{bound}` ({bound.source})"
        yield _Try(cost=PIN, key=bound.name, request=changed, settle=partial(_as_it_is, "any"), first=first)
        return
    wanted, where = request.requirements[part.number], request.requirements[part.number].source
    said = f"`{wanted}`" + (f" ({where})" if where and not where.startswith("--with") else "")
    is_python = wanted.name == PYTHON
    before, after = request.requirements[: part.number], request.requirements[part.number + 1 :]
    if wanted.specifier and not is_python:
        relaxed = replace(wanted, specifier=SpecifierSet())
        yield _Try(
            cost=PIN,
            key=wanted.name,
            request=replace(request, requirements=(*before, relaxed, *after)),
            settle=partial(_settle_requirement, relaxed),
            first=f"`{wanted.name}=={{}}` instead of {said}",
        )
    changed, settle = replace(request, requirements=(*before, *after)), partial(_as_it_is, "none")
    cost = OTHER_PYTHON if is_python else LESS
    yield _Try(cost=cost, key=wanted.name, request=changed, settle=settle, first=f"without {said}")


def _machine(conflict: Conflict, request: Goal) -> Iterator[_Try]:
    """A newer driver, or a branch of it that still serves the GPU; a newer glibc; another processor."""
    target = request.target
    for operator, bound in _bounds(conflict, "__driver") if target.driver is not None else []:
        if operator == ">=":
            text = driver_text(bound)
            changed, first = _on(request, driver=bound), f"with the driver upgraded to ≥ {text}"
            yield _Try(cost=DRIVER, key="driver", request=changed, settle=partial(_as_it_is, text), first=first)
        elif operator == "<":
            branch = bound.major - 1
            changed, first = _on(request, driver=Version(str(branch))), f"with a driver of branch {branch}"
            yield _Try(cost=DRIVER, key="driver", request=changed, settle=partial(_as_it_is, str(branch)), first=first)
    for operator, bound in _bounds(conflict, "__glibc") if target.glibc is not None else []:
        if operator == ">=":
            changed, first = _on(request, glibc=bound), f"on a system with glibc ≥ {bound}"
            yield _Try(cost=SYSTEM, key="glibc", request=changed, settle=partial(_as_it_is, str(bound)), first=first)

    for link in conflict.links:
        lacking = link.requirement.extras - (target.cpu or frozenset())
        if link.requirement.name == "__cpu" and target.cpu is not None and lacking:
            words = " and ".join(sorted(each.upper() for each in lacking))
            settle, changed = partial(_as_it_is, words), _on(request, cpu=target.cpu | lacking)
            first = f"on a processor with {words}"
            yield _Try(cost=LESS, key="cpu", request=changed, settle=settle, first=first)


def _on(request: Goal, **changes: Any) -> Goal:
    return replace(request, target=replace(request.target, **changes))


def _lowest(specifiers: SpecifierSet) -> Version | None:
    """The release that was meant, as far as the specifiers name one."""
    named = [Version(one.version.removesuffix(".*")) for one in specifiers if one.operator in ("==", ">=", "~=", ">")]
    return min(named) if named else None


def _bounds(conflict: Conflict, name: str) -> list[tuple[str, Version]]:
    """What was asked of a virtual package, the mildest first."""
    found = {
        (one.operator, Version(one.version))
        for link in conflict.links
        if link.requirement.name == name
        for one in link.requirement.specifier
    }
    return sorted(found)


def _settle_tensorflow(request: Goal, resolution: Resolution) -> tuple[Goal, str]:
    version = _tensorflow(resolution)
    minor = f"{version.major}.{version.minor}"
    return replace(request, tensorflow=SpecifierSet(f"=={minor}.*")), minor


def _settle_python(request: Goal, resolution: Resolution) -> tuple[Goal, str]:
    minor = f"{resolution.python.major}.{resolution.python.minor}"
    return _on(request, python=Version(minor)), minor


def _settle_cuda(request: Goal, resolution: Resolution) -> tuple[Goal, str]:
    asked = [need.requirement.specifier for need in resolution.needs if need.requirement.name == "__cuda"]
    majors = sorted({Version(one.version).major for specifier in asked for one in specifier})
    if not majors:
        return request, "cuda"
    return _on(request, cuda_major=majors[0]), f"cuda{majors[0]}"


def _settle_rocm(request: Goal, resolution: Resolution) -> tuple[Goal, str]:
    asked = [need.requirement.specifier for need in resolution.needs if need.requirement.name == "__rocm"]
    versions = sorted({Version(one.version) for specifier in asked for one in specifier})
    if not versions:
        return request, "rocm"
    return _on(request, rocm=versions[0]), f"rocm{versions[0]}"


def _settle_requirement(relaxed: Requirement, request: Goal, resolution: Resolution) -> tuple[Goal, str]:
    pin = resolution.pins.get(relaxed.name)
    if pin is None:
        return request, "any"
    exact = replace(relaxed, specifier=SpecifierSet(f"=={pin.version}"))
    wanted = tuple(exact if each == relaxed else each for each in request.requirements)
    return replace(request, requirements=wanted), str(pin.version)


def _as_it_is(value: str, request: Goal, _resolution: Resolution) -> tuple[Goal, str]:
    return request, value


def _tensorflow(resolution: Resolution) -> Version:
    return next(resolution.pins[name].version for name in TENSORFLOWS if name in resolution.pins)


def _summary(resolution: Resolution) -> str:
    python = f"Python {resolution.python.major}.{resolution.python.minor}"
    return f"TensorFlow {_tensorflow(resolution)} on {python}"
