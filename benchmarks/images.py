"""Images of case A, built in four ways after four changes: `python -m benchmarks.images`.

Then how fast wheels come in, and how fast an environment is made of them. Everything is written to
`.cache/benchmarks/images.json` as it is measured, and not measured again; `python -m benchmarks table` shows it.
Needs root, `dockerd` and `debootstrap` (no registry), the real index, 40 GB of disk, and an hour.
"""

from __future__ import annotations

import argparse
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import measure, wheels
from benchmarks.engine import Engine, engine
from benchmarks.results import Results
from benchmarks.tools import TOOLS, empty
from benchmarks.world import FOLDER
from tests.support.base_image import DEBIAN_PYTHON, base_image
from tfenv.machine.network import authorities
from tfenv.workflow.render import read_lock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PLACE = FOLDER / "images"
RESULTS = FOLDER / "images.json"
_LIMIT = 1800.0
"""seconds after which a build is stopped"""

_USUAL, _ENVIRONMENT, _PROJECT = "benchmark/python", "benchmark/environment", "benchmark/project"
_OUT = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the image is built after; each goes on from the one before.

    Attributes:
        key: a word.
        tensorflow: the release that is locked.
        small: a small package that is locked, with its version.
        code: what the project's only file holds.
    """

    key: str
    tensorflow: str
    small: str
    code: str


STEPS = (
    Step(key="nothing", tensorflow="2.17.0", small="idna==3.10", code="1"),
    Step(key="small package", tensorflow="2.17.0", small="idna==3.11", code="1"),
    Step(key="patch release", tensorflow="2.17.1", small="idna==3.11", code="1"),
    Step(key="code", tensorflow="2.17.1", small="idna==3.11", code="2"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How an image is made.

    Attributes:
        name: as the table has it.
        tool: options of `tfenv build`; ``None`` is pip in a Dockerfile.
        folder: does it end in a folder, without the engine and without the project's code?
    """

    name: str
    tool: tuple[str, ...] | None = None
    folder: bool = False


WAYS = (
    Way(name="pip in a Dockerfile"),
    Way(name="tfenv build", tool=()),
    Way(name="tfenv build --format oci", tool=("--format", "oci")),
    Way(name="tfenv build --format oci -o DIR", tool=("--format", "oci", "-o", _OUT), folder=True),
)


def main() -> None:
    """Measure everything that is not measured yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images", description=__doc__)
    parser.add_argument("--small", action="store_true", help="TensorFlow for the CPU, to see that all of this works")
    parser.add_argument("--times", type=int, default=1, help="of each build; downloads and `sync` are repeated anyway")
    parser.add_argument("--only", default="", help="what has this word in its name, such as `cached`, `sync`, `oci`")
    options = parser.parse_args()
    place, results = (PLACE / "small", Results(PLACE / "small.json")) if options.small else (PLACE, Results(RESULTS))
    place.mkdir(parents=True, exist_ok=True)
    TOOLS[0].install()
    locks = {step.key: _lock(step, place, with_cuda=not options.small) for step in STEPS}
    cache = place / "cache"
    wheels.fetch(locks.values(), cache)

    def wanted(key: str) -> bool:
        return options.only in key and key not in results.values

    if wanted("sync"):
        results.add("sync", wheels.sync(locks["nothing"], place, cache))
    if wanted("download"):
        results.add("download", wheels.speed(locks["nothing"], place))
    keys = [
        (number, mode, way)
        for mode in ("wheels cached", "nothing cached")
        for number in range(options.times)
        for way in WAYS
        if not (way.folder and mode == "nothing cached")
        if wanted(_key(way, mode, STEPS[-1], number))
    ]
    if keys:
        with engine(PLACE / "engine") as running, wheels.served(locks.values(), cache) as links:
            _prepare(running, results, locks, cache)
            for number, mode, way in keys:
                _all_steps(way, mode, number, place, running, links if mode == "wheels cached" else "", results)


def _key(way: Way, mode: str, step: Step, number: int) -> str:
    return "|".join((way.name, mode, step.key, str(number)))


def _lock(step: Step, place: Path, *, with_cuda: bool) -> Path:
    """The lock of a step; packages that the step does not change stay as in the step before."""
    folder = place / "locks" / step.key.replace(" ", "-")
    path = folder / "pylock.toml"
    if not path.exists():
        empty(folder)
        before = [STEPS[number - 1] for number, one in enumerate(STEPS) if one is step and number]
        for one in before:
            shutil.copy(_lock(one, place, with_cuda=with_cuda), path)
        options = ["--tf", step.tensorflow, "--with", step.small, "--python", DEBIAN_PYTHON, "--glibc", "2.36"]
        options += ["--gpu", "cuda12" if with_cuda else "none"]
        _run([_tfenv(), "lock", "-q", *options], folder, {})
    return path


def _prepare(running: Engine, results: Results, locks: dict[str, Path], cache: Path) -> None:
    """Prepare the base images of the builds, and the contents that one of them needs."""
    os.environ.update(running.environment)  # for `base_image`
    base = base_image()
    context = empty(PLACE / "python")
    (context / "ca.pem").write_bytes(authorities())
    # as the images of Docker Hub: a Python with a pip, both of this year
    (context / "Dockerfile").write_text(
        f"FROM {base}\nCOPY ca.pem /ca.pem\nENV PIP_CERT=/ca.pem PATH=/opt/venv/bin:$PATH\n"
        "RUN python3 -m venv /opt/venv && pip install --no-cache-dir --upgrade pip\n"
    )
    _run(["docker", "build", "-q", "--network", "host", "-t", _USUAL, "."], context, running.environment)
    last = read_lock(locks[STEPS[-1].key])
    packed, unpacked = wheels.sizes(last, cache)
    sizes = {"base": running.size(base), "python": running.size(_USUAL), "wheels": packed, "unpacked": unpacked}
    results.add("sizes", sizes)


def _all_steps(way: Way, mode: str, number: int, place: Path, running: Engine, links: str, results: Results) -> None:
    """Build from nothing, then after one change after another."""
    running.clean([base_image(), _USUAL])
    folder = empty(place / "project")
    own = links == ""
    cache = empty(place / "own-cache") if own else place / "cache"
    if not own:
        wheels.forget_layers(cache)
    environment = {**running.environment, "TFENV_CACHE_DIR": str(cache), "HOME": str(place)}
    for step in STEPS:
        if way.folder and step.key == "code":
            break
        lock = place / "locks" / step.key.replace(" ", "-") / "pylock.toml"
        commands = _feed(way, step, folder, lock, links)
        before, fetched, seconds = _held(way, folder, running), wheels.held(cache), 0.0
        for command in commands:
            seconds += _run(command, folder, environment).seconds
        found: dict[str, Any] = {
            "seconds": round(seconds, 1),
            "written": _held(way, folder, running) - before,
            "size": wheels.packed(folder / _OUT) if way.folder else running.size(_PROJECT),
        }
        if way.tool is not None:
            found["fetched"] = wheels.held(cache) - fetched
        elif own:
            # pip fetches all wheels whenever its layer is built
            found["fetched"] = 0 if step.key == "code" else results.values["sizes"]["wheels"]
        results.add(_key(way, mode, step, number), found)
        if way.tool is None:
            # the image before helps the next in nothing (stages of `tfenv build` do, and are kept)
            running.clean([base_image(), _USUAL, _PROJECT])
    if own:
        shutil.rmtree(cache)


def _held(way: Way, folder: Path, running: Engine) -> int:
    """The size of images in bytes: compressed in a folder, unpacked in the engine."""
    return wheels.weight(folder / _OUT) if way.folder else running.used()


def _feed(way: Way, step: Step, folder: Path, lock: Path, links: str) -> list[list[str]]:
    """Write the input files of a step's build; returns its commands."""
    (folder / "main.py").write_text(f"print({step.code})\n")
    (folder / ".dockerignore").write_text(f"{_OUT}\n")
    project = ["docker", "build", "-q", "-t", _PROJECT]
    if way.tool is None:
        pins = [f"{package.name}=={package.version}\n" for package in read_lock(lock).packages]
        (folder / "requirements.txt").write_text("".join(pins))
        where = f" --no-index --find-links {links}" if links else ""
        (folder / "Dockerfile").write_text(
            f"FROM {_USUAL}\nWORKDIR /app\nCOPY requirements.txt .\n"
            f"RUN pip install --no-cache-dir{where} -r requirements.txt\nCOPY . .\n"
        )
        return [[*project, "--network", "host", "."]]
    shutil.copy(lock, folder / "pylock.toml")
    (folder / "Dockerfile").write_text(f"FROM {_ENVIRONMENT}\nCOPY . /app\n")
    build = [_tfenv(), "build", "-q", "--base-image", base_image(), *way.tool]
    return [build] if way.folder else [[*build, "--tag", _ENVIRONMENT], [*project, "."]]


def _tfenv() -> str:
    return str(TOOLS[0].folder / "bin" / "tfenv")


def _run(command: Sequence[str], folder: Path, environment: dict[str, str]) -> measure.Run:
    ran = measure.run(command, cwd=folder, environment={**os.environ, **environment}, limit=_LIMIT)
    if ran.code:
        raise SystemExit(f"{' '.join(command)}: exit {ran.code}\n{ran.output}")
    return ran


if __name__ == "__main__":
    main()
