"""From a request, its project and the files that it names to the goal of a lock."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet

from tfenv.errors import UsageError
from tfenv.facts.database import load
from tfenv.inputs.accelerators import AUTO, NOTHING, PLACES, accelerators, gpus_of
from tfenv.inputs.request import Request
from tfenv.model.goal import OLDEST_PYTHON, PYPI, Goal
from tfenv.model.hardware import driver_of
from tfenv.model.package import TENSORFLOWS
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.outputs import profile as profiles
from tfenv.store import files
from tfenv.workflow.lock.declarations import Declarations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.version import Version

    from tfenv.facts.wishes import Wish
    from tfenv.model.inventory import Driver, GpuDevice
    from tfenv.model.package import Elsewhere, Name, Requirement

if TYPE_CHECKING:
    Devices = tuple[tuple[GpuDevice, ...], Driver | None]
    """The GPUs of a host, and its NVIDIA driver if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A goal, and inputs that must not be part of it.

    Attributes:
        goal: goal of the lock, without credentials.
        indexes: URLs as they were given, with their credentials.
        notes: one line for each input that is not part of the goal, or that is empty.
        preferred: versions that locks of other tools hold, kept where they fit.
        elsewhere: dependencies that do not come from an index, and must not be locked from one.
    """

    goal: Goal
    indexes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    preferred: Mapping[Name, Version] = field(default_factory=dict)
    elsewhere: tuple[Elsewhere, ...] = ()


def gather(
    request: Request,
    *,
    detect: Callable[[], Devices],
    project: Path | None = None,
    target: str | None = None,
    profile: Path | None = None,
) -> Wanted:
    """The goal of a request: it replaces keys of `[tool.tfenv]`, and lists of requirements add up.

    Args:
        request: request of the command line or a Python program.
        detect: detects the GPUs of this host; called for `--gpu auto` only.
        project: a `pyproject.toml` that is read too.
        target: a table of `[tool.tfenv.targets]`.
        profile: a machine, as `tfenv doctor --save` wrote it; the request replaces parts of it.

    Raises:
        UsageError: an input cannot be read or has faults; all faults of a file at once.
    """
    declared, notes = Declarations(), list[str]()
    if project is not None:
        read = declared.project(project, target=target, extras=request.extras, groups=request.groups)
        request = _overlay(read.request, request, project.parent)
    declared.files(request.requirements_files, constraints=request.constraints_files)
    if declared.cuda is not None and not request.gpus:
        request = replace(request, gpus=("cuda",))
    requirements = [*declared.requirements, *request.requirements]
    notes += [*declared.notes, *map(str, declared.elsewhere)]
    specifier = request.tf or SpecifierSet()
    prereleases = bool(request.prereleases or specifier.prereleases)
    wish = None if profile is not None else _wish(requirements, request.platform or Platform.LINUX_X86_64)
    machine = _target(request, detect, notes, wish)
    requirements, tensorflow = _split_tensorflow(requirements, specifier, machine.platform)
    named = [request.index_url, *declared.indexes] if request.index_url else declared.indexes or [PYPI]
    indexes = tuple(dict.fromkeys((named[0], *request.extra_index_urls, *named[1:])))
    goal = Goal(
        tensorflow=tensorflow,
        target=machine if profile is None else _on_profile(profile, machine, request),
        requirements=tuple(dict.fromkeys(requirements)),
        constraints=tuple(declared.constraints),
        indexes=tuple(map(_without_credentials, indexes)),
        exclude_newer=request.exclude_newer,
        keras=request.keras,
        newest=request.prefer == "newest",
        prereleases=prereleases,
        without_gpu=bool(requirements) and (profile is not None or set(request.gpus) & set(NOTHING) != set()),
        force_broken=bool(request.force_broken),
    )
    return Wanted(
        goal=goal,
        indexes=indexes,
        notes=tuple(notes),
        preferred=declared.preferred,
        elsewhere=tuple(declared.elsewhere),
    )


def _target(request: Request, detect: Callable[[], Devices], notes: list[str], wish: Wish | None) -> Target:
    """The machine that a request describes.

    Args:
        request: what is known of the machine.
        detect: detects the GPUs of this host; called for the GPU `auto` only.
        notes: receives a line if this host has no GPU that TensorFlow's CUDA builds use, and if the wish decides.
        wish: accelerator that the requirement of TensorFlow asks for.

    Raises:
        UsageError: the platform has no such accelerator or GPU, or a GPU of this host is not known.
    """
    asked = accelerators(request.gpus)
    kind, gpus, driver = asked.kind, asked.gpus, request.driver
    if AUTO in request.gpus:
        devices, seen = detect()
        gpus = tuple(dict.fromkeys((*gpus, *gpus_of(devices))))
        driver = driver or (None if seen is None else seen.version)
        if not gpus:
            notes.append(_unseen(devices))
        kind = kind or (Accelerator.CUDA if gpus else Accelerator.NONE)
    if wish is not None and kind is Accelerator.NONE:
        used = "for the CPU, as `--gpu` says" if request.gpus else f"that of `--gpu {wish.accelerator}`"
        notes.append(f"{wish.because}, and the lock is {used}")
        kind = kind if request.gpus else wish.accelerator
    kind = kind or Accelerator.NONE
    bound = load().gpus.bound_to(gpus) if gpus else None
    only = None if bound is None else bound.platform
    platform = request.platform or only or PLACES.get(kind, (Platform.LINUX_X86_64,))[0]
    if bound is not None and platform is not only:
        raise UsageError(
            f"`{bound.name}` exists on {only} only, not on {platform}",
            hint=f"leave out `--platform`, or write `{only}`",
        )
    if platform not in PLACES.get(kind, Platform):
        raise UsageError(
            f"`{kind}` is not available on {platform}",
            hint=f"`--gpu {kind}` is for {' and '.join(map(str, PLACES[kind]))}",
        )
    return Target(
        platform=platform,
        python=request.python,
        accelerator=kind,
        cuda_major=asked.cuda,
        rocm=asked.rocm,
        gpus=gpus,
        gfx=asked.gfx,
        driver=None if driver is None else driver_of(driver),
        glibc=request.glibc,
        cpu=request.cpu,
    )


def _unseen(devices: Iterable[GpuDevice]) -> str:
    """The note for `--gpu auto` on a host without an NVIDIA GPU."""
    others = " and ".join(sorted({f"`{device.name}` ({device.vendor})" for device in devices}))
    also = f", only {others}" if others else ""
    hint = "`--gpu rocm` uses GPUs of AMD" if "amd" in others else "name the GPU to lock for another machine"
    return f"no NVIDIA GPU was seen on this machine{also}, so the lock is for the CPU; {hint}"


def _on_profile(path: Path, asked: Target, request: Request) -> Target:
    """The machine of a profile, with the parts that the request names replaced."""
    profile = profiles.loads(files.read(path), path.name)
    parts: dict[str, Any] = {"python": asked.python}
    if request.gpus:
        parts |= {"accelerator": asked.accelerator, "cuda_major": asked.cuda_major, "gpus": asked.gpus}
        parts |= {"driver": profile.driver if asked.accelerator is profile.accelerator else None}
    for key in ("driver", "platform", "glibc", "cpu"):
        parts |= {key: getattr(asked, key)} if getattr(request, key) is not None else {}
    return replace(profile, **parts)


def _overlay(project: Request, request: Request, base: Path) -> Request:
    """A request over the keys of a project, whose paths are relative to it."""
    project = replace(
        project,
        requirements_files=tuple(base / path for path in project.requirements_files),
        constraints_files=tuple(base / path for path in project.constraints_files),
    )
    added = ("requirements", "requirements_files", "constraints_files")
    values: dict[str, Any] = {}
    for attribute in fields(Request):
        ours, theirs = getattr(request, attribute.name), getattr(project, attribute.name)
        both = (*theirs, *ours) if attribute.name in added else theirs if ours in (None, ()) else ours
        values[attribute.name] = both
    return Request(**values)


def _split_tensorflow(
    requirements: Iterable[Requirement], specifier: SpecifierSet, platform: Platform
) -> tuple[list[Requirement], SpecifierSet]:
    """A requirement of TensorFlow, by any of its names, bounds the distribution that the target gets.

    Raises:
        UsageError: a build of TensorFlow is required that no lock can hold.
    """
    rest = []
    facts = load()
    for requirement in requirements:
        row = facts.distributions.of(requirement.name)
        if row is None or not _applies(requirement, platform):
            rest.append(requirement)
        elif row.numbered and not row.nightly:
            specifier &= requirement.specifier
        elif row.name in TENSORFLOWS:
            rest.append(requirement)
        else:
            whose = "a nightly build of TensorFlow" if row.nightly else f"TensorFlow as {row.builder} builds it"
            raise UsageError(
                f"`{requirement}` is {whose}, and a lock holds releases of the TensorFlow project",
                hint="replace it with `tensorflow`, or pass the release as `--tf`",
            )
    return rest, specifier


def _wish(requirements: Sequence[Requirement], platform: Platform) -> Wish | None:
    """The accelerator that a requirement of TensorFlow asks for."""
    if not requirements:
        return None
    # 14 modules of the facts, which a request without requirements does not need
    from tfenv.facts.wishes import of_tensorflow

    facts = load()
    wishes = (of_tensorflow(each, facts) for each in requirements if _applies(each, platform))
    return next((wish for wish in wishes if wish is not None), None)


def _applies(requirement: Requirement, platform: Platform) -> bool:
    """Whether a requirement counts on a platform; not if its marker depends on the Python, which is not chosen yet."""
    marker = requirement.marker
    if marker is None:
        return True
    # packaging.tags, which a request without markers does not need
    from tfenv.model.tags import markers

    is_open = "python" in str(marker) or "implementation" in str(marker)
    return not is_open and marker.evaluate(dict(markers(platform, OLDEST_PYTHON)))


def _without_credentials(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    bare = f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
    return f"{bare.rstrip('/')}/"
