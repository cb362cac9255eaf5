"""Would this combination work? From what is said, and what files and logs hold, to a verdict with fixes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tfenv.check.fixes import with_fixes
from tfenv.check.log import supposed, told
from tfenv.inputs import log as error_log
from tfenv.inputs.configuration import merge
from tfenv.model.report import Answer

if TYPE_CHECKING:
    from tfenv.facts.database import Database
    from tfenv.model.configuration import Configuration
    from tfenv.model.report import Verdict
    from tfenv.workflow.solver import Solver


def check(
    configuration: Configuration, database: Database, *, log: str | None = None, solver: Solver | None = None
) -> Verdict:
    """The verdict on a configuration.

    Args:
        configuration: what is said; it outranks what a log tells.
        database: the facts.
        log: text in which errors of TensorFlow stand.
        solver: solves what is suggested; without it the rules alone have checked that.
    """
    text = error_log.plain(log) if log is not None else ""
    sightings = database.signatures.sightings(text) if text else ()
    if text and not sightings:
        sightings = database.signatures.sightings(error_log.unwrapped(text))
    if text:
        facts = [*(sighting.facts for sighting in sightings), database.signatures.facts(text)]
        configuration = merge(configuration, error_log.facts(facts))
    if sightings:
        configuration = supposed(configuration, sightings[0], database)
    verdict = told(configuration, sightings, database)
    if not verdict.problems and (line := database.signatures.stranger(text)) is not None:
        said = f"log: no cause among versions is known for `{line[:160]}`"
        verdict = replace(verdict, answer=Answer.UNKNOWN, unknown=(said, *verdict.unknown))
    if solver is None:
        return with_fixes(verdict, configuration, database, sightings=sightings)
    return with_fixes(verdict, configuration, database, sightings=sightings, newest=solver.newest, solves=solver.solves)
