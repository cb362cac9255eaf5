"""What a line of a log knows about its own repair, where the rules know too little."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.fixes import Fixes
from tfenv.check.log import SAYS
from tfenv.check.question import named
from tfenv.check.ranges import compatible
from tfenv.check.repairs import MOST
from tfenv.check.steps import Alteration, distance, pythons_near, release
from tfenv.check.verdict import best
from tfenv.model.hardware import driver_text
from tfenv.model.package import TENSORFLOW, Name
from tfenv.model.report import Fix
from tfenv.model.target import Accelerator, Platform
from tfenv.resolver.commands import (
    CUDA,
    CUDNN,
    DRIVER,
    PACKAGE,
    PYTHON,
    RELEASE,
    install_command,
    lock_command,
    ordered,
)
from tfenv.symbols import database as symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfenv.check.knowledge import Knowledge
    from tfenv.check.question import Question
    from tfenv.model.evidence import Symptom
    from tfenv.model.report import Verdict
    from tfenv.model.target import Target

_ADVICE = 2
"""Cost of what a line advises."""


def with_remedies(verdict: Verdict, question: Question, symptoms: Sequence[Symptom], knowledge: Knowledge) -> Verdict:
    """The verdict with what the lines of a log know of their repair, beside the fixes of the rules.

    Args:
        verdict: with fixes.
        question: what was asked, with what the log says of the machine.
        symptoms: what the log shows.
        knowledge: facts and releases.
    """
    seen = {symptom.cause: symptom for symptom in symptoms}
    remedies = _Remedies(question, knowledge)
    problems = []
    for problem in verdict.problems:
        fixes = problem.fixes
        if (symptom := seen.get(problem.because[0])) is not None:
            if symptom.driver is not None:  # the log names the floor; what the rules know is lower
                fixes = tuple(fix for fix in fixes if "driver" not in dict(fix.change))
            alone = problem.because[1:] and problem.because[1].startswith(SAYS)
            if (alone and not symptom.installing) or question.target.foreign is not None:
                # another Python is a guess of the rules, which cannot see the problem
                fixes = tuple(fix for fix in fixes if {key for key, _ in fix.change} != {"python"})
            own = tuple(remedies.of(symptom))
            if symptom.code == "platform-no-gpu" and fixes and not alone:
                own = ()  # the rules know the machine, of which the line knows nothing
            unique: dict[object, Fix] = {}
            for fix in (*own, *fixes) if alone else (*fixes, *own):
                if not remedies.is_so(fix):
                    unique.setdefault(fix.change or fix.command, fix)
            # advice is not checked, so it follows the changes of the same cost
            ranked = sorted(unique.values(), key=lambda fix: (fix.cost, fix.command == symptom.advice))
            fixes = tuple(ranked[:MOST])
        problems.append(replace(problem, fixes=fixes))
    return replace(verdict, problems=tuple(problems))


class _Remedies:
    def __init__(self, question: Question, knowledge: Knowledge) -> None:
        self._question = replace(question, releases=question.releases[:1])
        self._knowledge = knowledge
        self._fixes = Fixes(question, knowledge)

    @property
    def _version(self) -> Version | None:
        if self._question.releases:
            return self._question.releases[0]
        try:
            return Version(self._question.said or "")
        except ValueError:
            return None

    def is_so(self, fix: Fix) -> bool:
        """Does it only name what is installed already?"""
        return bool(fix.change) and all(self._has(key, value) for key, value in fix.change)

    def _has(self, key: str, value: str) -> bool:
        fixed = self._question.of(key.removeprefix("packages."))
        return key.startswith("packages.") and fixed is not None and str(fixed.version) == value.removeprefix("==")

    def of(self, symptom: Symptom) -> Iterator[Fix]:
        """What the line itself tells."""
        if symptom.installing and self._question.target.foreign is not None:
            return  # no Python and no release has a file there
        if symptom.package is not None and (wanted := self._wanted(symptom.package, symptom)) is not None:
            yield self._pin(symptom.package, wanted)
        if (version := self._release_for(symptom)) is not None and str(version) != self._question.said:
            yield replace(self._fixes.fix(self._with_python(version)), cost=RELEASE)
        if symptom.cudnn is not None:
            values = (("cudnn", str(symptom.cudnn)),)
            yield Fix(change=values, command=f"install cuDNN {symptom.cudnn}", cost=CUDNN)
        if symptom.cuda is not None:
            values = (("cuda", str(symptom.cuda)),)
            yield Fix(change=values, command=f"install CUDA {symptom.cuda}", cost=CUDNN)
        if symptom.driver is not None:
            text = driver_text(symptom.driver)
            yield Fix(change=(("driver", text),), command=f"upgrade the NVIDIA driver to ≥ {text}", cost=DRIVER)
        if symptom.installing and symptom.package is not None:
            yield from self._file_of(symptom.package)
        elif symptom.installing:
            yield from self._pythons(symptom)
        if (now := self._became(symptom)) is not None:
            yield Fix(change=(), command=now, cost=PACKAGE)
        if symptom.code in ("cuda-mismatch", "cudnn-mismatch", "cudnn-too-old"):
            yield from self._from_wheels()
        if symptom.code == "cuda-mismatch":
            yield from self._built_with()
        if symptom.advice is not None and not self._is_vain(symptom):
            yield Fix(change=(), command=symptom.advice, cost=_ADVICE)

    def _is_vain(self, symptom: Symptom) -> bool:
        """Whether it advises another release of a companion of which none goes with the TensorFlow that is there."""
        name = symptom.package
        if name is None or self._version is None or symptom.code != "companion-mismatch":
            return False
        return bool(self._companion_wants(name)) and self._made_for(name, self._version) is None

    # packages

    def _pin(self, name: Name, specifier: SpecifierSet) -> Fix:
        version = self._fixes.version_of(self._question, name, specifier)
        wanted = SpecifierSet(f"=={version}") if version is not None else specifier
        text = str(version) if version is not None else ordered(specifier)
        command = install_command(self._question.installer, [(name, wanted)])
        return Fix(change=((f"packages.{name}", text or ">=0"),), command=command, cost=PACKAGE)

    def _wanted(self, name: Name, symptom: Symptom) -> SpecifierSet | None:
        """What TensorFlow's own metadata wants where it says something, else what the signature does."""
        own = symptom.wanted
        if symptom.same_minor and self._version is not None:
            own = SpecifierSet(f"=={self._version.major}.{self._version.minor}.*")
        if not self._question.releases:
            return own
        edges = best(self._question, self._question.releases[0], self._knowledge)
        asked = [requirement for _, requirement in edges.asked if requirement.name == name]
        if own is not None and not asked:
            return own
        specifier = SpecifierSet()
        for requirement in asked:
            specifier &= requirement.specifier
        if str(specifier):
            return specifier & own if own is not None and compatible(specifier, own) else own or specifier
        made_for = self._made_for(name, self._question.releases[0])
        if made_for is not None and (own is None or compatible(made_for, own)):
            return made_for
        return own

    def _made_for(self, name: Name, version: Version) -> SpecifierSet | None:
        """The newest release of a companion that goes with a release of TensorFlow."""
        for row in self._knowledge.source.releases(name):
            asked = self._of_tensorflow(name, row.version)
            if asked is not None and asked.contains(version, prereleases=True):
                return SpecifierSet(f"=={row.version}")
        return self._knowledge.database.companions.made_for(name, version)

    def _of_tensorflow(self, name: Name, version: Version) -> SpecifierSet | None:
        """What a release of a companion requires of TensorFlow; ``None`` if nothing."""
        table = self._knowledge.database.distributions
        found = [one for one in self._knowledge.database.companions.requires(name, version) if table.of(one.name)]
        found += [one for one in self._knowledge.declared(name, version) if table.of(one.name) and str(one.specifier)]
        return found[0].specifier if found else None

    # releases and Pythons

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
            found = named(symptom.tf, self._knowledge.database)
        else:
            found = self._companion_wants(symptom.package)
        found = tuple(each for each in found if not each.is_prerelease) or found
        if not found:
            return None
        if self._version is not None and found[-1] > self._version:  # the nearest minor, not the newest
            return next(each for each in found if each.release[:2] == found[-1].release[:2])
        return found[0]

    def _companion_wants(self, name: Name | None) -> tuple[Version, ...]:
        """The releases of TensorFlow that the installed release of a companion was made for."""
        fixed = None if name is None else self._question.of(name)
        if name is None or fixed is None or fixed.version is None:
            return ()
        asked = self._of_tensorflow(name, fixed.version)
        return () if asked is None else named(str(asked), self._knowledge.database)

    def _with_python(self, version: Version) -> Alteration:
        """A release, and the nearest Python it has a wheel for, if the one there has none."""
        step = release(self._question, version, RELEASE)
        python = self._question.target.python
        if python is None:
            return step
        near = pythons_near(step.after, self._knowledge)
        if not near or any(each.release[:2] == python.release[:2] for each in near):
            return step
        values = (*step.values, ("python", str(near[0])))
        return replace(step, values=values, after=step.after.on(python=near[0]))

    def _pythons(self, symptom: Symptom) -> Iterator[Fix]:
        """The Python that a wheel is for; without a release, those just below that the newest has wheels for."""
        question, pythons = self._question, [symptom.python] if symptom.python is not None else []
        now = question.target.python
        if not pythons and (not question.releases or symptom.package is not None):
            newest = self._newest_with(symptom.package)
            near = pythons_near(replace(question.on(python=None), releases=(newest,)), self._knowledge)
            pythons = [each for each in near if now is None or each < Version(f"{now.major}.{now.minor}")][:3]
        for python in pythons:
            text = str(python)
            if now is None or now.release[:2] != python.release[:2]:
                step = Alteration(values=(("python", text),), after=question.on(python=python), cost=PYTHON)
                if question.releases:
                    yield self._fixes.fix(step)
                else:
                    yield Fix(
                        change=step.values, command=f"python{text} -m venv .venv   # and install there", cost=PYTHON
                    )

    def _file_of(self, name: Name) -> Iterator[Fix]:
        """A release of a package that has a wheel here, with the nearest Python that it is for."""
        now = self._question.target.python
        for version in self._candidates(name):
            for target in self._places():
                pythons = self._knowledge.pythons(name, version, target)
                if not pythons:
                    continue
                python = self._python_among(pythons)
                change = ((f"packages.{name}", str(version)), ("python", str(python)))
                if now is not None and python.release[:2] == now.release[:2]:
                    yield self._pin(name, SpecifierSet(f"=={version}"))
                else:
                    yield Fix(change=change, command=f"python{python} -m pip install {name}=={version}", cost=PACKAGE)
                break

    def _python_among(self, pythons: Sequence[Version]) -> Version:
        """The nearest to the one in use, else the newest that TensorFlow has a wheel for."""
        now = self._question.target.python
        if now is not None:
            return min(pythons, key=lambda each: distance(each, now))
        newest = replace(self._question, releases=self._question.releases or (self._newest_with(None),))
        return next((each for each in pythons_near(newest, self._knowledge) if each in pythons), pythons[0])

    def _candidates(self, name: Name) -> list[Version]:
        """The release that is pinned, the newest that goes with TensorFlow, else the newest."""
        fixed = self._question.of(name)
        found = [] if fixed is None or fixed.version is None else [fixed.version]
        known = [row.version for row in self._knowledge.source.releases(name)]
        releases = [version for version in known if not version.is_prerelease] or known
        wanted = self._made_for(name, self._version) if self._version is not None else None
        found += [each for each in releases if wanted is None or wanted.contains(each, prereleases=True)][:1]
        return list(dict.fromkeys(found))

    def _places(self) -> Iterator[Target]:
        """The machine, and other platforms where none was named."""
        target = self._question.target
        yield target
        if any(caution.message.startswith("the platform is") for caution in self._question.cautions):
            for platform in Platform:
                yield replace(target, platform=platform)

    def _newest_with(self, name: Name | None) -> Version:
        """The newest release of TensorFlow, or the newest that some release of a companion goes with."""
        releases = [each for each in self._knowledge.database.releases.versions(TENSORFLOW) if not each.is_prerelease]
        if name is None:
            return releases[0]
        return next((each for each in releases if self._made_for(name, each) is not None), releases[0])

    def _became(self, symptom: Symptom) -> str | None:
        """How a name that is gone is written today."""
        symbol = symptom.symbol
        if symbol is None:
            return None
        became = symbols.load().api.became(symbol)
        if became is not None and became.now:
            return f"write `{became.now}`" + (f" (pip install {became.package})" if became.package else "")
        if not symbol.startswith("tf."):
            return None
        old = symbols.load().api.symbol(f"tf.compat.v1.{symbol.removeprefix('tf.')}")
        there = old is not None and (self._version is None or old.on(self._version))
        return f"write `{old.name}`" if old is not None and there else None

    # the CUDA stack

    def _from_wheels(self) -> Iterator[Fix]:
        """An environment that brings its CUDA libraries along, where wheels carry them all."""
        question = self._question
        if not question.releases or not question.target.platform.is_linux:
            return
        version = question.releases[0]
        wanting = replace(question.on(accelerator=Accelerator.CUDA), accelerated=True)
        build = self._knowledge.overlay(wanting.target).build(self._knowledge.distribution(wanting, version), version)
        if build is None or not build.is_cuda:
            return
        if best(wanting, version, self._knowledge).bundled or self._knowledge.database.wheels.of(version) is not None:
            goal = replace(wanting.goal, tensorflow=SpecifierSet(f"=={version}"))
            yield Fix(change=(), command=f"{lock_command(goal)}   # brings CUDA and cuDNN along", cost=CUDA)

    def _built_with(self) -> Iterator[Fix]:
        """Where no release is known: the oldest and the newest that are built with the CUDA that is there."""
        fixed = self._question.of("system-cuda")
        if fixed is None or self._version is not None:
            return
        found = []
        table = self._knowledge.database.releases
        for stem in table.minors:
            stable = [each for each in table.versions_of(stem) if not each.is_prerelease]
            if not stable:
                continue
            step = release(self._question, stable[0], RELEASE)
            name = self._knowledge.distribution(step.after, stable[0])
            build = self._knowledge.overlay(step.after.target).build(name, stable[0])
            if build is not None and build.cuda is not None and fixed.specifier.contains(build.cuda):
                found.append(step)
        for step in found[:1] + found[1:][-1:]:
            yield self._fixes.fix(step)
