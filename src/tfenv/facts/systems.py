"""The glibc of distributions, by their common names (`systems.toml`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.facts.rows import load
from tfenv.model.document import of

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.facts.rows import Row


class SystemTable:
    """Distributions and their releases."""

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/systems.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        self._rows = load(path, "system", _row)

    def glibc(self, words: str) -> Version | None:
        """The glibc of the distribution release in a text (`Ubuntu 20.04.6 LTS`, `CentOS Linux release 7.9`)."""
        lowered = words.lower()
        for name, releases in self._rows:
            if name in lowered:
                rest = lowered[lowered.index(name) + len(name) :]
                for release in sorted(releases, key=len, reverse=True):
                    if re.search(rf"(?<![\d.]){re.escape(release)}(?!\d)", rest):
                        return releases[release]
        return None


def _row(row: Row) -> tuple[str, dict[str, Version]]:
    """The name of a distribution, and the glibc of each of its releases."""
    row.source()
    row.tier()
    glibc = row.table("glibc")
    return row.text("name"), {release: glibc.need(release, of(Version)) for release in glibc.values}
