"""Sets of releases: the order of `releases.txt`, and spans such as `1.4-1.15 2.3.1+` over it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRead:
    """A release whose symbols were read.

    Attributes:
        version: version of the release.
        sources: files that were read, each `filename sha256:…`.
        keras: specifier of the Keras that is its `tf.keras`; empty if its own rows contain `tf.keras`.
    """

    version: Version
    sources: tuple[str, ...]
    keras: str = ""


class Releases:
    """Releases in order. A set of releases is an integer in which bit n represents the n-th release.

    Attributes:
        rows: releases, oldest first.
        links: names that continue in the rows of Keras, each with the releases and the name there.
    """

    def __init__(self, rows: Iterable[ReleaseRead], links: Mapping[str, tuple[str, str]] | None = None) -> None:
        self.rows = tuple(sorted(rows, key=lambda row: row.version))
        self.all = tuple(row.version for row in self.rows)
        self._minor = tuple(f"{one.major}.{one.minor}" for one in self.all)
        self.every = (1 << len(self.all)) - 1
        self._bounds: dict[str, tuple[int, int]] = {}
        for at, (one, minor) in enumerate(zip(self.all, self._minor, strict=True)):
            self._bounds[str(one)] = (at, at)
            self._bounds[minor] = (self._bounds.get(minor, (at, at))[0], at)
        self._parsed: dict[str, int] = {}
        self._admitted: dict[str, int | None] = {}
        self.links = {name: (self.parse(spans), target) for name, (spans, target) in (links or {}).items()}

    @classmethod
    def load(cls, path: Path) -> Releases:
        """Read `releases.txt`: a line for each release with its sources, and one for each link.

        Raises:
            UsageError: the file does not exist, or one of its lines is damaged.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except OSError:
            raise UsageError(
                f"there is no list of releases at `{path}`", hint="`tfenv facts update symbols --write` makes it"
            ) from None
        return cls.loads(text, str(path))

    @classmethod
    def loads(cls, text: str, name: str = "<text>") -> Releases:
        """The releases in the text of `releases.txt`. Raises as `load` does."""
        rows, links = [], {}
        for number, line in enumerate(text.splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            word, *fields = line.split("\t")
            try:
                if word == "link":
                    links[fields[0]] = (fields[1], fields[2])
                else:
                    rows.append(ReleaseRead(version=Version(word), keras=fields[0], sources=tuple(fields[1:])))
            except (IndexError, ValueError) as error:
                raise UsageError(f"{name}:{number} is not a release: {error}") from None
        return cls(rows, links)

    def dumps(self) -> str:
        """The text of `releases.txt` without its heading."""
        lines = ["\t".join((str(row.version), row.keras, *row.sources)) for row in self.rows]
        lines += [f"link\t{name}\t{self.spell(mask)}\t{target}" for name, (mask, target) in sorted(self.links.items())]
        return "\n".join(lines) + "\n"

    @cached_property
    def minors(self) -> tuple[str, ...]:
        """The minor releases, oldest first."""
        return tuple(dict.fromkeys(self._minor))

    def bit(self, version: Version) -> int:
        """The bit of a release, or of the newest known release before it; 0 if there is none."""
        at = bisect_right(self.all, version)
        return 1 << (at - 1) if at else 0

    def holds(self, mask: int, version: Version) -> bool:
        """Whether the set contains the release."""
        return bool(mask & self.bit(version))

    def versions(self, mask: int) -> tuple[Version, ...]:
        """The releases of a set, oldest first."""
        return tuple(one for at, one in enumerate(self.all) if mask >> at & 1)

    def minors_of(self, mask: int) -> tuple[str, ...]:
        """The minor releases whose newest release is in the set."""
        return tuple(minor for minor in self.minors if mask >> self._bounds[minor][1] & 1)

    def spans(self, mask: int) -> tuple[tuple[Version, Version], ...]:
        """The runs of a set."""
        return tuple((self.all[start], self.all[stop]) for start, stop in self._runs(mask))

    def parse(self, text: str) -> int:
        """The set that spans such as `1.4-1.15 2.3.1+` describe.

        `2.3` means its first release as a start and its last as an end; `+` extends a span to the newest release. A
        single version is that release, or all releases of that minor version.

        Raises:
            UsageError: the text names an unknown release, or something that is not a version.
        """
        if text not in self._parsed:
            mask = 0
            for span in text.split():
                start, dash, stop = span.removesuffix("+").partition("-")
                try:
                    low = self._bounds[start][0]
                    high = len(self.all) - 1 if span.endswith("+") else self._bounds[stop if dash else start][1]
                except KeyError as error:
                    raise UsageError(f"`{text}` names the release {error}, which is not in `releases.txt`") from None
                mask |= (1 << (high + 1)) - (1 << low)
            self._parsed[text] = mask
        return self._parsed[text]

    def spell(self, mask: int) -> str:
        """The canonical text of a set. New releases that change nothing do not change it."""
        return " ".join(self._span(start, stop) for start, stop in self._runs(mask))

    def companions(self, mask: int, keras: Releases) -> tuple[tuple[int, int], ...]:
        """The index of each release in a set, with the index of the newest Keras that it admits."""
        chosen = []
        for at, row in enumerate(self.rows):
            if mask >> at & 1 and row.keras:
                best = keras.newest(row.keras)
                if best is not None:
                    chosen.append((at, best))
        return tuple(chosen)

    def newest(self, specifier: str) -> int | None:
        """The index of the newest release that a specifier admits; ``None`` if it admits none."""
        if specifier not in self._admitted:
            allowed, places = SpecifierSet(specifier), range(len(self.all) - 1, -1, -1)
            self._admitted[specifier] = next((at for at in places if allowed.contains(self.all[at])), None)
        return self._admitted[specifier]

    def _span(self, start: int, stop: int) -> str:
        first = self._minor[start] if self._bounds[self._minor[start]][0] == start else str(self.all[start])
        if stop == len(self.all) - 1:
            return f"{first}+"
        last = self._minor[stop] if self._bounds[self._minor[stop]][1] == stop else str(self.all[stop])
        alone = first == last or (start == stop and first != self._minor[start])
        if start == stop and not alone:  # a single release of a minor version that has several
            return str(self.all[start])
        return first if alone else f"{first}-{last}"

    def _runs(self, mask: int) -> list[tuple[int, int]]:
        runs = []
        while mask:
            start = (mask & -mask).bit_length() - 1
            length = (~(mask >> start) & ((mask >> start) + 1)).bit_length() - 1
            runs.append((start, start + length - 1))
            mask &= ~(((1 << length) - 1) << start)
        return runs
