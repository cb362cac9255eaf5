"""A reminder of old facts, shown once a day on terminals."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from tfenv.cli import _console

if TYPE_CHECKING:
    from tfenv.store.cache import Cache

_COMMANDS: Final = ("lock", "check", "infer", "doctor", "why", "compat")
"""Commands whose answers depend on the facts."""

_DAYS: Final = 120
_KEY: Final = "day on which old facts were last mentioned"


def remind(arguments: list[str]) -> None:
    """Show the reminder after a command that used old facts."""
    if not (arguments and arguments[0] in _COMMANDS and _console.is_heard()):
        return
    from tfenv.store.cache import Cache

    if (line := note(Cache(), datetime.now(UTC).date())) is not None:
        _console.say(line)


def note(cache: Cache, today: date) -> str | None:
    """The reminder about the facts in use; ``None`` if there is none, or if it was shown today.

    Raises:
        UsageError: the facts of the user are damaged.
    """
    if cache.document(_KEY) == {"day": today.isoformat()}:
        return None
    from tfenv.facts.location import in_use

    found = in_use()
    cache.keep_document(_KEY, {"day": today.isoformat()})
    if found.unused is not None:
        return (
            f"note: the facts in `{found.unused}` were written by another tfenv and are not used; "
            "`tfenv facts update --user` reads newer ones"
        )
    age = (today - found.date).days
    if age <= _DAYS:
        return None
    return f"note: the facts are {age} days old, of {found.date}; `tfenv facts update --user` reads newer ones"
