"""A lock as a requirements file, of which pip checks every hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.outputs.lines import hashed, index_options
from tfenv.store.heading import FIRST_LINE

if TYPE_CHECKING:
    from tfenv.model.lock import Lock


def dumps(lock: Lock) -> str:
    """The text of `requirements.txt`: pins with their hashes, sorted by name; index URLs without credentials.

    pip checks hashes as soon as one line has one, and then requires one on every line.
    """
    lines = [f"{pin} \\\n    {hash_option}" for pin, hash_option in hashed(lock)]
    return "\n".join((FIRST_LINE, *index_options(lock), *lines)) + "\n"
