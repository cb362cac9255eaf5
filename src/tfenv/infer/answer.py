"""From what the files use to the releases that have all of it.

Every release is paired with the Python versions that it has wheels for. What a line needs of TensorFlow or of Python
excludes some of these pairs; the answer is the pairs that no line excludes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.infer.distributions import OFF_INDEX, asked, distribution
from tfenv.infer.python import recognizers
from tfenv.infer.surface import PRIVATE
from tfenv.infer.uses import Habit
from tfenv.model.inferred import Finding, Inferred

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from tfenv.facts.habits import HabitTable
    from tfenv.infer.surface import Surface
    from tfenv.infer.uses import Reading, Use
    from tfenv.symbols.table import ApiTable


class Pairs:
    """Releases, each with the Python versions that it has wheels for; a set of pairs is a mask."""

    def __init__(self, surface: Surface, pythons: Mapping[str, Iterable[Version]]) -> None:
        self.surface = surface
        every = sorted({one for some in pythons.values() for one in some})
        self.pythons = tuple(every)
        self.all = tuple(
            (place, python)
            for place, minor in enumerate(surface.minors)
            for python in every
            if python in set(pythons.get(minor, every))
        )
        self.full = (1 << len(self.all)) - 1
        self._of_release = [0] * len(surface.minors)
        self._of_python: dict[str, int] = {}
        for at, (place, _) in enumerate(self.all):
            self._of_release[place] |= 1 << at

    def of_releases(self, mask: int) -> int:
        """The pairs of these releases."""
        if mask & self.surface.every == self.surface.every:
            return self.full
        return sum(one for place, one in enumerate(self._of_release) if mask >> place & 1)

    def of_python(self, specifier: str) -> int:
        """The pairs of Python versions in a specifier."""
        if specifier not in self._of_python:
            allowed = SpecifierSet(specifier)
            self._of_python[specifier] = sum(1 << at for at, (_, one) in enumerate(self.all) if allowed.contains(one))
        return self._of_python[specifier]

    def releases(self, pairs: int) -> int:
        """The releases in a set of pairs."""
        mask = 0
        for at, (place, _) in enumerate(self.all):
            mask |= (pairs >> at & 1) << place
        return mask

    def python(self, pairs: int) -> str:
        """The Python versions in a set of pairs, as a specifier; empty if these are all."""
        found = {python for at, (_, python) in enumerate(self.all) if pairs >> at & 1}
        there = [one for one in self.pythons if one in found]
        if not there:
            return ""
        low = f">={there[0]}" if there[0] != self.pythons[0] else ""
        above = [one for one in self.pythons if one > there[-1]]
        end = "" if not above else f"<{above[0]}" if above[0].major == there[-1].major else f"<{above[0].major}"
        return ",".join(filter(None, (low, end)))


def answer(
    readings: Sequence[Reading],
    *,
    table: ApiTable,
    rules: HabitTable,
    pairs: Pairs,
    others: Iterable[Finding] = (),
    unknown: Iterable[str] = (),
    files: int | None = None,
) -> Inferred:
    """Combine what the files use into one answer.

    Args:
        readings: contents of the source files.
        table: public symbols, for the names that replaced them.
        rules: meaning of each way of writing.
        pairs: releases with their Python versions.
        others: findings about models and custom ops.
        unknown: open questions about models and custom ops.
        files: number of files read, if some of them have no reading.
    """
    legacy = any(reading.legacy for reading in readings)
    judge = _Judge(table, rules, pairs, legacy=legacy, waived=_waived(readings))
    by_file: dict[str, list[Finding]] = {reading.file: judge.findings(reading) for reading in readings}
    artifacts = [*others]
    for finding in artifacts:
        by_file.setdefault(finding.file, []).append(finding)
    binding = {file: [one for one in found if not one.guarded] for file, found in by_file.items()}
    left = {file: _all(found, pairs.full) for file, found in binding.items()}
    together = pairs.full
    for mask in left.values():
        together &= mask
    surface = pairs.surface
    mask = pairs.releases(together)
    softened = pairs.full
    for found in binding.values():
        for one in found:
            softened &= one.pairs | (pairs.of_releases(surface.keras3) if one.legacy else 0)
    legacy = judge.legacy or bool(pairs.releases(softened) & surface.keras3 and not mask & surface.keras3)
    result = Inferred(
        releases=surface.names(mask),
        spec=spec(surface, mask),
        python=pairs.python(together),
        companions=_companions(readings),
        legacy_keras=legacy,
        legacy_spec=spec(surface, pairs.releases(softened)) if legacy else "",
        findings=tuple(sorted((one for some in by_file.values() for one in some), key=_place)),
        unknown=(
            *(text for reading in readings for text in reading.unread),
            *unknown,
            *judge.unknown,
            *_off_index(readings),
        ),
        files=len(by_file) if files is None else files,
        lines=sum(reading.lines for reading in readings),
    )
    if mask:
        return result
    return _serving_most(result, binding, left, pairs, {finding.file for finding in artifacts})


def spec(surface: Surface, mask: int) -> str:
    """Minor releases as a specifier: `>=1.13,<2`, with `!=2.3.*` for a gap."""
    places = [place for place in range(len(surface.minors)) if mask >> place & 1]
    if not places:
        return ""
    first, last = places[0], places[-1]
    parts = [f">={surface.minors[first]}"]
    if last + 1 < len(surface.minors):
        parts.append(f"<{surface.minors[last + 1].removesuffix('.0')}")
    parts += [f"!={surface.minors[place]}.*" for place in range(first, last) if place not in places]
    return ",".join(parts)


class _Judge:
    """Turns the contents of one file into findings."""

    def __init__(
        self, table: ApiTable, rules: HabitTable, pairs: Pairs, *, legacy: bool, waived: frozenset[str]
    ) -> None:
        self._table = table
        self._rules = rules
        self._pairs = pairs
        self._surface = pairs.surface
        self.legacy = legacy
        self._waived = waived
        self._missing: dict[str, tuple[str, int]] = {}

    @property
    def unknown(self) -> tuple[str, ...]:
        """Sentences about names that no release has publicly."""
        return tuple(
            f"`{name}` ({file}:{line}) is {_why(name)}; which releases have it is not known"
            for name, (file, line) in self._missing.items()
        )

    def findings(self, reading: Reading) -> list[Finding]:
        found: dict[tuple[object, ...], Finding] = {}
        for use in reading.uses:
            finding = self._of_use(reading.file, use)
            if finding is not None:
                key = (finding.line, finding.cell, finding.symbol)
                if key not in found or found[key].guarded:
                    found[key] = finding
        rows = [*found.values()]
        rows += [self._of_habit(reading, one) for one in (*reading.habits, *_graph(reading)) if self._knows(one)]
        for bound in reading.bounds:
            mask = bound.releases & self._surface.every
            rows.append(
                replace(
                    self._finding(reading.file, bound.line, bound.text, mask, mask),
                    cell=bound.cell,
                    note="the program stops on other releases",
                )
            )
        for syntax in reading.syntax:
            rows.append(
                Finding(
                    file=reading.file,
                    line=syntax.line,
                    cell=syntax.cell,
                    symbol=syntax.text,
                    python=syntax.python,
                    note=f"Python {syntax.python}",
                    pairs=self._pairs.of_python(syntax.python),
                )
            )
        return rows

    def _of_use(self, file: str, use: Use) -> Finding | None:
        every = self._surface.every
        found = [self._surface.find(symbol, use.keywords) for symbol in use.symbols]
        if use.star and any(one.missing for one in found):
            return None
        if all(one.missing for one in found) and use.live:
            for one in found:
                self._missing.setdefault(one.missing, (file, use.line))
        mask = legacy = 0
        for one in found:
            mask |= one.mask
            legacy |= one.legacy
        if self.legacy:
            mask |= legacy
        if mask == every:
            return None
        best = max(found, key=lambda one: one.mask)
        finding = self._finding(file, use.line, best.symbol, mask, mask | ~use.live)
        guarded = bool(~use.live & every) and (mask | ~use.live) & every == every
        became = None if mask >> (len(self._surface.minors) - 1) & 1 else self._became(best.symbol, mask)
        return replace(finding, cell=use.cell, guarded=guarded, became=became, legacy=bool(legacy & ~mask))

    def _finding(self, file: str, line: int, symbol: str, there: int, allowed: int) -> Finding:
        names = self._surface.names(there)
        return Finding(
            file=file,
            line=line,
            symbol=symbol,
            first=names[0] if names else None,
            last=names[-1] if names else None,
            pairs=self._pairs.of_releases(allowed),
        )

    def _became(self, symbol: str, mask: int) -> str | None:
        name = symbol.partition("(")[0]
        row = self._table.became(name)
        if row is not None:
            return row.now or None
        package, _, rest = name.partition(".")
        if package == "tf" and not rest.startswith("compat."):
            moved = self._surface.find(f"tf.compat.v1.{rest}")
            if not moved.missing and moved.symbol == f"tf.compat.v1.{rest}" and moved.mask & ~mask:
                return moved.symbol
        return None

    def _knows(self, habit: Habit) -> bool:
        return habit.rule in self._rules.rows and habit.rule not in self._waived

    def _of_habit(self, reading: Reading, habit: Habit) -> Finding:
        row = self._rules.rows[habit.rule]
        mask = self._surface.every & ~self._surface.mask(row.broken)
        legacy = row.legacy and _is_of_tensorflow(reading)
        if self.legacy and legacy:
            mask |= self._surface.keras3
        every, allowed = self._surface.every, mask | ~habit.live
        guarded = bool(~habit.live & every) and allowed & every == every
        finding = self._finding(reading.file, habit.line, habit.text, mask, allowed)
        return replace(finding, cell=habit.cell, became=row.now, note=row.note, legacy=legacy, guarded=guarded)


def _graph(reading: Reading) -> Iterable[Habit]:
    """Keras models built in graph mode."""
    building = any(
        ".keras" in path and any(part in path for part in recognizers.BUILDING)
        for use in reading.uses
        for path in use.symbols
    )
    if building:
        for use in reading.uses:
            if use.live and any(path.endswith(recognizers.GRAPH) for path in use.symbols):
                yield Habit(line=use.line, rule="graph-keras", text=use.symbols[0], live=use.live, cell=use.cell)
                return


def _is_of_tensorflow(reading: Reading) -> bool:
    """Whether a file uses `tf.keras`, which TF_USE_LEGACY_KERAS changes; the package `keras` stays as it is."""
    return any(path.startswith("tf.") and ".keras" in path for use in reading.uses for path in use.symbols)


def _waived(readings: Iterable[Reading]) -> frozenset[str]:
    """Rules that do not apply because the project itself asks for eager execution or for the shapes of TensorFlow 1."""
    paths = [path for reading in readings for use in reading.uses for path in use.symbols]
    waivers = {"eager-numpy": recognizers.EAGER, "dimension-value": recognizers.DIMENSIONS}
    return frozenset(rule for rule, ends in waivers.items() if any(path.endswith(ends) for path in paths))


def _all(findings: Iterable[Finding], full: int) -> int:
    for one in findings:
        full &= one.pairs
    return full


def _place(finding: Finding) -> tuple[object, ...]:
    return finding.file, finding.cell or 0, finding.line, finding.symbol


def _why(name: str) -> str:
    return "private" if name.startswith(PRIVATE) else "not public in any release"


def _companions(readings: Iterable[Reading]) -> tuple[str, ...]:
    found = {distribution(one.module) for reading in readings for one in reading.imports if not one.guarded}
    paths = [path for reading in readings for use in reading.uses if use.live for path in use.symbols]
    plain = {"keras"} if any(path == "keras" or path.startswith("keras.") for path in paths) else set()
    return tuple(sorted({one for one in found if one} | plain | {one for path in paths for one in asked(path)}))


def _off_index(readings: Iterable[Reading]) -> Iterable[str]:
    for name in _companions(readings):
        if name in OFF_INDEX:
            yield f"`{name}` is not on a package index; install it from {OFF_INDEX[name]}"


def _width(finding: Finding) -> int:
    return finding.pairs.bit_count()


def _count(masks: Iterable[int], at: int) -> int:
    return sum(mask >> at & 1 for mask in masks)


def _serving_most(
    result: Inferred,
    binding: Mapping[str, list[Finding]],
    left: Mapping[str, int],
    pairs: Pairs,
    artifacts: Collection[str],
) -> Inferred:
    """The answer if no release fits all files: those that fit the most files, or else the most lines.

    A model or a custom op that a release cannot load is of no use there at all: it must fit.
    """
    needed = pairs.full
    for file in artifacts:
        needed &= left[file]
    lines = [one.pairs for some in binding.values() for one in some]
    places = [at for at in range(len(pairs.all)) if needed >> at & 1]
    chosen = max(places, key=lambda at: (_count(left.values(), at), _count(lines, at), at), default=0)
    fit = tuple(file for file, mask in left.items() if places and mask >> chosen & 1)
    misfit = tuple(file for file in left if file not in fit)
    together = needed
    for file in fit:
        together &= left[file]
    most = max((_count(lines, at) for at in places if together >> at & 1), default=0)
    if not any(one.pairs != pairs.full for file in fit for one in binding[file]):
        # the files that fit need nothing in particular, so that the lines of the others decide
        together = sum(1 << at for at in places if together >> at & 1 and _count(lines, at) == most)
    contradictions = []
    for file in misfit:
        mine = sorted(binding[file], key=_width)
        theirs = [*mine, *sorted((one for each in fit for one in binding[each]), key=_width)]
        pair = next(
            ((one, two) for one in mine for two in theirs if not one.pairs & two.pairs and one is not two), None
        )
        if pair is None and mine:
            pair = (mine[0], next((two for two in theirs if two.symbol != mine[0].symbol), mine[0]))
        if pair is not None:
            contradictions.append(pair)
    mask = pairs.releases(together)
    return replace(
        result,
        conflict=True,
        releases=pairs.surface.names(mask),
        spec=spec(pairs.surface, mask),
        python=pairs.python(together),
        fit=fit,
        misfit=misfit,
        contradictions=tuple(contradictions),
        lost=tuple(_lost(binding, mask, pairs)),
    )


def _lost(binding: Mapping[str, list[Finding]], mask: int, pairs: Pairs) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    """The findings that each release of a set does not satisfy on any Python."""
    for place, name in enumerate(pairs.surface.minors):
        if mask >> place & 1:
            here = pairs.of_releases(1 << place)
            yield name, tuple(one for some in binding.values() for one in some if not one.pairs & here)
