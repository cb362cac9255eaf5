"""The one judge: a question in, a verdict out. What it asks, it asks of the provider that `lock` asks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from tfenv.check.clash import ClashKind
from tfenv.check.edges import edges as edges_of
from tfenv.check.ranges import compatible
from tfenv.check.words import RANK, code_of, in_order, problem_of
from tfenv.model import tags
from tfenv.model.package import TENSORFLOW
from tfenv.model.report import Answer, Caution, Fix, Problem, Verdict
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN
from tfenv.resolver.candidate import PYTHON
from tfenv.resolver.commands import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfenv.check.clash import Clash, Edges
    from tfenv.check.knowledge import Knowledge
    from tfenv.check.question import Question
    from tfenv.model.package import Requirement

_HARDWARE = ("driver", "gpu", "cuda", "cudnn")
_HOPELESS = ("python-no-wheel", "platform-no-wheel", "platform-no-gpu", "driver-too-new", "gpu-too-old", "gpu-too-new")
"""What a machine can have with every release."""


def judge(question: Question, knowledge: Knowledge) -> Verdict:
    """The verdict on a question, without fixes.

    What is not said is assumed where every machine of today has it (AVX) or tfenv can choose it (Python, where a GPU is
    asked about), and reported as assumed; what else is missing is `unknown`.
    """
    if question.target.foreign is not None:
        return concluded([_foreign(question)])
    builder = knowledge.database.distributions.of(question.distribution or "")
    if builder is not None and builder.builder:
        return _of_others(question, knowledge, f"tf: {builder.name} is built by {builder.builder}: what is in it")
    if question.said is None:
        return _unsaid(question, knowledge)
    if not question.releases:
        return _no_release(question, knowledge)
    verdicts = [_examine(question, version, knowledge) for version in question.releases]
    return min(verdicts, key=_badness)


def best(question: Question, version: Version | None, knowledge: Knowledge) -> Edges:
    """The pass on the Python that is asked for, else on the one with the fewest clashes, newest first."""
    python = question.target.python
    if python is not None:
        return edges_of(knowledge, question, version, python)
    name = TENSORFLOW if version is None else knowledge.distribution(question, version)
    pythons = () if version is None else knowledge.pythons(name, version, question.target)
    if not pythons:
        minors = {each.release[:2] for each in knowledge.database.images.pythons}
        pythons = tuple(Version(f"{major}.{minor}") for major, minor in sorted(minors, reverse=True))
    found: Edges | None = None
    for each in pythons:
        edges = edges_of(knowledge, question, version, each)
        if found is None or len(edges.clashes) < len(found.clashes):
            found = edges
        if version is None and not any(map(_is_of_python, found.clashes)):
            break
        if not found.clashes or all(clash.kind is ClashKind.MACHINE for clash in found.clashes):
            break
    assert found is not None
    return found


def _is_of_python(clash: Clash) -> bool:
    """Whether another Python may mend it."""
    return clash.kind is ClashKind.FILE or clash.requirement.name == PYTHON


def relevant(clashes: Sequence[Clash], knowledge: Knowledge) -> tuple[Clash, ...]:
    """The clashes that count: what follows from a stronger one is left out, and what is far from TensorFlow."""
    table = knowledge.database.distributions
    near = [clash for clash in clashes if clash.near]
    codes = {code_of(clash, table) for clash in near}
    kept = []
    never = any(clash.requirement.name == "__known_bad" and clash.requirement.code == "gpu-too-old" for clash in near)
    for clash in near:
        code = code_of(clash, table)
        if "platform-no-gpu" in codes and code.startswith(_HARDWARE):
            continue
        if code == "cudnn-too-old" and "cudnn-mismatch" in codes:
            continue  # a cuDNN of a lower major is not merely too old
        if code == "driver-too-old" and never:
            continue  # no driver serves both the GPU and the build
        kept.append(clash)
    return tuple(kept)


def concluded(problems: Iterable[Problem], warnings: Iterable[Caution] = (), unknown: Iterable[str] = ()) -> Verdict:
    """Broken if there is a problem, else unknown if something is missing, else it works."""
    problems, unknown = in_order(problems), tuple(dict.fromkeys(unknown))
    answer = Answer.BROKEN if problems else Answer.UNKNOWN if unknown else Answer.WORKS
    return Verdict(answer=answer, problems=problems, warnings=tuple(dict.fromkeys(warnings)), unknown=unknown)


def _badness(verdict: Verdict) -> tuple[int, int, int]:
    """The first of several releases that is best; they come newest first."""
    rank = (Answer.WORKS, Answer.UNKNOWN, Answer.BROKEN).index(verdict.answer)
    return rank, -RANK.get(verdict.problems[0].code, 0) if verdict.problems else 0, len(verdict.warnings)


def _examine(question: Question, version: Version, knowledge: Knowledge) -> Verdict:
    """One release."""
    table = knowledge.database.distributions
    if (missing := _no_distribution(question, version, knowledge)) is not None:
        return concluded([missing])
    edges = best(question, version, knowledge)
    clashes = relevant(edges.clashes, knowledge)
    problems = [problem_of(clash, question, edges, table) for clash in clashes]
    problems += [*question.problems, *_pip(question, version, edges, knowledge)]
    cautions, unknown = [*question.cautions, *edges.cautions], [*question.unknown, *edges.unknown]
    cautions += [_far(clash, question, edges, knowledge) for clash in edges.clashes if not clash.near]
    of_keras, cautions_of_keras = _keras(question, version, knowledge)
    problems += of_keras
    cautions += cautions_of_keras
    unknown += _unseen(question, version, knowledge)
    installable = not any(clash.kind is ClashKind.FILE for clash in clashes)
    if question.target.python is None and installable:
        subject = f"{knowledge.distribution(question, version)} {version}"
        if question.accelerated:
            said = f"Python is one that {subject} has a wheel for, such as {edges.python}"
            cautions.append(_assumed(said))
        else:
            unknown.append("python")
    if question.accelerated is None and question.target.python is None:
        unknown.append("gpu")
    elif question.accelerated is None:
        cautions.append(_assumed("no GPU is to be used: none is named, and no driver, CUDA or cuDNN"))
    if installable and not any(problem.code == "platform-no-gpu" for problem in problems):
        missing_words, assumed = _needs(question, version, edges, knowledge)
        unknown += missing_words
        cautions += assumed
    return concluded(problems, cautions, unknown)


def _unseen(question: Question, version: Version, knowledge: Knowledge) -> Iterator[str]:
    """What decides, and no list of packages shows."""
    names = {one.name for one in question.fixed}
    for name, release in ((TENSORFLOW, version), *((one.name, one.version) for one in question.fixed)):
        for row in knowledge.database.companions.unseen(name, release, beside=version):
            if row.platform in (None, question.target.platform) and not names.intersection(row.answers):
                yield f"{name}: {row.asks}"


def _needs(question: Question, version: Version, edges: Edges, knowledge: Knowledge) -> tuple[list[str], list[Caution]]:
    """What would decide, and what is assumed instead."""
    unknown: list[str] = []
    cautions: list[Caution] = []
    by_name: dict[str, list[Requirement]] = {}
    for requirement in edges.needs:
        by_name.setdefault(requirement.name, []).append(requirement)
    if instructions := {word.upper() for one in by_name.get("__cpu", ()) for word in one.extras}:
        cautions.append(_assumed(f"the processor has {' and '.join(sorted(instructions))}"))
    floors = [Version(spec.version) for one in by_name.get("__glibc", ()) for spec in one.specifier]
    if floors and max(floors) > _OLD_GLIBC:
        cautions.append(_assumed(f"glibc is {max(floors)} or newer"))
    if not question.accelerated or question.problems:
        return unknown, cautions
    if not question.target.gpus and not any(text.startswith("gpu") for text in question.unknown):
        unknown.append(_gpu_range(by_name.get("__compute_capability", ())))
    if question.target.driver is None:
        unknown.append("driver")
    more_unknown, more_cautions = _stack(question, version, edges, knowledge)
    return [*unknown, *more_unknown], [*cautions, *more_cautions]


_OLD_GLIBC = Version("2.17")
"""Every Linux that has a Python of today has it."""


def _stack(question: Question, version: Version, edges: Edges, knowledge: Knowledge) -> tuple[list[str], list[Caution]]:
    """CUDA and cuDNN that nobody mentioned: those of the release's own wheels, where it has such."""
    name = knowledge.distribution(question, version)
    build = knowledge.overlay(question.target).build(name, version)
    if build is None or build.cuda is None:
        return [], []
    cuda, cudnn = question.of(SYSTEM_CUDA), question.of(SYSTEM_CUDNN)
    bundled = edges.bundled and not question.complete
    if cuda is None and cudnn is None and not bundled:
        return ["cuda", "cudnn"], []
    if cuda is None:
        built = f"of CUDA {build.cuda}, which {name} {version} is built with"
        whose = f"those of `{name}[and-cuda]`" if bundled else built
        return [], [_assumed(f"the CUDA libraries are {whose}")]
    if cudnn is None:
        return ([], [_assumed(f"cuDNN is that of `{name}[and-cuda]`")]) if bundled else (["cudnn"], [])
    if cudnn.version is None:
        return [], [_assumed(f"cuDNN is a release of {str(cudnn.specifier).strip('=.*')} that is new enough")]
    return [], []


def _gpu_range(requirements: Iterable[Requirement]) -> str:
    """`gpu: works with any from 5.0 to 9.0`."""
    lowest: list[Version] = []
    highest: list[Version] = []
    open_ended = True
    for requirement in requirements:
        bounds = [one for spec in requirement.any_of for one in spec if one.operator in (">=", "==")]
        if bounds:
            lowest.append(min(Version(one.version) for one in bounds))
            ends = [str(spec) for spec in requirement.any_of if "<" not in str(spec) and "==" not in str(spec)]
            open_ended = open_ended and bool(ends)
            highest.append(max(Version(one.version) for one in bounds))
    if not lowest:
        return "gpu"
    return f"gpu: works with any from {max(lowest)} " + ("on" if open_ended else f"to {min(highest)}")


def _keras(question: Question, version: Version, knowledge: Knowledge) -> tuple[list[Problem], list[Caution]]:
    """Whether `tf.keras` can be the Keras that is asked for, and with what."""
    keras = question.goal.keras
    row = None if keras is None else knowledge.database.companions.keras_of(version, keras)
    if row is None:
        return [], []
    fixed = {one.name: one.specifier for one in question.fixed}
    lacking = [str(one) for one in row.requires if one.name not in fixed and not one.name.startswith("__")]
    settings = [f"{name}={value}" for name, value in row.environment]
    release = f"{knowledge.distribution(question, version)} {version}"
    problems = [
        Problem(
            code="keras-mismatch",
            subject="keras" if one.name.startswith("__") else one.name,
            because=(f"Keras {keras} is asked for", f"of {release}, {one.because}"),
            sources=(one.source,),
        )
        for one in row.requires
        if one.name.startswith("__") or (one.name in fixed and not compatible(fixed[one.name], one.specifier))
    ]
    needed = " and ".join([*lacking, *settings])
    return problems, [_assumed(f"{needed} is there: it makes `tf.keras` Keras {keras}")] if needed else []


def _pip(question: Question, version: Version, edges: Edges, knowledge: Knowledge) -> Iterator[Problem]:
    """A pip that is too old to know the platform tag of any wheel."""
    pip = question.of("pip")
    if pip is None or pip.version is None or not question.target.platform.is_linux:
        return
    name = knowledge.distribution(question, version)
    release = knowledge.release(name, version, question.target)
    ranks = tags.ranks(question.target.platform, edges.python)
    fitting = [(file, tag) for file in (release.files if release else ()) for tag in file.tags if tag in ranks]
    needed = [tags.pip_for(tag) for _, tag in fitting]
    if not needed or any(floor is None or pip.version >= floor for floor in needed):
        return
    lowest = min(floor for floor in needed if floor is not None)
    yield Problem(
        code="platform-no-wheel",
        subject="pip",
        because=(
            f"the wheels of {name} {version} have platform tags that pip knows from {lowest} on",
            f"pip is {pip.version}, and sees no wheel",
        ),
        sources=(fitting[0][0].filename, tags.PIP_SOURCE),
        fixes=(Fix(change=(("packages.pip", f">={lowest}"),), command="pip install --upgrade pip", cost=PACKAGE),),
    )


def _far(clash: Clash, question: Question, edges: Edges, knowledge: Knowledge) -> Caution:
    problem = problem_of(clash, question, edges, knowledge.database.distributions)
    return Caution(code=problem.code, message="; ".join(problem.because))


def _unsaid(question: Question, knowledge: Knowledge) -> Verdict:
    """Without a release: what is wrong among the packages, what no release would do, else what is missing."""
    missing = ["tf"]
    missing += ["python"] if question.target.python is None else []
    missing += ["gpu"] if not question.target.gpus else []
    if question.accelerated and not question.problems and (version := furthest(question, knowledge)) is not None:
        verdict = _examine(_on_release(question, version), version, knowledge)
        if verdict.problems and verdict.problems[0].code in _HOPELESS:
            return replace(verdict, unknown=tuple(dict.fromkeys(("tf", *verdict.unknown))))
    return _of_others(question, knowledge, *missing)


def furthest(question: Question, knowledge: Knowledge) -> Version | None:
    """The release with the best verdict on a machine, newest first; ``None`` if the facts know none."""
    stems = reversed(knowledge.database.releases.minors)
    newest = [stable[0] for stem in stems if (stable := _stable(stem, knowledge))]
    return min(
        newest,
        key=lambda version: _badness(_examine(_on_release(question, version), version, knowledge)),
        default=None,
    )


def _on_release(question: Question, version: Version) -> Question:
    return replace(question, said=str(version), releases=(version,))


def _of_others(question: Question, knowledge: Knowledge, *missing: str) -> Verdict:
    """The verdict without a release of TensorFlow: the packages among themselves."""
    edges = best(question, None, knowledge)
    table = knowledge.database.distributions
    problems = [problem_of(clash, question, edges, table) for clash in edges.clashes]
    problems += [problem for problem in question.problems if problem.code != "platform-no-gpu"]
    return concluded(problems, question.cautions, (*missing, *question.unknown, *edges.unknown))


def _stable(stem: str, knowledge: Knowledge) -> tuple[Version, ...]:
    return tuple(version for version in knowledge.database.releases.versions_of(stem) if not version.is_prerelease)


def _no_release(question: Question, knowledge: Knowledge) -> Verdict:
    said, minors = question.said or "", [Version(stem) for stem in knowledge.database.releases.minors]
    try:
        asked = Version(said)
    except InvalidVersion:
        because = f"no release that the database knows is {said}; it knows {minors[0]} to {minors[-1]}"
        return concluded([Problem(code="tf-unknown", subject=f"tensorflow {said}", because=(because,))])
    if asked.release[:2] < minors[0].release[:2]:
        return concluded((), (), [f"tf: {said} is older than {minors[0]}, the first release that the database knows"])
    if asked.local is not None or asked.is_prerelease or asked.is_devrelease:
        return concluded((), (), [f"tf: the database does not know the build {said}"])
    stem = f"{asked.major}.{asked.minor}"
    patches = [str(version) for version in sorted(_stable(stem, knowledge))]
    words = f"{', '.join(patches[:-1])} and {patches[-1]}" if len(patches) > 1 else "".join(patches)
    because = f"the releases of TensorFlow {stem} are {words}" if patches else f"there is no TensorFlow {stem}"
    problem = Problem(
        code="tf-unknown",
        subject=f"tensorflow {said}",
        because=(because,),
        sources=("https://pypi.org/simple/tensorflow/",),
    )
    return concluded([problem])


def _no_distribution(question: Question, version: Version, knowledge: Knowledge) -> Problem | None:
    """The distribution that is named has no such release."""
    name = knowledge.distribution(question, version)
    if knowledge.release(name, version, question.target) is not None:
        return None
    newest = next(iter(knowledge.source.releases(name)), None)
    because = f"{name} has no release {version}" + (f"; its last is {newest.version}" if newest is not None else "")
    return Problem(
        code="tf-unknown",
        subject=f"{name} {version}",
        because=(because,),
        sources=(f"https://pypi.org/simple/{name}/",),
    )


def _foreign(question: Question) -> Problem:
    which = f"TensorFlow{f' {question.said}' if question.said else ''}"
    because = f"{which} has wheels for 64 bit Linux with glibc, Windows and macOS only"
    return Problem(
        code="platform-no-wheel",
        subject=question.target.foreign or "",
        because=(because,),
        sources=("https://pypi.org/simple/tensorflow/",),
    )


def _assumed(message: str) -> Caution:
    return Caution(code="assumed", message=message)
