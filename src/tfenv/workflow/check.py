"""Would this combination work? From what is said, and what files and logs hold, to a verdict with fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.facts.verdict import judge

if TYPE_CHECKING:
    from tfenv.facts.database import Database
    from tfenv.model.configuration import Configuration
    from tfenv.model.report import Verdict


def check(configuration: Configuration, database: Database) -> Verdict:
    """The verdict on a configuration."""
    return judge(configuration, database)
