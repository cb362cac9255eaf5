"""Single changes of a question that may mend it, each with what it costs. What they mend is found out by the judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.question import Fixed
from tfenv.model.goal import OLDEST_PYTHON
from tfenv.model.hardware import driver_text
from tfenv.model.package import TENSORFLOW
from tfenv.model.target import Accelerator, Platform
from tfenv.overlay.overlay import CPU, GPU
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN
from tfenv.resolver.commands import CPU as ON_THE_CPU
from tfenv.resolver.commands import CUDA, CUDNN, DRIVER, IMAGE, PACKAGE, PATCH, PYTHON, RELEASE, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tfenv.check.knowledge import Knowledge
    from tfenv.check.question import Question
    from tfenv.facts.database import Database
    from tfenv.model.builds import Build

_DISTRIBUTIONS = (TENSORFLOW, GPU, CPU)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alteration:
    """One or several changes.

    Attributes:
        values: keys of the configuration and their new values, as `Fix.change` has them.
        after: the question with them.
        cost: lower is cheaper.
        does: command for what `tfenv lock` does not do.
        kinds: what changes: `tf`, `python`, `libraries`, `driver`, `place`, `gpu`.
    """

    values: tuple[tuple[str, str], ...] = ()
    after: Question
    cost: int = 0
    does: str = ""
    kinds: frozenset[str] = frozenset()

    def then(self, second: Alteration) -> Alteration:
        """Both, where the second starts from the first."""
        return Alteration(
            values=(*self.values, *second.values),
            after=second.after,
            cost=self.cost + second.cost,
            does=" && ".join(filter(None, (self.does, second.does))),
            kinds=self.kinds | second.kinds,
        )


def steps(question: Question, codes: Collection[str], knowledge: Knowledge) -> Iterator[Alteration]:
    """What may mend problems with these codes, cheapest first within a kind.

    Args:
        question: about one release of TensorFlow.
        codes: codes of what is wrong.
        knowledge: facts and releases.
    """
    if any(code.startswith("driver") for code in codes):
        yield from _drivers(question, codes, knowledge.database)
    if "package-broken" in codes:
        yield from _owners(question, knowledge)
    if not question.releases:
        return
    files = {"python-no-wheel", "platform-no-wheel", "package-incompatible", "keras-mismatch", "companion-mismatch"}
    if files & set(codes):
        yield from _pythons(question, knowledge)
        yield from _parts(question, knowledge.database)
    if "platform-no-gpu" in codes or "tf-unknown" in codes:
        yield from _other_distributions(question, knowledge)
    if {"platform-no-gpu", "platform-no-wheel"} & set(codes):
        yield from _wsl(question)
    if any(code.startswith(("cuda", "cudnn")) for code in codes):
        yield from _libraries(question, knowledge)
    if "glibc-too-old" in codes:
        image = knowledge.database.images.all[0]
        after = question.on(glibc=image.glibc)
        does = "tfenv build   # the image brings its own, newer glibc and libstdc++"
        yield Alteration(values=(("glibc", str(image.glibc)),), after=after, cost=IMAGE, does=does, kinds=_of("place"))
    yield from _releases(question, knowledge)


def release(question: Question, version: Version, cost: int) -> Alteration:
    """Another TensorFlow."""
    after = replace(question, said=str(version), releases=(version,))
    return Alteration(values=(("tf", str(version)),), after=after, cost=cost, kinds=_of("tf"))


def pythons_near(question: Question, knowledge: Knowledge) -> list[Version]:
    """Pythons that the release has a wheel for and `tfenv lock` an image, nearest first, then newest."""
    version = question.releases[0]
    known = {each.release[:2] for each in knowledge.database.images.pythons if each >= OLDEST_PYTHON}
    name = knowledge.distribution(question, version)
    here = [each for each in knowledge.pythons(name, version, question.target) if each.release[:2] in known]
    now = question.target.python
    return sorted(here, key=lambda each: 0 if now is None else distance(each, now))


def distance(one: Version, other: Version) -> int:
    """How many minors lie between two Pythons."""
    return abs(one.minor - other.minor) if one.major == other.major else 100


def _pythons(question: Question, knowledge: Knowledge) -> Iterator[Alteration]:
    now = question.target.python
    for python in pythons_near(question, knowledge):
        if now is None or python.release[:2] != now.release[:2]:
            values = (("python", str(python)),)
            yield Alteration(values=values, after=question.on(python=python), cost=PYTHON, kinds=_of("python"))


def _parts(question: Question, database: Database) -> Iterator[Alteration]:
    """Without a distribution that TensorFlow itself requires where it is needed (`tensorflow-intel`)."""
    for one in question.fixed:
        row = database.distributions.of(one.name)
        if row is not None and one.name not in _DISTRIBUTIONS and one.name != question.distribution:
            yield Alteration(
                values=((f"packages.{one.name}", "none"),),
                after=question.without(one.name),
                cost=PACKAGE,
                does=f"{question.installer} uninstall {one.name}",
                kinds=_of("owners"),
            )


def _other_distributions(question: Question, knowledge: Knowledge) -> Iterator[Alteration]:
    """Another distribution of the same release."""
    version = question.releases[0]
    for name in _DISTRIBUTIONS:
        if name != question.distribution and knowledge.source.release(name, version) is not None:
            after = replace(question, distribution=name)
            old = question.distribution or "tensorflow"
            does = f"{question.installer} uninstall {old} && {question.installer} install {name}=={version}"
            values = ((f"packages.{name}", str(version)),)
            yield Alteration(values=values, after=after, cost=PACKAGE, does=does, kinds=_of("place"))


def _wsl(question: Question) -> Iterator[Alteration]:
    if question.target.platform is Platform.WINDOWS_X86_64:
        does = "wsl --install   # then the same in WSL"
        after = question.on(platform=Platform.WSL)
        yield Alteration(values=(("os", "wsl"),), after=after, cost=SYSTEM, does=does, kinds=_of("place"))


def _libraries(question: Question, knowledge: Knowledge) -> Iterator[Alteration]:
    """A cuDNN, a CUDA, or both, that the build was made for; or those that wheels bring along."""
    version = question.releases[0]
    name = knowledge.distribution(question, version)
    build = knowledge.overlay(question.target).build(name, version)
    if build is None or build.cuda is None:
        return
    fixed = question.of(SYSTEM_CUDNN)
    now = None if fixed is None else fixed.version
    cuda, cudnns = _short(build.cuda), _cudnns(build, now, knowledge.database)
    own = question.without(SYSTEM_CUDNN, *_wheels_of(question, SYSTEM_CUDNN))
    for cudnn in cudnns:
        fixed = Fixed(name=SYSTEM_CUDNN, specifier=SpecifierSet(f"=={cudnn}"))
        does = _install_cudnn(question, cudnn, cuda, knowledge.database)
        values = (("cudnn", str(cudnn)),)
        yield Alteration(values=values, after=own.fixing(fixed), cost=CUDNN, does=does, kinds=_of("libraries"))
    toolkit = Fixed(name=SYSTEM_CUDA, specifier=SpecifierSet(f"=={cuda}.*"))
    values = (("cuda", str(cuda)),)
    if question.of(SYSTEM_CUDA) is not None or question.of(SYSTEM_CUDNN) is None:
        after = question.without(SYSTEM_CUDA).fixing(toolkit)
        yield Alteration(values=values, after=after, cost=CUDA, does=f"install CUDA {cuda}", kinds=_of("libraries"))
    for cudnn in cudnns:
        fixed = Fixed(name=SYSTEM_CUDNN, specifier=SpecifierSet(f"=={cudnn}"))
        does = f"install CUDA {cuda} and cuDNN {cudnn}"
        both = (*values, ("cudnn", str(cudnn)))
        after = own.without(SYSTEM_CUDA).fixing(toolkit, fixed)
        yield Alteration(values=both, after=after, cost=CUDA + 1, does=does, kinds=_of("libraries"))


def _cudnns(build: Build, now: Version | None, database: Database) -> list[Version]:
    """Releases of the major that a build was made with, at least as new: nearest to the one that is there.

    The one that the build was made with comes first where another major is there, or none.
    """
    floor = build.cudnn_floor or build.cudnn
    if floor is None or build.cuda is None:
        return []
    major = build.cuda.major
    known = [each for row in database.cudnn.all if row.cuda_major == major for each in row.releases]
    fitting = [each for each in known if each.major == floor.major and each >= floor]
    if now is not None and now > floor and now.major == floor.major:  # the nearest release below comes first
        below, above = [each for each in fitting if each < now], [each for each in fitting if each >= now]
        return list(dict.fromkeys(map(_short, (*sorted(below, reverse=True), *sorted(above)))))
    return list(dict.fromkeys(map(_short, (floor, *sorted(fitting, reverse=True)))))


def _wheels_of(question: Question, name: str) -> tuple[str, ...]:
    """The wheel that brought a library, if one did."""
    fixed = question.of(name)
    return (fixed.by,) if fixed is not None and fixed.by else ()


def _install_cudnn(question: Question, cudnn: Version, cuda: Version, database: Database) -> str:
    """From a wheel, if that release was published as one."""
    row = database.cudnn.row(cudnn, cuda.major)
    if row is None or row.wheel is None or all(_short(each) != cudnn for each in row.releases):
        return f"install cuDNN {cudnn} for CUDA {cuda}"
    return f'{question.installer} install "{row.wheel}=={cudnn}.*"'


def _owners(question: Question, knowledge: Knowledge) -> Iterator[Alteration]:
    """Of distributions that write the same files only one stays, installed again."""
    names = {one.name for one in question.fixed} | ({question.distribution} if question.distribution else set())
    for found, _ in knowledge.database.distributions.overwriting(names):
        for kept in found:
            if kept != question.distribution and question.distribution in found:
                continue
            others = [name for name in found if name != kept]
            rest = tuple(problem for problem in question.problems if problem.subject not in found)
            does = (
                f"{question.installer} uninstall {' '.join(found)} && {question.installer} install "
                f"{kept}{_pinned(question, kept)}"
            )
            yield Alteration(
                values=tuple((f"packages.{name}", "none") for name in others),
                after=replace(question.without(*others), problems=rest),
                cost=PACKAGE,
                does=does,
                kinds=_of("owners"),
            )


def _pinned(question: Question, name: str) -> str:
    fixed = question.of(name)
    if fixed is not None:
        return str(fixed.specifier)
    return f"=={question.releases[0]}" if question.releases and name == question.distribution else ""


def _drivers(question: Question, codes: Collection[str], database: Database) -> Iterator[Alteration]:
    """The lowest driver that any toolkit names, or a branch that still serves the GPU."""
    target = question.target
    windows = target.platform in (Platform.WINDOWS_X86_64, Platform.WSL)
    known = {
        driver
        for one in database.cuda.all
        for driver in ((one.driver_windows, one.compat_windows) if windows else (one.driver_linux, one.compat_linux))
        if driver is not None
    }
    if "driver-too-new" in codes:
        branches = {row.last_driver_branch for row in database.gpus.all if row.last_driver_branch is not None}
        for branch in sorted(branches, reverse=True):
            after = question.on(driver=Version(f"{branch}.9999"))
            does = f"install a driver of branch {branch}"
            yield Alteration(
                values=(("driver", str(branch)),), after=after, cost=DRIVER, does=does, kinds=_of("driver")
            )
        return
    for driver in sorted(known):
        if target.driver is None or driver > target.driver:
            text = driver_text(driver)
            does = f"upgrade the NVIDIA driver to ≥ {text}"
            after = question.on(driver=driver)
            yield Alteration(values=(("driver", text),), after=after, cost=DRIVER, does=does, kinds=_of("driver"))


def _releases(question: Question, knowledge: Knowledge) -> Iterator[Alteration]:
    """Every patch of the minor, and the newest of every other minor; nearest first."""
    mine, table = question.releases[0], knowledge.database.releases
    wanted = [
        requirement.specifier
        for one in question.fixed
        if one.version is not None
        for requirement in knowledge.declared(one.name, one.version)
        if knowledge.database.distributions.of(requirement.name) is not None and str(requirement.specifier)
    ]
    stems = [Version(stem) for stem in table.minors]
    place = {stem.release[:2]: number for number, stem in enumerate(stems)}
    here = place.get(mine.release[:2], len(stems) if mine > stems[-1] else 0)
    for number, stem in sorted(enumerate(stems), key=lambda pair: (abs(pair[0] - here), -pair[0])):
        stable = [version for version in table.versions_of(str(stem)) if not version.is_prerelease]
        same = stem.release[:2] == mine.release[:2]
        cost = PATCH if same else RELEASE + (abs(number - here) - 1) // 4
        companions = [each for each in stable if all(one.contains(each) for one in wanted)] if wanted else []
        others = [each for each in stable if each != mine] if same else [*companions[:1], *stable[:1]]
        for version in dict.fromkeys(others):
            yield release(question, version, cost)


def without_gpu(question: Question) -> Alteration:
    """The same on the CPU."""
    after = question.on(accelerator=Accelerator.NONE, gpus=(), driver=None, cuda_major=None, rocm=None)
    after = replace(after, accelerated=False, problems=(), unknown=()).without(SYSTEM_CUDA, SYSTEM_CUDNN)
    return Alteration(values=(("gpu", "none"),), after=after, cost=ON_THE_CPU, kinds=_of("gpu"))


def _of(kind: str) -> frozenset[str]:
    return frozenset({kind})


def _short(version: Version) -> Version:
    return Version(".".join(map(str, version.release[:2])))
