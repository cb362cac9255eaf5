"""Changes of a request that would make it work; each is solved before it is shown."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.model.hardware import driver_text
from tfenv.model.report import Fix
from tfenv.model.target import Accelerator, Platform
from tfenv.resolver.outcome import Conflict
from tfenv.resolver.resolve import DISTRIBUTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tfenv.model.package import Requirement
    from tfenv.model.request import Request
    from tfenv.resolver.outcome import Resolution

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A change that was solved.

    Attributes:
        fix: what to change, and the command that does it.
        says: what comes of it, in one clause.
        resolution: that it leads to.
    """

    fix: Fix
    says: str
    resolution: Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """A changed request, and how to ask for exactly what it leads to."""

    cost: int
    key: str
    request: Request
    settle: Callable[[Request, Resolution], tuple[Request, str]]
    first: str = ""  # what to do beside giving the command; `{}` is the value


def repairs(conflict: Conflict, request: Request, solve: Callable[[Request], Resolution]) -> tuple[Repair, ...]:
    """At most three changes, cheapest first.

    Args:
        conflict: what went wrong.
        request: that it went wrong with.
        solve: resolves a request (with the facts laid over for its target); raises `Conflict`.
    """
    found: list[Repair] = []
    seen = set()
    for one in sorted(_tries(conflict, request), key=lambda one: one.cost):
        if len(found) == _SHOWN:
            break
        try:
            resolution = solve(one.request)
        except Conflict:
            continue
        settled, value = one.settle(one.request, resolution)
        if (one.key, value) in seen:
            continue
        seen.add((one.key, value))
        line = command(settled) + (" --gpu none" if (one.key, value) == ("gpu", "none") else "")
        fix = Fix(change=((one.key, value),), command=line, cost=one.cost)
        says = "; ".join(filter(None, (one.first.replace("{}", value), _summary(resolution))))
        found.append(Repair(fix=fix, says=says, resolution=resolution))
    return tuple(found)


def command(request: Request) -> str:
    """The `tfenv lock` that asks for this, as far as options can say it; `…` stands for files of requirements."""
    target = request.target
    words = ["tfenv", "lock"]
    if request.tensorflow:
        text = str(request.tensorflow)
        words += ["--tf", text.removeprefix("==").removesuffix(".*") if "," not in text else text]
    for gpu in target.gpus:
        words += ["--gpu", gpu.name]
    if target.cuda_major is not None:
        words += ["--gpu", f"cuda{target.cuda_major}"]
    elif target.accelerator is Accelerator.CUDA and not target.gpus:
        words += ["--gpu", "cuda"]
    for option, value in (
        ("--driver", None if target.driver is None else driver_text(target.driver)),
        ("--python", target.python),
        ("--platform", None if target.platform is Platform.LINUX_X86_64 else target.platform),
        ("--glibc", target.glibc),
        ("--keras", request.keras),
    ):
        if value is not None:
            words += [option, str(value)]
    named = [requirement for requirement in request.requirements if requirement.source.startswith("--with")]
    for requirement in named:
        words += ["--with", str(requirement)]
    rest = " …" if len(named) < len(request.requirements) or request.constraints else ""
    return " ".join(map(shlex.quote, words)) + rest


def hint(found: tuple[Repair, ...]) -> str | None:
    """What to say of them; ``None`` if there are none."""
    if not found:
        return None
    width = max(len(repair.fix.command) for repair in found)
    lines = [f"  {repair.fix.command:<{width}}   {repair.says}" for repair in found]
    opening = "this works" if len(found) == 1 else "any one of these works, cheapest first"
    return "\n".join([opening, *lines])


def _tries(conflict: Conflict, request: Request) -> Iterator[_Try]:
    target = request.target
    if (asked := _lowest(request.tensorflow)) is not None:
        minor = f"{asked.major}.{asked.minor}"
        for text in (f"=={minor}.*", f">={minor}", f"<{minor}"):
            changed = replace(request, tensorflow=SpecifierSet(text))
            yield _Try(cost=1, key="tf", request=changed, settle=_settle_tensorflow)
    if target.python is not None:
        yield _Try(cost=2, key="python", request=_on(request, python=None), settle=_settle_python)
    if target.cuda_major is not None:
        yield _Try(cost=2, key="gpu", request=_on(request, cuda_major=None), settle=_settle_cuda)
    for requirement in _own(conflict, request):
        relaxed, where = replace(requirement, specifier=SpecifierSet()), requirement.source
        others = tuple(relaxed if each is requirement else each for each in request.requirements)
        yield _Try(
            cost=2,
            key=requirement.name,
            request=replace(request, requirements=others),
            settle=partial(_settle_requirement, relaxed),
            first=f"{requirement.name} {{}} instead of `{requirement}`" + (f" ({where})" if where else ""),
        )
    yield from _machine(conflict, request)
    if target.accelerator is not Accelerator.NONE:
        cpu = _on(request, accelerator=Accelerator.NONE, cuda_major=None, gpus=(), driver=None)
        yield _Try(cost=9, key="gpu", request=cpu, settle=partial(_as_it_is, "none"), first="runs on the CPU only")


def _machine(conflict: Conflict, request: Request) -> Iterator[_Try]:
    """A newer driver, or a branch of it that still serves the GPU; a newer glibc."""
    target = request.target
    drivers = _bounds(conflict, "__driver") if target.driver is not None else []
    for operator, bound in drivers:
        if operator == ">=":
            text = driver_text(bound)
            changed, first = _on(request, driver=bound), f"with the driver upgraded to ≥ {text}"
            yield _Try(cost=3, key="driver", request=changed, settle=partial(_as_it_is, text), first=first)
        elif operator == "<":
            branch = bound.major - 1
            changed, first = _on(request, driver=Version(str(branch))), f"with a driver of branch {branch}"
            yield _Try(cost=4, key="driver", request=changed, settle=partial(_as_it_is, str(branch)), first=first)
    for operator, bound in _bounds(conflict, "__glibc") if target.glibc is not None else []:
        if operator == ">=":
            changed, first = _on(request, glibc=bound), f"on a system with glibc ≥ {bound}"
            yield _Try(cost=5, key="glibc", request=changed, settle=partial(_as_it_is, str(bound)), first=first)


def _on(request: Request, **changes: Any) -> Request:
    return replace(request, target=replace(request.target, **changes))


def _lowest(specifiers: SpecifierSet) -> Version | None:
    """The release that was meant, as far as the specifiers name one."""
    named = [Version(one.version.removesuffix(".*")) for one in specifiers if one.operator in ("==", ">=", "~=", ">")]
    return min(named) if named else None


def _own(conflict: Conflict, request: Request) -> list[Requirement]:
    """Bounds of the request that take part in the conflict."""
    parts = {link.requirement.name for link in conflict.links if link.parent is None}
    return [each for each in request.requirements if each.specifier and each.name in parts]


def _bounds(conflict: Conflict, name: str) -> list[tuple[str, Version]]:
    """What was asked of a virtual package, the mildest first."""
    found = {
        (one.operator, Version(one.version))
        for link in conflict.links
        if link.requirement.name == name
        for one in link.requirement.specifier
    }
    return sorted(found)


def _settle_tensorflow(request: Request, resolution: Resolution) -> tuple[Request, str]:
    version = _tensorflow(resolution)
    minor = f"{version.major}.{version.minor}"
    return replace(request, tensorflow=SpecifierSet(f"=={minor}.*")), minor


def _settle_python(request: Request, resolution: Resolution) -> tuple[Request, str]:
    minor = f"{resolution.python.major}.{resolution.python.minor}"
    return _on(request, python=Version(minor)), minor


def _settle_cuda(request: Request, resolution: Resolution) -> tuple[Request, str]:
    asked = [need.requirement.specifier for need in resolution.needs if need.requirement.name == "__cuda"]
    majors = sorted({Version(one.version).major for specifier in asked for one in specifier})
    if not majors:
        return request, "cuda"
    return _on(request, cuda_major=majors[0]), f"cuda{majors[0]}"


def _settle_requirement(relaxed: Requirement, request: Request, resolution: Resolution) -> tuple[Request, str]:
    pin = resolution.pins.get(relaxed.name)
    if pin is None:
        return request, "any"
    exact = replace(relaxed, specifier=SpecifierSet(f"=={pin.version}"))
    wanted = tuple(exact if each == relaxed else each for each in request.requirements)
    return replace(request, requirements=wanted), str(pin.version)


def _as_it_is(value: str, request: Request, _resolution: Resolution) -> tuple[Request, str]:
    return request, value


def _tensorflow(resolution: Resolution) -> Version:
    return next(resolution.pins[name].version for name in DISTRIBUTIONS if name in resolution.pins)


def _summary(resolution: Resolution) -> str:
    python = f"Python {resolution.python.major}.{resolution.python.minor}"
    return f"TensorFlow {_tensorflow(resolution)} on {python}"
