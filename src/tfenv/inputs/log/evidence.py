"""Every reader asked of one log: the facts, the symptoms, and the lines that nobody understood."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfenv.inputs.log import binaries, configuration, drivers, installers, lines, names, sonames, tracebacks
from tfenv.inputs.log.requirements import edges
from tfenv.model.evidence import Evidence, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tfenv.facts.database import Database
    from tfenv.inputs.log.tracebacks import Raised


def read(log: str, database: Database) -> Evidence:
    """What a log proves.

    Args:
        log: its text, as it was printed.
        database: the facts.
    """
    text = lines.plain(log)
    sightings = database.signatures.sightings(text) or database.signatures.sightings(lines.unwrapped(text))
    requirements = edges(text)
    found = configuration.read(
        [
            *(sighting.facts for sighting in sightings),
            database.signatures.facts(text),
            *configuration.of_text(text, requirements),
        ]
    )
    raised = tracebacks.raised(text)
    read = (
        *installers.symptoms(text, requirements, database),
        *binaries.symptoms(text, database),
        *drivers.symptoms(text, database),
        *names.symptoms(raised, database),
        *sonames.symptoms(text, database),
    )
    symptoms = _each_once(read, (sighting.symptom for sighting in sightings))
    return Evidence(
        facts=found,
        symptoms=symptoms,
        strangers=_strangers(text, raised, symptoms, database),
    )


_MOST = 3
"""Lines that are quoted."""


def _strangers(text: str, raised: Sequence[Raised], symptoms: Sequence[Symptom], database: Database) -> tuple[str, ...]:
    """Lines that nobody understood: where nothing was understood the last exceptions, and other errors before them.

    Where something was, the rest mostly follows from it; only an exception that ended the program is quoted then.
    """
    last = raised[-1].line if raised else None
    if symptoms:
        explained = {symptom.line for symptom in symptoms}
        chain = {each.line for each in raised[-2:]}
        return () if last is None or explained & chain or _FOLLOWS.search(last) is not None else (last,)
    found = database.signatures.strangers(text)
    exceptions = [line for line in dict.fromkeys(each.line for each in reversed(raised)) if line in found]
    return tuple(dict.fromkeys((*exceptions, *reversed(found))))[:_MOST]


_FOLLOWS = re.compile(
    r"native TensorFlow runtime|CalledProcessError|SystemExit|KeyboardInterrupt|Unsatisfiable|ResolutionImpossible"
)
"""Exceptions that only repeat that something failed before."""


def _each_once(derived: Iterable[Symptom], rows: Iterable[Symptom]) -> tuple[Symptom, ...]:
    """One symptom a line and a subject: what a reader derived, then what a row says, then what is general."""
    found: dict[tuple[str, str], Symptom] = {}
    lines: set[str] = set()
    derived, rows = tuple(derived), tuple(rows)
    particular = [symptom for symptom in derived if not symptom.general]
    for symptom in (*particular, *rows, *(symptom for symptom in derived if symptom.general)):
        if symptom.line not in lines:
            found.setdefault((symptom.code, symptom.subject), symptom)
            lines.add(symptom.line)
    return tuple(found.values())
