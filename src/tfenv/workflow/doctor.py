"""`tfenv doctor`: the releases that this machine can run, problems of the installation, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.question import PLUGIN, Fixed, Question, ask
from tfenv.check.verdict import best, judge
from tfenv.errors import UsageError
from tfenv.facts.database import load
from tfenv.machine.detect import detect, load_nvml
from tfenv.machine.host import ThisHost
from tfenv.machine.installed import environment_of
from tfenv.machine.installed import installed as look
from tfenv.model.configuration import Configuration
from tfenv.model.hardware import driver_text
from tfenv.model.package import TENSORFLOW, normalize
from tfenv.model.progress import Progress, Silent
from tfenv.model.report import Answer, Fix, Problem, Verdict
from tfenv.model.target import Accelerator, Platform
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN
from tfenv.workflow.check import judged, open_knowledge
from tfenv.workflow.profile import machine_of
from tfenv.workflow.profile import save as save_profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.check.knowledge import Knowledge
    from tfenv.facts.database import Database
    from tfenv.model.builds import Build
    from tfenv.model.inventory import Installed, Inventory, LibraryOnPath

SPACE = 10 * 1024**3
"""Bytes that an image with TensorFlow and CUDA and its wheels need."""

_MAKERS = {"amd": "AMD"}
"""Makers whose GPUs another build of TensorFlow uses; GPUs of Intel are mostly integrated graphics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """One minor release of TensorFlow on this machine.

    Attributes:
        version: newest patch release.
        pythons: versions of Python with wheels for this machine, oldest first.
        cpu: reason why it does not run on the processor; ``None`` if it does.
        gpu: reason why it does not run on all GPUs; ``None`` if it does, empty if there is no GPU.
        jit: whether the driver has to compile code for the GPU first.
        system: versions of CUDA and cuDNN that must be installed separately; empty if there are none.
    """

    version: Version
    pythons: tuple[Version, ...]
    cpu: str | None
    gpu: str | None
    jit: bool = False
    system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The result of `doctor`.

    Attributes:
        machine: detected machine.
        installed: environment that was examined, or ``None``.
        releases: minor releases, newest first.
        verdict: verdict on the environment; without one, on the newest release for the machine.
        todo: steps to prepare the machine, cheapest first; one line each.
    """

    machine: Inventory
    installed: Installed | None
    releases: tuple[Runs, ...]
    verdict: Verdict
    todo: tuple[str, ...]


def doctor(
    venv: Path | str | None = None,
    *,
    save: Path | str | None = None,
    force: bool = False,
    offline: bool = False,
    progress: Progress | None = None,
) -> Diagnosis:
    """Examine this machine: its hardware, the releases that it can run, problems of an environment, and what to do.

    Example:
        >>> diagnosis = tfenv.doctor(offline=True)
        >>> newest = diagnosis.releases[0]
        >>> newest.cpu or "runs on the processor"
        'runs on the processor'

    Args:
        venv: environment to examine; by default the active one.
        save: file for a profile of this machine, which `lock` can read elsewhere.
        force: whether to overwrite a file that tfenv did not write.
        offline: use only what is cached to solve the fixes that are suggested.
        progress: reports work under way.

    Raises:
        UsageError: `venv` is not an environment, or the profile cannot be written.
    """
    reporter, database, host = progress or Silent(), load(), ThisHost()
    reporter.start("looking at this machine")
    machine = detect(host, nvml=load_nvml())
    directory = str(venv) if venv is not None else environment_of(host)
    found = look(host, directory) if directory is not None else None
    reporter.finish("looking at this machine")
    if venv is not None and found is None:
        raise UsageError(f"`{venv}` is not an environment", hint="give the directory that holds `lib` and `pyvenv.cfg`")
    reporter.start("asking the facts")
    with open_knowledge(database, offline=offline) as knowledge:
        diagnosis = diagnose(machine, found, knowledge)
    reporter.finish("asking the facts")
    if save is not None:
        save_profile(machine, Path(save), force=force)
    return diagnosis


def diagnose(machine: Inventory, installed: Installed | None, knowledge: Knowledge) -> Diagnosis:
    """The diagnosis of a detected machine."""
    gpu = any(device.vendor == "nvidia" for device in machine.gpus)
    here = Configuration(machine=machine_of(machine), accelerated=gpu)
    releases = tuple(runnable(here, knowledge))
    if installed is not None and knowledge.database.distributions.first(dict(installed.packages)) is not None:
        verdict = judged(_with(here, machine, installed), knowledge)
    else:
        verdict = _bare(here, machine, releases, knowledge)
    return Diagnosis(
        machine=machine,
        installed=installed,
        releases=releases,
        verdict=verdict,
        todo=tuple(_todo(machine, installed, releases)),
    )


def _with(here: Configuration, machine: Inventory, installed: Installed) -> Configuration:
    """The machine with an environment; libraries of the system count if no wheels provide them."""
    packages = tuple((normalize(name), SpecifierSet(f"=={version}")) for name, version in installed.packages)
    wheels = any(name.startswith("nvidia-cudnn") for name, _ in packages)
    cuda, cudnn = _system_stack(machine)
    return replace(
        here.on(python=installed.python),
        packages=packages,
        cuda=None if wheels else cuda,
        cudnn=None if wheels else cudnn,
        complete=True,
        observed=True,
        installer="pip" if "pip" in dict(installed.packages) else "uv pip",
        loader=tuple(_twice(machine, installed)),
    )


def _system_stack(machine: Inventory) -> tuple[Version | None, Version | None]:
    """CUDA and cuDNN that the loader finds first."""

    def version(stem: str) -> Version | None:
        return next((each.version for each in machine.libraries if each.soname.startswith(f"{stem}.so")), None)

    cudart = version("libcudart")
    return None if cudart is None else Version(f"{cudart.major}.{cudart.minor}"), version("libcudnn")


def _twice(machine: Inventory, installed: Installed) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Sonames that `LD_LIBRARY_PATH` answers, and a wheel or another directory too."""
    first = [each for each in machine.libraries if each.first and ".so." in each.soname]
    for soname in dict.fromkeys(each.soname for each in first):
        copies = [str(each.path) for each in _copies(soname, (*machine.libraries, *installed.libraries))]
        if len(copies) > 1:
            yield soname, tuple(copies)


def _copies(soname: str, libraries: tuple[LibraryOnPath, ...]) -> list[LibraryOnPath]:
    return [each for each in libraries if each.soname == soname]


def runnable(here: Configuration, knowledge: Knowledge) -> Iterator[Runs]:
    """The best release of every minor for a machine, newest first."""
    table, question = knowledge.database.releases, ask(here, knowledge.database)
    for stem in reversed(table.minors):
        stable = [each for each in table.versions_of(stem) if not each.is_prerelease]
        runs = [_run(each, question, knowledge) for each in stable if table.release(TENSORFLOW, each) is not None]
        if runs:
            yield min(runs, key=_rank)


def _rank(runs: Runs) -> tuple[bool, bool, bool]:
    return bool(runs.gpu), runs.cpu is not None, runs.jit


def _run(version: Version, here: Question, knowledge: Knowledge) -> Runs:
    """A release as the machine alone decides: with the Python, CUDA and cuDNN that it wants."""
    name = knowledge.distribution(here, version)
    pythons = tuple(reversed(knowledge.pythons(name, version, here.target)))
    wanted = replace(here.on(python=max(pythons, default=None)), said=str(version), releases=(version,))
    alone = wanted.on(accelerator=Accelerator.NONE, gpus=(), driver=None)
    why = _why(judge(replace(alone, accelerated=False, problems=()), knowledge))
    if not here.accelerated or knowledge.release(name, version, here.target) is None:
        return Runs(version=version, pythons=pythons, cpu=why, gpu="")
    build = knowledge.overlay(here.target).build(name, version)
    if build is None or build.cuda is None:
        verdict, system = judge(wanted, knowledge), ""
    else:
        cudnn = build.cudnn_floor or build.cudnn
        verdict = judge(_with_stack(wanted, build.cuda, cudnn), knowledge)
        bundled = bool(pythons) and best(wanted, version, knowledge).bundled
        system = "" if bundled else f"CUDA {build.cuda}, cuDNN {cudnn}"
        for brought in _cudnn_wheels(version, build, here.target.platform, knowledge.database):
            of_wheels = judge(_with_stack(wanted, build.cuda, brought), knowledge)
            if of_wheels.answer is Answer.WORKS:
                verdict, system = of_wheels, ""
                break
    return Runs(
        version=version,
        pythons=pythons,
        cpu=why,
        gpu=_why(verdict),
        jit=any(caution.code == "ptx-jit" for caution in verdict.warnings),
        system=system,
    )


def _with_stack(question: Question, cuda: Version, cudnn: Version | None) -> Question:
    fixed = [Fixed(name=SYSTEM_CUDA, specifier=SpecifierSet(f"=={cuda}"))]
    fixed += [] if cudnn is None else [Fixed(name=SYSTEM_CUDNN, specifier=SpecifierSet(f"=={cudnn}"))]
    return question.fixing(*fixed)


def _cudnn_wheels(version: Version, build: Build, platform: Platform, database: Database) -> Iterator[Version]:
    """What `tfenv lock` may bring along for a release that offers no CUDA wheels itself, newest first."""
    if platform.wheels is not Platform.LINUX_X86_64 or database.wheels.of(version) is None:
        return
    for row in reversed(database.cudnn.all):
        if row.wheel is not None and build.cuda is not None and row.cuda_major == build.cuda.major:
            yield row.releases[-1]


def _why(verdict: Verdict) -> str | None:
    if verdict.answer is Answer.WORKS:
        return None
    if verdict.problems:
        return f"{verdict.problems[0].code}: {verdict.problems[0].because[-1]}"
    return f"not known: {', '.join(verdict.unknown)}"


def _bare(here: Configuration, machine: Inventory, releases: tuple[Runs, ...], knowledge: Knowledge) -> Verdict:
    """Nothing is installed: can the machine run what could be?"""
    if here.accelerated and machine.driver is None:
        because = ("an NVIDIA GPU is on the bus, and no driver answers",)
        fix = Fix(change=(), command=install_driver(machine), cost=1)
        problem = Problem(code="driver-too-old", subject="no driver", because=because, fixes=(fix,))
        return Verdict(answer=Answer.BROKEN, problems=(problem,), unknown=machine.unknown)
    if not releases or any(runs.cpu is None and not runs.gpu for runs in releases):
        return Verdict(answer=Answer.WORKS if releases else Answer.UNKNOWN, unknown=machine.unknown)
    newest = releases[0].version
    return judged(replace(here, tf=str(newest)), knowledge)


def _todo(machine: Inventory, installed: Installed | None, releases: tuple[Runs, ...]) -> Iterator[str]:
    nvidia = any(device.vendor == "nvidia" for device in machine.gpus)
    if nvidia and machine.driver is None:
        yield install_driver(machine)
    elif machine.driver is not None and not nvidia and machine.board is None:
        yield "the NVIDIA driver sees no GPU: give this machine one, or this container (`docker run --gpus all`)"
    elif machine.driver is not None and machine.driver.trouble is not None and machine.board is None:
        yield f"restart the machine, or install the driver again: {machine.driver.trouble}"
    for maker in dict.fromkeys(_MAKERS[gpu.vendor] for gpu in machine.gpus if gpu.vendor in _MAKERS):
        other, source = PLUGIN[maker]
        yield f"the wheels of TensorFlow use GPUs of NVIDIA only; for one of {maker}, {other}   [{source}]"
    engines = [engine for engine in machine.engines if engine.version is not None]
    for engine in machine.engines:
        if engine.version is None:
            yield f"start {engine.name}: {engine.trouble}"
    if nvidia and engines and not any(engine.gpu for engine in engines):
        yield "install nvidia-container-toolkit, so that containers get the GPU (`tfenv onboard` prints how)"
    if not machine.engines:
        yield "install docker or podman, if you want images (`tfenv onboard` prints how)"
    if not machine.interpreters:
        yield "install Python 3.10 or newer"
    if machine.disk_free is not None and machine.disk_free < SPACE:
        yield f"make room: {machine.disk_free / 1024**3:.1f} GiB are free here, and an image with CUDA takes about 10"
    if machine.board is not None:
        yield f"{machine.board}: TensorFlow's own wheels have no CUDA for aarch64; take NVIDIA's builds for JetPack"
    if installed is None and releases:
        good = next((runs for runs in releases if runs.cpu is None and not runs.gpu), None)
        if good is not None:
            yield f"tfenv lock --gpu {'auto' if nvidia else 'none'}   # the newest that runs here is {good.version}"


def install_driver(machine: Inventory) -> str:
    """How this system gets an NVIDIA driver."""
    words = machine.system.lower()
    if machine.platform is Platform.WSL:
        return "install the NVIDIA driver on Windows; WSL uses it"
    if "ubuntu" in words:
        return "sudo ubuntu-drivers install"
    if "debian" in words:
        return "sudo apt install nvidia-driver   # from the component non-free"
    if any(word in words for word in ("fedora", "red hat", "rocky", "alma", "centos")):
        return "sudo dnf install cuda-drivers   # from NVIDIA's repository; `tfenv onboard` prints how to add it"
    return "install the NVIDIA driver: https://www.nvidia.com/drivers"


def summary(machine: Inventory) -> tuple[tuple[str, str], ...]:
    """The machine in a few lines, each with heading and text."""
    lines = [("system", " · ".join(filter(None, (machine.system, str(machine.platform or "no wheels for it")))))]
    if machine.board is not None:
        lines.append(("board", machine.board))
    processor = machine.microarchitecture or "unknown"
    lines.append(("processor", f"{processor}{f' ({machine.level})' if machine.level else ''}"))
    if machine.glibc is not None:
        lines.append(("glibc", str(machine.glibc)))
    for device in machine.gpus:
        size = f", {device.memory / 1024**3:.0f} GiB" if device.memory else ""
        what = (
            f" ({device.capability})"
            if device.capability
            else ""
            if device.vendor == "nvidia"
            else f" ({device.vendor})"
        )
        lines.append(("GPU", f"{device.name}{what}{size}"))
    if not machine.gpus:
        lines.append(("GPU", "none seen"))
    if machine.driver is not None:
        cuda = f", runs CUDA up to {machine.driver.cuda}" if machine.driver.cuda else ""
        lines.append(("driver", f"{driver_text(machine.driver.version)}{cuda}"))
    for engine in machine.engines:
        gpu = f"GPUs by {engine.gpu}" if engine.gpu else "no GPUs in containers"
        lines.append(
            (engine.name, f"{engine.version}, {gpu}" if engine.version else engine.trouble or "does not answer")
        )
    pythons = ", ".join(str(each.version) for each in machine.interpreters[:6])
    lines.append(("Python", pythons or "none found"))
    if machine.disk_free is not None:
        lines.append(("disk", f"{machine.disk_free / 1024**3:.0f} GiB free"))
    return tuple(lines)
