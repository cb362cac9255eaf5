"""`tfenv check`: from options, files and logs to a verdict with fixes."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.check.completion import completed
from tfenv.check.fixes import with_fixes
from tfenv.check.knowledge import Knowledge
from tfenv.check.log import RANK, supposed, told
from tfenv.check.question import ask
from tfenv.check.remedies import with_remedies
from tfenv.errors import UsageError
from tfenv.facts.database import load
from tfenv.facts.makers import maker_of
from tfenv.inputs import configuration as reader
from tfenv.inputs.configuration import merge
from tfenv.inputs.log import read as read_log
from tfenv.model.evidence import Evidence
from tfenv.model.goal import PYPI
from tfenv.model.hardware import Gpu
from tfenv.store.files import paths_of
from tfenv.store.files import read as read_text
from tfenv.workflow.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Unpack

    from tfenv.facts.database import Database
    from tfenv.inputs.configuration import Known
    from tfenv.model.configuration import Configuration
    from tfenv.model.progress import Progress
    from tfenv.model.report import Verdict
    from tfenv.store.cache import Cache


def check(
    files: Path | str | Iterable[Path | str] = (),
    *,
    document: Path | str | None = None,
    log: str | None = None,
    offline: bool = False,
    cache: Cache | None = None,
    progress: Progress | None = None,
    **known: Unpack[Known],
) -> Verdict:
    """Find out whether a combination works. Nothing is installed or run.

    Pass what is known; everything else counts as unknown. If inputs contradict each other, arguments override
    `document`, `document` overrides `files`, an earlier file overrides a later one, and all override `log`.

    Example:
        >>> verdict = tfenv.check(tf="2.10.1", python="3.12", platform="linux-x86_64", gpus="none", offline=True)
        >>> verdict.answer.value, verdict.problems[0].code
        ('broken', 'python-no-wheel')

    Args:
        files: locks, requirements files, `pip freeze`, `environment.yml`, Dockerfiles, compose files and JSON
            documents; the kind is recognized by content.
        document: a JSON document with such values: the text itself, or the path of a file.
        log: text of an error log of TensorFlow.
        offline: use only what is cached to solve the fixes that are suggested.
        cache: cache of index pages; by default the user's.
        progress: reports work under way.
        **known: facts about the environment and its machine, see `Known`.

    Returns:
        The verdict; no exception is raised for a broken combination.

    Raises:
        UsageError: an input cannot be read or has faults.
    """
    configuration = reader.of_options(**known)
    database = load()
    _refuse_unknown_gpus(configuration, database)
    if document is not None:
        text, name = (read_text(document), str(document)) if isinstance(document, Path) else (document, "the document")
        configuration = merge(configuration, reader.loads(text, name))
    configuration = merge(configuration, gather(paths_of(files), database, configuration.machine))
    with open_knowledge(database, offline=offline, cache=cache, progress=progress) as knowledge:
        return judged(configuration, knowledge, log=log)


def judged(configuration: Configuration, knowledge: Knowledge, *, log: str | None = None) -> Verdict:
    """The verdict on a configuration, with fixes.

    Args:
        configuration: known values; they override those in the log.
        knowledge: facts and releases from `open_knowledge`.
        log: text with errors of TensorFlow.
    """
    database = knowledge.database
    evidence = read_log(log, database).ordered(RANK) if log is not None else Evidence()
    configuration = supposed(merge(configuration, evidence.facts), evidence.symptoms, knowledge)
    verdict = told(configuration, evidence, knowledge)
    question = ask(configuration, database)
    verdict = completed(verdict, question, knowledge)
    if any(problem.fixes for problem in verdict.problems):
        return verdict
    return with_remedies(with_fixes(verdict, question, knowledge), question, evidence.symptoms, knowledge)


def _refuse_unknown_gpus(configuration: Configuration, database: Database) -> None:
    """A GPU that is named on purpose must be known; a name in a file or a log that nobody knows is unknown instead.

    Raises:
        UsageError: nothing is known by one of the names; the hint has the nearest.
    """
    for name in configuration.machine.gpus:
        if isinstance(name, Gpu) or maker_of(name) is not None or database.gpus.newest(name) is not None:
            continue  # another maker's, or one of several GPUs
        try:
            database.gpus.find(name)
        except UsageError as error:
            raise UsageError(f"`--gpu`: {error.message}", hint=error.hint) from None


@contextmanager
def open_knowledge(
    database: Database,
    *,
    offline: bool = False,
    indexes: tuple[str, ...] = (PYPI,),
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Iterator[Knowledge]:
    """The facts, with an index for releases that the facts do not cover.

    Args:
        database: the facts.
        offline: use only what is cached.
        indexes: URLs of simple indexes, with credentials if they need any.
        cache: of their pages; by default the user's.
        progress: reports work under way.
    """
    from tfenv.index.source import IndexSource
    from tfenv.model.progress import Silent
    from tfenv.store.cache import Cache

    with IndexSource(indexes, cache=cache or Cache(), offline=offline, progress=progress or Silent()) as index:
        yield Knowledge(database, index)
