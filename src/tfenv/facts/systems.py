"""The glibc of distributions, by what people call them (`systems.toml`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from tfenv.facts.rows import Document

if TYPE_CHECKING:
    from pathlib import Path


class SystemTable:
    """Distributions and their releases."""

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/systems.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        document = Document(path)
        self._rows: list[tuple[str, dict[str, Version]]] = []
        for row in document.rows("system"):
            row.known(("name", "glibc", "source", "tier"))
            row.source()
            row.tier()
            releases = {}
            for release, glibc in row.table("glibc").items():
                try:
                    releases[release] = Version(glibc)
                except InvalidVersion as wrong:
                    row.fault("glibc", str(wrong))
            self._rows.append((row.text("name"), releases))
        document.check()

    def glibc(self, words: str) -> Version | None:
        """Of the distribution and release that some words name (`Ubuntu 20.04.6 LTS`, `CentOS Linux release 7.9`)."""
        lowered = words.lower()
        for name, releases in self._rows:
            if name in lowered:
                rest = lowered[lowered.index(name) + len(name) :]
                for release in sorted(releases, key=len, reverse=True):
                    if re.search(rf"(?<![\d.]){re.escape(release)}(?!\d)", rest):
                        return releases[release]
        return None
