"""Every reader asked of one log: the facts, the symptoms, and the lines that nobody understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.inputs.log import facts, lines
from tfenv.model.evidence import Evidence

if TYPE_CHECKING:
    from tfenv.facts.database import Database


def read(log: str, database: Database) -> Evidence:
    """What a log proves.

    Args:
        log: its text, as it was printed.
        database: the facts.
    """
    text = lines.plain(log)
    sightings = database.signatures.sightings(text) or database.signatures.sightings(lines.unwrapped(text))
    found = facts.read([*(sighting.facts for sighting in sightings), database.signatures.facts(text)])
    stranger = None if sightings else database.signatures.stranger(text)
    return Evidence(
        facts=found,
        symptoms=tuple(sighting.symptom for sighting in sightings),
        strangers=() if stranger is None else (stranger,),
    )
