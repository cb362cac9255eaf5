"""Changes of what is installed that may mend it: another distribution of a release, other CUDA libraries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.question import Fixed
from tfenv.check.steps import FILES, Alteration
from tfenv.model.package import TENSORFLOW
from tfenv.overlay.overlay import CPU, GPU
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN
from tfenv.resolver.commands import CUDA, CUDNN, PACKAGE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tfenv.check.knowledge import Knowledge
    from tfenv.check.question import Question
    from tfenv.facts.database import Database
    from tfenv.model.builds import Build

_DISTRIBUTIONS = (TENSORFLOW, GPU, CPU)
_LIBRARIES = frozenset({"libraries"})


def reinstalls(question: Question, codes: Collection[str], knowledge: Knowledge) -> Iterator[Alteration]:
    """What may mend problems with these codes, cheapest first within a kind.

    Args:
        question: about one release of TensorFlow, or about packages alone.
        codes: codes of what is wrong.
        knowledge: facts and releases.
    """
    if "package-broken" in codes:
        yield from _owners(question, knowledge)
    if not question.releases:
        return
    if FILES & set(codes):
        yield from _parts(question, knowledge.database)
    if "platform-no-gpu" in codes or "tf-unknown" in codes:
        yield from _other_distributions(question, knowledge)
    if any(code.startswith(("cuda", "cudnn")) for code in codes):
        yield from _libraries(question, knowledge)


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
                kinds=frozenset({"owners"}),
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
            yield Alteration(values=values, after=after, cost=PACKAGE, does=does, kinds=frozenset({"place"}))


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
        yield Alteration(values=values, after=own.fixing(fixed), cost=CUDNN, does=does, kinds=_LIBRARIES)
    toolkit = Fixed(name=SYSTEM_CUDA, specifier=SpecifierSet(f"=={cuda}.*"))
    values = (("cuda", str(cuda)),)
    if question.of(SYSTEM_CUDA) is not None or question.of(SYSTEM_CUDNN) is None:
        after = question.without(SYSTEM_CUDA).fixing(toolkit)
        yield Alteration(values=values, after=after, cost=CUDA, does=f"install CUDA {cuda}", kinds=_LIBRARIES)
    for cudnn in cudnns:
        fixed = Fixed(name=SYSTEM_CUDNN, specifier=SpecifierSet(f"=={cudnn}"))
        does = f"install CUDA {cuda} and cuDNN {cudnn}"
        both = (*values, ("cudnn", str(cudnn)))
        after = own.without(SYSTEM_CUDA).fixing(toolkit, fixed)
        yield Alteration(values=both, after=after, cost=CUDA + 1, does=does, kinds=_LIBRARIES)


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
                kinds=frozenset({"owners"}),
            )


def _pinned(question: Question, name: str) -> str:
    fixed = question.of(name)
    if fixed is not None:
        return str(fixed.specifier)
    return f"=={question.releases[0]}" if question.releases and name == question.distribution else ""


def _short(version: Version) -> Version:
    return Version(".".join(map(str, version.release[:2])))
