"""Random small worlds, and a search through all of their combinations that shares nothing with the resolver."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHONS = ("3.13.9", "3.12.12", "3.11.14")
GLIBC = "2.28"
DRIVER = "535.54"
_NAMES = ("a", "b", "c", "d", "e")
_VERSIONS = ("0.9", "1.0", "1.0+cu1", "1.0.post1", "1.1", "2.0a1", "2.0rc1", "2.0", "3.0.dev1", "3.0")
_TENSORFLOWS = ("2.10.0", "2.11.0", "2.12.0", "2.12.1rc0")
_EXTRAS = ("x", "y")
_BOUNDS = (">=", ">=", ">=", ">", "<", "<=", "<=", "!=", "==", "~=")
_MARKERS = (
    "sys_platform == 'linux'",
    "sys_platform == 'win32'",
    "python_version < '3.13'",
    "python_version >= '3.13'",
    "python_full_version < '3.12.12'",
)
_WHEELS = (
    *["py3-none-any"] * 8,
    "cp313-cp313-manylinux_2_17_x86_64",
    "cp312-cp312-manylinux_2_17_x86_64",
    "cp311-abi3-manylinux_2_17_x86_64",
    "cp313-cp313-manylinux_2_34_x86_64",
    "cp312-cp312-win_amd64",
)
_HERE = default_environment()
_NEEDS = (("__cuda", "==11"), ("__cuda", "==12"), ("__cuda", ">=11"), ("__driver", ">=525"), ("__driver", ">=570"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One release in a solution that was found here.

    Attributes:
        version: its release.
        extras: those that are asked for.
    """

    version: str
    extras: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Files and a request.

    Attributes:
        rows: files, as `MemorySource` reads them.
        requirements: of the request; the first is that on TensorFlow.
        constraints: of the request.
        majors: CUDA majors that the target can have.
    """

    rows: list[dict[str, Any]]
    requirements: list[str]
    constraints: list[str]
    majors: tuple[str, ...]
    _releases: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)

    @property
    def releases(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Project to version to rows."""
        if not self._releases:
            for row in self.rows:
                name, version = _named(row["file"])
                self._releases.setdefault(name, {}).setdefault(version, []).append(row)
        return self._releases


def world_of(seed: int) -> World:
    """The world of a number."""
    chance = random.Random(seed)
    names = _NAMES[: chance.randint(2, len(_NAMES))]
    rows: list[dict[str, Any]] = []
    for name in ("tensorflow", *names):
        versions = _TENSORFLOWS if name == "tensorflow" else _VERSIONS
        for version in chance.sample(versions, chance.randint(2, 4)):
            rows += _release(chance, name, version, names)
    requirements = [f"tensorflow{chance.choice(('', '', '', '>=2.11', '<2.12', '==2.12.*', '>2.12'))}"]
    requirements += [_requirement(chance, chance.choice(names)) for _ in range(chance.randint(1, 3))]
    constraints = [
        _requirement(chance, chance.choice(names), extras=False) for _ in range(chance.choice((0, 0, 0, 1, 2)))
    ]
    majors = chance.choice((("0",), ("12",), ("12", "11")))
    return World(rows=rows, requirements=requirements, constraints=constraints, majors=majors)


def _release(chance: random.Random, name: str, version: str, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """All files of a release, which require the same."""
    requires = [_requirement(chance, chance.choice(names)) for _ in range(chance.choice((0, 0, 1, 1, 2)))]
    extras = [extra for extra in _EXTRAS if chance.random() < 0.3]
    for extra in extras:
        both, also = _requirement(chance, chance.choice((*names, name))).partition(";"), f"extra == '{extra}'"
        requires.append(f"{both[0]}; ({both[2]}) and {also}" if both[1] else f"{both[0]}; {also}")
    needs = [chance.choice(_NEEDS)] if chance.random() < (0.4 if name == "tensorflow" else 0.05) else []
    common: dict[str, Any] = {
        "requires": requires,
        "extras": extras,
        "needs": [{"name": each, "specifier": bound} for each, bound in needs],
    }
    is_yanked = chance.random() < 0.1
    tags = {chance.choice(_WHEELS) for _ in range(chance.choice((1, 1, 1, 2)))} if chance.random() < 0.92 else set()
    files = [f"{name}-{version}-{tag}.whl" for tag in sorted(tags)]
    if not files or chance.random() < 0.2:
        files.append(f"{name}-{version}.tar.gz")
    for file in files:
        row = {"file": file, **common}
        if is_yanked or chance.random() < 0.06:
            row["yanked"] = ""
        if chance.random() < 0.12:
            row["requires_python"] = chance.choice((">=3.12", "<3.13", ">=3.13", ">=3.12.13"))
        yield row


def _requirement(chance: random.Random, name: str, *, extras: bool = True) -> str:
    text = name
    if extras and chance.random() < 0.25:
        text += f"[{','.join(chance.sample(_EXTRAS, chance.randint(1, 2)))}]"
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        bound = chance.choice(_BOUNDS)
        half = {">": _VERSIONS[:5], "<": _VERSIONS[4:]}.get(bound[0], _VERSIONS)
        version = chance.choice(half if chance.random() < 0.8 else _VERSIONS)
        if bound != "==" and "+" in version:
            version = "1.0"
        text += ("," if text[-1].isdigit() else "") + (f"~={version}" if bound == "~=" else bound + version)
        if bound == "==":
            break
    return f"{text}; {chance.choice(_MARKERS)}" if chance.random() < 0.2 else text


class Complete:
    """Every combination of releases, one after the other.

    Args:
        world: to search.
        is_lenient: whether a pre-release may be taken if the project has finals, but none that is wanted, and a yanked
            release if something names its version.
        builds: whether source distributions stand in for wheels that do not fit.
    """

    def __init__(self, world: World, *, is_lenient: bool, builds: bool) -> None:
        self._world = world
        self._is_lenient = is_lenient
        self._builds = builds

    def is_solvable(self) -> bool:
        """Is there any solution?"""
        return any(self._search(python, {}) for python in PYTHONS)

    def faults(self, python: str, pins: dict[str, Pinned]) -> list[str]:
        """What is wrong with a set of pins; empty if it is a solution."""
        wanted = self._wanted(python, pins)
        faults = [f"{each} is not satisfied" for each in wanted if not self._is_met(each, pins)]
        names = {each.name for each in wanted}
        faults += [f"{name} is not wanted" for name in pins if name not in names]
        for name, pin in pins.items():
            if not self._is_usable(name, pin.version, python, wanted):
                faults.append(f"{name} {pin.version} has no file that may be taken")
        if self._cuda(pins) is None:
            faults.append("the machine does not have what is needed")
        return faults

    def _search(self, python: str, pins: dict[str, Pinned]) -> bool:
        wanted = self._wanted(python, pins)
        for each in wanted:
            pin = pins.get(each.name)
            if pin is None:
                continue
            if not _contains(each, pin.version):
                return False
            if not each.extras <= pin.extras:
                return self._search(
                    python, {**pins, each.name: Pinned(version=pin.version, extras=pin.extras | each.extras)}
                )
        if self._cuda(pins) is None:
            return False
        missing = next((each for each in wanted if each.name not in pins), None)
        if missing is None:
            return not self.faults(python, pins)
        for version in self._world.releases.get(missing.name, ()):
            if all(_contains(each, version) for each in wanted if each.name == missing.name):
                pin = Pinned(version=version, extras=frozenset(missing.extras))
                if self._search(python, {**pins, missing.name: pin}):
                    return True
        return False

    def _wanted(self, python: str, pins: dict[str, Pinned]) -> list[Requirement]:
        texts = [(text, "") for text in self._world.requirements]
        for name, pin in pins.items():
            for row in self._world.releases[name][pin.version][:1]:
                texts += [(text, extra) for text in row["requires"] for extra in ("", *sorted(pin.extras))]
        found = {text: _parsed(text) for text, extra in texts if _holds(text, python, extra)}
        return list(found.values())

    def _is_met(self, wanted: Requirement, pins: dict[str, Pinned]) -> bool:
        pin = pins.get(wanted.name)
        return pin is not None and _contains(wanted, pin.version) and wanted.extras <= pin.extras

    def _cuda(self, pins: dict[str, Pinned]) -> str | None:
        """The first CUDA major that all pins go with; ``None`` if there is none, or if the driver is too old."""
        needs = [need for name, pin in pins.items() for need in self._world.releases[name][pin.version][0]["needs"]]
        if any(need["name"] == "__driver" and not _bounded(need["specifier"], DRIVER) for need in needs):
            return None
        bounds = [need["specifier"] for need in needs if need["name"] == "__cuda"]
        return next((major for major in self._world.majors if all(_bounded(b, major) for b in bounds)), None)

    def _is_usable(self, name: str, version: str, python: str, wanted: list[Requirement]) -> bool:
        bounds = [_parsed(text) for text in self._world.constraints if _holds(text, python, "")]
        bounds = [each for each in bounds if each.name == name]
        if not all(_contains(each, version) for each in bounds):
            return False
        asked = [_parsed(text) for text in (*self._world.requirements, *self._world.constraints)]
        named = [each for each in asked if each.name == name]
        active = [each for each in wanted if each.name == name] + bounds
        if _is_prerelease(version) and not any(each.specifier.prereleases for each in named):
            releases = self._world.releases[name].items()
            kept = [each for each, rows in releases if any("yanked" not in row for row in rows)]
            finals = [each for each in kept if not _is_prerelease(each)]
            if self._is_lenient:
                finals = [each for each in finals if all(_contains(one, each) for one in active)]
            if finals:
                return False
        is_exact = self._is_lenient and any(
            one.operator == "==" and not one.version.endswith(".*") for each in active for one in each.specifier
        )
        rows = [row for row in self._world.releases[name][version] if is_exact or "yanked" not in row]
        sound = [row for row in rows if "yanked" not in row]
        return self._has_file(sound, python) or self._has_file(rows, python)

    def _has_file(self, rows: list[dict[str, Any]], python: str) -> bool:
        fitting = [row for row in rows if "requires_python" not in row or _bounded(row["requires_python"], python)]
        if any(row["file"].endswith(".whl") and _installs(row["file"], python) for row in fitting):
            return True
        has_wheels = any(row["file"].endswith(".whl") for row in rows)
        too_new = any(row["file"].endswith(".whl") and _installs(row["file"], python, "2.99") for row in fitting)
        return (
            any(row["file"].endswith(".tar.gz") for row in fitting) and not too_new and (self._builds or not has_wheels)
        )


@cache
def _named(filename: str) -> tuple[str, str]:
    parsed = parse_wheel_filename(filename) if filename.endswith(".whl") else parse_sdist_filename(filename)
    return parsed[0], str(parsed[1])


@cache
def _is_prerelease(version: str) -> bool:
    return Version(version).is_prerelease


@cache
def _parsed(text: str) -> Requirement:
    return Requirement(text)


@cache
def _bounded(bounds: str, version: str) -> bool:
    return Requirement(f"p{bounds}").specifier.contains(version, prereleases=True)


def _contains(wanted: Requirement, version: str) -> bool:
    bounds = str(wanted.specifier)
    return not bounds or _bounded(bounds, version)


@cache
def _holds(text: str, python: str, extra: str) -> bool:
    marker = _parsed(text).marker
    if marker is None:
        return True
    values: dict[str, Any] = {
        **_HERE,
        "sys_platform": "linux",
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "extra": extra,
    }
    return marker.evaluate(values)


@cache
def _installs(filename: str, python: str, glibc: str = GLIBC) -> bool:
    """Is a wheel for this Python on Linux, with this glibc or an older one?"""
    interpreter, abi, platform = filename.removesuffix(".whl").split("-")[-3:]
    minor = int(python.split(".")[1])
    if platform != "any" and not platform.startswith("manylinux"):
        return False
    if platform.startswith("manylinux") and Version(platform.split("_", 1)[1][:4].replace("_", ".")) > Version(glibc):
        return False
    if interpreter == "py3":
        return True
    built = int(interpreter.removeprefix("cp3"))
    return built <= minor if abi == "abi3" else built == minor
