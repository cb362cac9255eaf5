"""Changes that repair a problem: candidates, each asked of the same rules again, cheapest first."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.packages import compatible
from tfenv.check.subject import (
    DISTRIBUTIONS,
    offers_cuda_wheels,
    pythons_of,
    requirements,
    versions,
)
from tfenv.check.verdict import choose, gpus_of, judge
from tfenv.model.hardware import driver_text
from tfenv.model.package import TENSORFLOW, Name
from tfenv.model.report import Fix, Problem, Verdict
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.symbols import database as symbols

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tfenv.check.subject import Subject
    from tfenv.facts.database import Database
    from tfenv.model.configuration import Configuration
    from tfenv.model.evidence import Symptom

MOST = 6
"""More than this nobody reads."""

_PACKAGE, _PATCH, _PYTHON, _CUDNN, _ADVICE, _RELEASE, _CUDA, _DRIVER, _SYSTEM, _IMAGE = 1, 1, 2, 2, 2, 3, 3, 4, 5, 6


_MACHINES = ("platform-no-gpu", "platform-no-wheel", "python-no-wheel", "gpu-too-new", "gpu-too-old")
"""What another builder's TensorFlow may repair."""

_ENOUGH: dict[tuple[str, ...], int] = {("python",): 3, ("cudnn",): 2}
"""How many changes of one kind are shown; of others one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step of a repair.

    Attributes:
        values: keys of the configuration and their new values, as `Fix.change` has them.
        after: the configuration with it.
        cost: of it.
        command: that does it, if it is not done by `tfenv lock`.
    """

    values: tuple[tuple[str, str], ...]
    after: Configuration
    cost: int
    command: str = ""


def with_fixes(
    verdict: Verdict,
    configuration: Configuration,
    database: Database,
    *,
    symptoms: Sequence[Symptom] = (),
    newest: Callable[[Name, SpecifierSet], Version | None] = lambda _name, _wanted: None,
    solves: Callable[[Configuration], bool | None] = lambda _after: None,
) -> Verdict:
    """The verdict with what repairs each of its problems.

    Args:
        verdict: on the configuration.
        configuration: as it is.
        database: the facts.
        symptoms: what a log showed; they know repairs where the rules know too little.
        newest: the newest release of a project that a specifier allows, or ``None`` if no index can be asked.
        solves: is there a lock for a configuration with another TensorFlow or Python? ``None`` if that is not known.
    """
    repair = _Repair(verdict, configuration, database, newest=newest, solves=solves)
    told = {symptom.cause: symptom for symptom in symptoms}
    problems = []
    for problem in verdict.problems:
        found = repair.of(problem)
        if (symptom := told.get(problem.because[0])) is not None:
            found += repair.of_symptom(symptom)
        unique: dict[object, Fix] = {}
        for fix in found:
            unique.setdefault(fix.change or fix.command, fix)
        cheapest = sorted(unique.values(), key=lambda fix: fix.cost)
        problems.append(replace(problem, fixes=tuple(cheapest[:MOST])))
    return replace(verdict, problems=tuple(problems))


class _Repair:
    """Candidates for one configuration."""

    def __init__(
        self,
        verdict: Verdict,
        configuration: Configuration,
        database: Database,
        *,
        newest: Callable[[Name, SpecifierSet], Version | None],
        solves: Callable[[Configuration], bool | None],
    ) -> None:
        self._verdict = verdict
        self._was = configuration
        self._database = database
        self._newest = newest
        self._solves = solves
        self._solved: set[Configuration] = set()
        self._judged: dict[Configuration, Verdict] = {}
        self._before = self._wrong(configuration)

    def of(self, problem: Problem) -> list[Fix]:
        """What repairs a problem and makes no new one: single changes, else pairs."""
        aim = (problem.code, problem.subject)
        # of a problem that only a log told, the rules cannot say that another release would not have it
        known = aim in self._before
        if problem.code == "loader-path" and not known:
            return []  # what is installed is right: the signature says where to look for it
        singles = list(self._changes(self._was, problem, releases=known))
        found = [change for change in singles if self._repairs(change, aim)]
        stacked = problem.code.startswith(("cuda", "cudnn", "driver", "gpu"))
        if not found or (stacked and not any("tf" in dict(change.values) for change in found)):
            found += self._pairs(singles, aim)
        return [*(self._fix(change) for change in self._chosen(found)), *self._instead(problem)]

    def _instead(self, problem: Problem) -> Iterator[Fix]:
        """What serves a machine that no release on an index serves."""
        if problem.code not in (
            "platform-no-gpu",
            "platform-no-wheel",
            "python-no-wheel",
            "gpu-too-new",
            "gpu-too-old",
        ):
            return
        target = Target(
            platform=self._was.platform or Platform.LINUX_X86_64,
            accelerator=Accelerator.CUDA if self._was.accelerated else Accelerator.NONE,
            gpus=gpus_of(self._was, self._database),
        )
        version = self._version or self._database.releases.versions(TENSORFLOW)[0]
        says = [each.says for each in self._database.alternatives.of(version, target)]
        if self._was.foreign is not None:
            says.append(_of_foreign(self._was.foreign))
        for text in says:
            yield Fix(change=(), command=text, cost=_IMAGE)

    def of_symptom(self, symptom: Symptom) -> list[Fix]:
        """What the line of the log itself tells of its repair."""
        found = []
        if symptom.package is not None and (wanted := self._wanted(symptom.package, symptom)) is not None:
            change = self._pin(symptom.package, wanted)
            found.append(Fix(change=change.values, command=change.command, cost=_PACKAGE))
        if (version := self._release_for(symptom)) is not None and str(version) != self._was.tf:
            change = self._with_python(self._release(self._was, version), version)
            if self._solvable(change):
                found.append(replace(self._fix(change), cost=_RELEASE))
        if symptom.cudnn is not None:
            values = (("cudnn", str(symptom.cudnn)),)
            found.append(Fix(change=values, command=f"install cuDNN {symptom.cudnn}", cost=_CUDNN))
        if symptom.installing:
            found += [self._fix(each) for each in self._pythons(symptom) if self._solvable(each)]
        if (now := self._became(symptom)) is not None:
            found.append(Fix(change=(), command=now, cost=_PACKAGE))
        if symptom.code in ("cuda-mismatch", "cudnn-mismatch", "cudnn-too-old"):
            found += self._from_wheels()
        if symptom.code == "cuda-mismatch":
            found += [self._fix(each) for each in self._built_with(self._was.cuda) if self._solvable(each)]
        if symptom.advice is not None:
            found.append(Fix(change=(), command=symptom.advice, cost=_ADVICE))
        return found

    def _pythons(self, symptom: Symptom) -> Iterator[Change]:
        """The Python that a wheel is for; where no release is told, those just below that the newest has wheels for."""
        texts = [str(symptom.python)] if symptom.python is not None else []
        about = self._about(self._was)
        if not texts and (about is None or symptom.package is not None):
            facts = self._database.releases.release(TENSORFLOW, self._newest_with(symptom.package))
            known = () if facts is None else pythons_of(facts, self._was.platform or Platform.LINUX_X86_64)
            said = self._was.python
            lower = self._lockable(each for each in reversed(known) if said is None or each < _short(said))
            texts = [str(each) for each in lower][:3]
        for text in texts:
            python = Version(text)
            if self._was.python is None or _short(self._was.python) != python:
                after = replace(self._was, python=python)
                command = lock_command(after) if about is not None else f"install TensorFlow with Python {text}"
                yield Change(values=(("python", text),), after=after, cost=_PYTHON, command=command)

    def _lockable(self, pythons: Iterable[Version]) -> list[Version]:
        """Those that `tfenv lock` has a base image for."""
        known = {_short(each) for each in self._database.images.pythons}
        return [each for each in pythons if each in known]

    def _newest_with(self, name: Name | None) -> Version:
        """The newest release of TensorFlow, or the newest that some release of a companion goes with."""
        releases = [each for each in self._database.releases.versions(TENSORFLOW) if not each.is_prerelease]
        if name is None:
            return releases[0]
        return next((each for each in releases if self._database.companions.made_for(name, each)), releases[0])

    def _became(self, symptom: Symptom) -> str | None:
        """How a name that is gone is written today."""
        symbol = symptom.symbol
        if symbol is None:
            return None
        became = symbols.load().api.became(symbol)
        if became is not None and became.now:
            return f"write `{became.now}`" + (f" (pip install {became.package})" if became.package else "")
        old = symbols.load().api.symbol(f"tf.compat.v1.{symbol.removeprefix('tf.')}")
        there = old is not None and (self._version is None or old.on(self._version))
        return f"write `{old.name}`" if old is not None and there else None

    def _from_wheels(self) -> Iterator[Fix]:
        """An environment that brings its CUDA libraries along, where wheels carry them all."""
        about = self._about(self._was)
        if about is None or about.build is None or not about.build.is_cuda or not about.platform.is_linux:
            return
        version = about.facts.version
        if offers_cuda_wheels(about) or self._database.wheels.of(version) is not None:
            after = replace(self._was, tf=str(version), accelerated=True)
            yield Fix(change=(), command=f"{lock_command(after)}   # brings CUDA and cuDNN along", cost=_CUDA)

    def _built_with(self, cuda: Version | None) -> Iterator[Change]:
        """Where no release is told: the oldest and the newest that are built with the CUDA that is there."""
        if cuda is None or self._version is not None:
            return
        found = []
        for stem in self._database.releases.minors:
            stable = [each for each in self._database.releases.versions_of(stem) if not each.is_prerelease]
            change = self._release(self._was, stable[0]) if stable else None
            about = None if change is None else self._about(change.after)
            if change is not None and about is not None and about.wheels and about.build is not None:
                built = about.build.cuda
                if built is not None and _short(built) == _short(cuda):
                    found.append(change)
        yield from found[:1] + found[1:][-1:]

    def _release_for(self, symptom: Symptom) -> Version | None:
        """The nearest release that has the missing symbol, else the one that the signature names."""
        symbol = symbols.load().api.symbol(symptom.symbol) if symptom.symbol is not None else None
        if symbol is not None:
            known = self._version
            if known is not None and symbol.on(known):
                # it has the name, and not yet as a module that can be imported
                return max((each for each in symbol.versions if each.major == known.major), default=symbol.last)
            older = [each for each in symbol.versions if known is None or each < known]
            return max(older, default=symbol.first)
        if symptom.tf is not None:
            named = versions(symptom.tf, self._database)
        else:
            named = self._companion_wants(symptom.package)
        return named[0] if named else None

    def _companion_wants(self, name: Name | None) -> tuple[Version, ...]:
        """The releases of TensorFlow that the installed release of a companion was made for."""
        version = None if name is None else self._was.version_of(name)
        if name is None or version is None:
            return ()
        asked = [one for one in self._database.companions.asks(name, version) if one.name == TENSORFLOW]
        return versions(str(asked[0].specifier), self._database) if asked else ()

    def _with_python(self, change: Change, version: Version) -> Change:
        """A release, and the nearest Python it has a wheel for, if the one there has none."""
        about = self._about(replace(change.after, tf=str(version)))
        python = change.after.python
        if about is None or python is None or about.wheels:
            return change
        nearest = min(pythons_of(about.facts, about.platform), key=lambda each: _distance(each, python), default=python)
        return replace(
            change,
            values=(*change.values, ("python", str(nearest))),
            after=replace(change.after, python=nearest),
        )

    # judging

    def _wrong(self, configuration: Configuration) -> frozenset[tuple[str, str]]:
        return frozenset((each.code, each.subject) for each in self._judge(configuration).problems)

    def _judge(self, configuration: Configuration) -> Verdict:
        if configuration not in self._judged:
            self._judged[configuration] = judge(configuration, self._database)
        return self._judged[configuration]

    def _repairs(self, change: Change, aim: tuple[str, str]) -> bool:
        """The problem goes (also one of its code with another subject), and no new one comes."""
        after = self._wrong(change.after)
        if aim[0] == "gpu-too-new" and self._compiles(change.after):
            return False
        codes = {code for code, _ in after}
        return (
            aim[0] not in codes - ({aim[0]} if self._same_code_elsewhere(aim) else set())
            and aim not in after
            and ({code for code, _ in after} <= {code for code, _ in self._before})
        )

    def _compiles(self, after: Configuration) -> bool:
        """Would the driver still have to compile PTX?"""
        return any(caution.code == "ptx-jit" for caution in self._judge(after).warnings)

    def _same_code_elsewhere(self, aim: tuple[str, str]) -> bool:
        return any(code == aim[0] and subject != aim[1] for code, subject in self._before)

    def _pairs(self, singles: Iterable[Change], aim: tuple[str, str]) -> list[Change]:
        """A first change that helps but leaves something new, and a second that repairs that."""
        found: list[Change] = []
        for first in singles:
            wrong = self._wrong(first.after)
            if aim in wrong or len(found) >= MOST:
                continue
            new = [each for each in self._judge(first.after).problems if (each.code, each.subject) not in self._before]
            for problem in new[:1]:
                for second in self._changes(first.after, problem, releases=False):
                    both = replace(
                        second,
                        values=(*first.values, *second.values),
                        cost=first.cost + second.cost,
                        command=" && ".join(filter(None, (first.command, second.command))),
                    )
                    if self._repairs(both, aim):
                        found.append(both)
                        break
        return found

    def _chosen(self, found: Iterable[Change]) -> list[Change]:
        """Cheapest first; of each kind a few: the nearest release on each side, the first driver, two of cuDNN."""
        kept: list[Change] = []
        kinds: Counter[tuple[str, ...]] = Counter()
        now = self._version
        for change in sorted(found, key=self._price):
            values = dict(change.values)
            kind: tuple[str, ...] = tuple(values)
            if "tf" in values and now is not None:
                kind = (*kind, "newer" if Version(values["tf"]) > now else "older")
            if kinds[kind] >= _ENOUGH.get(kind, 1):
                continue
            if not self._solvable(change):
                continue
            kinds[kind] += 1
            kept.append(change)
        return kept

    def _solvable(self, change: Change) -> bool:
        """Is another TensorFlow or Python known to have a lock, or not known to have none?"""
        if change.after.tf is None or not {key for key, _ in change.values} & {"tf", "python"}:
            return True
        solved = self._solves(change.after)
        if solved:
            self._solved.add(change.after)
        return solved is not False

    def _price(self, change: Change) -> int:
        """A release that the GPU has no machine code in is not what one would take first."""
        return change.cost + 2 * ("tf" in dict(change.values) and self._compiles(change.after))

    # candidates

    @cached_property
    def _version(self) -> Version | None:
        """The release that the configuration is about."""
        if self._was.tf is None:
            return next((v for name in DISTRIBUTIONS if (v := self._was.version_of(name)) is not None), None)
        found = versions(self._was.tf, self._database)
        try:
            return found[0] if found else Version(self._was.tf)
        except ValueError:
            return None

    def _about(self, configuration: Configuration) -> Subject | None:
        known = versions(configuration.tf, self._database) if configuration.tf is not None else ()
        version = self._version if configuration.tf in (None, self._was.tf) else known[0] if known else None
        if version is None:
            return None
        return choose(
            version,
            configuration.platform or Platform.LINUX_X86_64,
            configuration,
            self._database,
            accelerated=bool(configuration.accelerated),
        )

    def _changes(self, now: Configuration, problem: Problem, *, releases: bool = True) -> Iterator[Change]:
        about = self._about(now)
        code = problem.code
        if code in ("package-incompatible", "keras-mismatch", "companion-mismatch"):
            yield from self._packages(now, about, Name(problem.subject))
        if problem.subject == "pip":
            yield self._pin(Name("pip"), SpecifierSet(">=20.3"), now)
        if about is not None and code in ("python-no-wheel", "platform-no-wheel", "package-incompatible"):
            newest_first = self._lockable(reversed(pythons_of(about.facts, about.platform)))
            for python in sorted(newest_first, key=lambda each: _distance(each, now.python or each)):
                values = (("python", str(python)),)
                yield Change(values=values, after=replace(now, python=python), cost=_PYTHON)
        if code == "platform-no-gpu":
            yield from self._places(now)
        if code.startswith("cudnn") or code in ("loader-path", "cuda-mismatch"):
            yield from self._libraries(now, about)
        if code.startswith("driver"):
            yield from self._drivers(now, problem)
        if code == "glibc-too-old":
            image = self._database.images.all[0]
            yield Change(
                values=(("glibc", str(image.glibc)),),
                after=replace(now, glibc=image.glibc),
                cost=_IMAGE,
                command="tfenv build   # the image brings its own glibc",
            )
        if releases:
            yield from self._releases(now)

    def _packages(self, now: Configuration, about: Subject | None, name: Name) -> Iterator[Change]:
        if about is None:
            return
        patches = self._database.patches.of(about.facts.name, about.facts.version, about.platform)
        asked = [one for patch in patches for one in patch.add] + list(requirements(about, self._database))
        specifier = SpecifierSet()
        for one in asked:
            if one.name == name:
                specifier &= one.specifier
        if str(specifier):
            yield self._pin(name, specifier, now)
            return
        if (made_for := self._database.companions.made_for(name, about.facts.version)) is not None:
            yield self._pin(name, made_for, now)

    def _wanted(self, name: Name, symptom: Symptom) -> SpecifierSet | None:
        """What TensorFlow's own metadata wants where that is known and says something, else what the signature does."""
        about = self._about(self._was)
        own = symptom.wanted
        if symptom.same_minor and self._version is not None:
            own = SpecifierSet(f"=={self._version.major}.{self._version.minor}.*")
        if about is not None and (own is None or any(one.name == name for one in requirements(about, self._database))):
            for change in self._packages(self._was, about, name):
                wanted = change.after.package(name)
                if wanted is not None and (own is None or compatible(wanted, own)):
                    return wanted
        return own

    def _pin(self, name: Name, specifier: SpecifierSet, now: Configuration | None = None) -> Change:
        now = now or self._was
        version = self._newest(name, specifier)
        wanted = SpecifierSet(f"=={version}") if version is not None else specifier
        packages = tuple((each, given) for each, given in now.packages if each != name)
        text = str(version) if version is not None else _ordered(specifier)
        install = shlex.quote(f"{name}{_ordered(wanted)}")
        return Change(
            values=((f"packages.{name}", text or ">=0"),),
            after=replace(now, packages=(*packages, (name, wanted))),
            cost=_PACKAGE,
            command=f"pip install {install}",
        )

    def _libraries(self, now: Configuration, about: Subject | None) -> Iterator[Change]:
        """The cuDNN and the CUDA that the build was made with, or a cuDNN of its major that has code for the GPUs."""
        build = about.build if about is not None else None
        if build is None or build.cuda is None:
            return
        cuda = Version(f"{build.cuda.major}.{build.cuda.minor}") if len(build.cuda.release) > 1 else build.cuda
        floor = build.cudnn_floor or build.cudnn
        cudnns = [] if floor is None else [floor, *self._cudnns(floor, cuda)]
        for cudnn in dict.fromkeys(_short(each) for each in cudnns):
            yield Change(
                values=(("cudnn", str(cudnn)),),
                after=replace(_without_cudnn(now), cudnn=cudnn),
                cost=_CUDNN,
                command=_install_cudnn(cudnn, cuda, self._database),
            )
        yield Change(
            values=(("cuda", str(cuda)),), after=replace(now, cuda=cuda), cost=_CUDA, command=f"install CUDA {cuda}"
        )
        for cudnn in dict.fromkeys(_short(each) for each in cudnns):
            yield Change(
                values=(("cuda", str(cuda)), ("cudnn", str(cudnn))),
                after=replace(_without_cudnn(now), cuda=cuda, cudnn=cudnn),
                cost=_CUDA + 1,
                command=f"install CUDA {cuda} and cuDNN {cudnn}",
            )

    def _cudnns(self, floor: Version, cuda: Version) -> Iterator[Version]:
        """Releases of the same major, newest first."""
        for row in reversed(self._database.cudnn.all):
            if row.cuda_major == cuda.major:
                yield from (each for each in reversed(row.releases) if each.major == floor.major and each >= floor)

    def _drivers(self, now: Configuration, problem: Problem) -> Iterator[Change]:
        """The lowest driver that any toolkit or GPU names and that repairs this."""
        windows = now.platform in (Platform.WINDOWS_X86_64, Platform.WSL)
        known = {
            driver
            for one in self._database.cuda.all
            for driver in (
                (one.driver_windows, one.compat_windows) if windows else (one.driver_linux, one.compat_linux)
            )
            if driver is not None
        }
        if problem.code == "driver-too-new":
            branches = {row.last_driver_branch for row in self._database.gpus.all if row.last_driver_branch is not None}
            for branch in sorted(branches, reverse=True):
                driver = Version(str(branch))
                yield self._driver(now, driver, f"install a driver of branch {branch}")
            return
        for driver in sorted(known):
            if now.driver is None or driver > now.driver:
                yield self._driver(now, driver, f"upgrade the NVIDIA driver to ≥ {driver_text(driver)}")

    def _driver(self, now: Configuration, driver: Version, command: str) -> Change:
        values = (("driver", driver_text(driver)),)
        return Change(values=values, after=replace(now, driver=driver), cost=_DRIVER, command=command)

    def _places(self, now: Configuration) -> Iterator[Change]:
        """Another distribution of the same release, or WSL in place of Windows."""
        for name in DISTRIBUTIONS:
            packages = tuple(row for row in now.packages if row[0] not in DISTRIBUTIONS)
            version = self._version
            if version is not None and self._database.releases.release(name, version) is not None:
                named = (*packages, (name, SpecifierSet(f"=={version}")))
                yield Change(
                    values=((f"packages.{name}", str(version)),),
                    after=replace(now, packages=named),
                    cost=_PACKAGE,
                    command=f"pip uninstall tensorflow tensorflow-cpu && pip install {name}=={version}",
                )
        if now.platform is Platform.WINDOWS_X86_64:
            values = (("os", "wsl"),)
            yield Change(
                values=values,
                after=replace(now, platform=Platform.WSL),
                cost=_SYSTEM,
                command="wsl --install   # then the same in WSL",
            )
        if now.accelerated and not now.gpus:
            return

    def _releases(self, now: Configuration) -> Iterator[Change]:
        """Every patch of the minor, and the newest of every other minor; nearest first."""
        mine = self._version
        stems = [Version(stem) for stem in self._database.releases.minors]
        if mine is None:
            return
        place = {stem.release[:2]: number for number, stem in enumerate(stems)}
        here = place.get(mine.release[:2], len(stems) if mine > stems[-1] else 0)
        for number, stem in sorted(enumerate(stems), key=lambda pair: (abs(pair[0] - here), -pair[0])):
            stable = [v for v in self._database.releases.versions_of(str(stem)) if not v.is_prerelease]
            same = number == here and stem.release[:2] == mine.release[:2]
            for version in (each for each in stable if each != mine) if same else stable[:1]:
                cost = _PATCH if same else _RELEASE + (abs(number - here) - 1) // 4
                yield replace(self._release(now, version), cost=cost)

    def _release(self, now: Configuration, version: Version) -> Change:
        """Another TensorFlow; it brings its own packages along, so what only TensorFlow pins is no longer bound."""
        packages = tuple(
            (name, SpecifierSet(f"=={version}") if name in DISTRIBUTIONS else given) for name, given in now.packages
        )
        after = replace(now, tf=str(version), packages=packages)
        return Change(values=(("tf", str(version)),), after=after, cost=_RELEASE)

    # words

    def _fix(self, change: Change) -> Fix:
        solved = change.after in self._solved
        return Fix(change=change.values, command=self._command(change), cost=self._price(change), solved=solved)

    def _command(self, change: Change) -> str:
        keys = {key for key, _ in change.values}
        if not keys & {"tf", "python"}:
            return change.command
        return " && ".join(filter(None, (lock_command(change.after), change.command)))


def lock_command(configuration: Configuration) -> str:
    """`tfenv lock` for what a configuration says of the machine."""
    words = ["tfenv", "lock"]
    words += ["--tf", configuration.tf] if configuration.tf else []
    gpus = configuration.gpus or ((str(configuration.capability),) if configuration.capability else ())
    for gpu in gpus or (("cuda",) if configuration.accelerated else ()):
        words += ["--gpu", gpu.lower() if " " not in gpu else gpu]
    if configuration.driver is not None:
        words += ["--driver", driver_text(configuration.driver)]
    if configuration.python is not None:
        words += ["--python", f"{configuration.python.major}.{configuration.python.minor}"]
    if configuration.platform not in (None, Platform.LINUX_X86_64):
        words += ["--platform", str(configuration.platform)]
    if configuration.glibc is not None:
        words += ["--glibc", str(configuration.glibc)]
    if configuration.keras is not None:
        words += ["--keras", str(configuration.keras)]
    return shlex.join(words)


def _of_foreign(said: str) -> str:
    """Where to go from a platform that has no wheels."""
    if re.search("alpine|musl", said, re.IGNORECASE):
        return "take an image with glibc, such as `python:3.12-slim` (Debian) or the one that `tfenv build` makes"
    if re.search("raspb|arm", said, re.IGNORECASE):
        return "install a 64 bit system (aarch64); for 32 bit Arm there are only wheels of others, and tflite-runtime"
    return "take a 64 bit Python on 64 bit Linux with glibc, Windows or macOS"


def _distance(one: Version, other: Version) -> int:
    return abs(one.minor - other.minor) if one.major == other.major else 100


def _short(version: Version) -> Version:
    return Version(".".join(map(str, version.release[:2])))


def _without_cudnn(now: Configuration) -> Configuration:
    return replace(now, packages=tuple(row for row in now.packages if not row[0].startswith("nvidia-cudnn")))


def _install_cudnn(cudnn: Version, cuda: Version, database: Database) -> str:
    """From a wheel, if that release was published as one."""
    row = database.cudnn.row(cudnn, cuda.major)
    if row is None or row.wheel is None or all(_short(each) != cudnn for each in row.releases):
        return f"install cuDNN {cudnn} for CUDA {cuda}"
    return f'pip install "{row.wheel}=={cudnn}.*"'


def _ordered(specifier: SpecifierSet) -> str:
    """Lower bound first, as people write it."""
    return ",".join(sorted(map(str, specifier), key=lambda text: (not text.startswith(">"), text)))
