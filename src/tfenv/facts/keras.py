"""The version of Keras behind `tf.keras`, by release of TensorFlow (`keras.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfenv.facts.rows import covering, load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.facts.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasOf:
    """The Keras of some releases.

    Attributes:
        versions: releases of TensorFlow.
        keras: value of `tf.keras.__version__`, or the lowest admitted release if Keras is a separate package.
        source: wheel that was read.
    """

    versions: SpecifierSet
    keras: Version
    source: str


class KerasVersions:
    """The rows, oldest first.

    Raises:
        UsageError: the file has faults; all are named.
    """

    def __init__(self, path: Path) -> None:
        self.rows = load(path, "release", _row)

    def of(self, release: Version) -> Version | None:
        """The Keras of a release of TensorFlow; ``None`` if not known."""
        return next((row.keras for row in covering(self.rows, release)), None)

    def releases(self, keras: Version, among: Sequence[Version]) -> int:
        """The mask of the releases whose Keras reads files that this version wrote.

        Keras 2 reads files of older releases of Keras 2. Keras 3 has its own file format, and every TensorFlow that
        works with Keras 3 also works with its newer releases.
        """
        mask = 0
        for place, release in enumerate(among):
            ours = self.of(release)
            if ours is not None and ours.major == keras.major:
                mask |= (keras.major > 2 or keras.release[:2] <= ours.release[:2]) << place
        return mask


def _row(row: Row) -> KerasOf:
    row.tier()
    return KerasOf(versions=row.specifiers("versions"), keras=row.version("keras"), source=row.source())
