"""One line of the files in `constraints/symbols/api/`: a symbol, its releases, its module, its parameters.

Fields are separated by tabs: name, kind, releases, module, bases, parameters. A value that differs between releases is
written several times, each with its releases in brackets (`axis[1.4-1.12] keepdims[1.5+]`); one without brackets holds
for all releases of the symbol (for a parameter, all whose signature is known). A line of the kind `=` records another
name of the same object: name, `=`, releases, that name. Empty fields at the end are omitted.

Frequent values are abbreviated: `~ops.math_ops` is the module `tensorflow.python.ops.math_ops` (`_SHORT` lists the
signs). Aliases that differ only in their module share a line: module, `=`, releases, the other module, names; an
empty other module is the module without `compat.v1.` or `compat.v2.`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final, Literal

from tfenv.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfenv.symbols.releases import Releases

KINDS: Final[dict[str, Literal["module", "class", "function", "property", "value"]]] = {
    "m": "module",
    "c": "class",
    "C": "class",
    "f": "function",
    "p": "property",
    "v": "value",
}
"""Kinds of symbols by letter; `C` is a class of which not all members are known."""

Varied = tuple[tuple[str, int], ...]
"""Values, each with the set of releases that have it."""

_SAME, _SHARED = "=\t", 4
_NO_PARAMETERS = "()"
_SHORT: Final = {
    "~": "tensorflow.python.",
    "%": "tensorflow.contrib.",
    "!": "tensorflow._api.",
    "&": "keras.src.",
}
"""Beginnings of module names by the sign that abbreviates them."""

_COMPAT = re.compile(r"^compat\.v[12]\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRow:
    """A symbol as the files record it; sets of releases are masks, as in `Releases`.

    Attributes:
        name: name relative to the package.
        mask: releases that have it.
        kinds: letters of `KINDS`, oldest first.
        modules: modules that define it, oldest first; empty for members of a class.
        bases: public classes that a class inherits further members from.
        known: releases in which the signature is known.
        parameters: names of parameters; ``None`` if the signature is not known in any release.
        aliases: symbols that this is another name of; nothing else is recorded for those releases.
        inner: whether it is, or is in, a module that can be imported but is not public; few details are recorded.
    """

    name: str
    mask: int
    kinds: Varied = ()
    modules: Varied = ()
    bases: Varied = ()
    known: int = 0
    parameters: Varied | None = None
    aliases: Varied = ()
    inner: bool = False

    @property
    def kind(self) -> str:
        """The letter of its kind in the newest release that has it."""
        return _newest(self.kinds)

    @property
    def module(self) -> str:
        """Where it is defined in the newest release that has it."""
        return _newest(self.modules)

    def within(self, mask: int, name: str) -> SymbolRow:
        """The symbol in these releases only, under another name."""
        parameters = None if self.parameters is None else _cut(self.parameters, mask)
        return SymbolRow(
            name=name,
            mask=self.mask & mask,
            kinds=_cut(self.kinds, mask),
            modules=_cut(self.modules, mask),
            bases=_cut(self.bases, mask),
            known=self.known & mask,
            parameters=parameters if self.known & mask else None,
            aliases=_cut(self.aliases, mask),
        )

    def joined(self, over: SymbolRow | None) -> SymbolRow:
        """Both rows in one; for releases that both describe, `over` counts."""
        if over is None:
            return self
        under = self.within(self.mask & ~over.mask, self.name)
        parameters = None
        if under.parameters is not None or over.parameters is not None:
            parameters = _merge(over.parameters or (), under.parameters or ())
        return replace(
            over,
            mask=under.mask | over.mask,
            kinds=_merge(over.kinds, under.kinds),
            modules=_merge(over.modules, under.modules),
            bases=_merge(over.bases, under.bases),
            known=under.known | over.known,
            parameters=parameters,
        )


def split(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a file, each as a name and its fields; a shared line is repeated for each of its names."""
    for line in text.splitlines():
        name, _, rest = line.partition("\t")
        fields = rest.split("\t") if rest.startswith(_SAME) else []
        if len(fields) < _SHARED:
            yield name, rest
            continue
        kind, spans, module, names = fields
        for last in names.split():
            target = f"\t{module}.{last}" if module else ""
            yield f"{name}.{last}".removeprefix("."), f"{kind}\t{spans}{target}"


def share(lines: Iterable[str]) -> list[str]:
    """The lines of a file in canonical form: shared lines come first."""
    shared: dict[tuple[str, str, str], list[str]] = {}
    alone = []
    for line in lines:
        name, kind, spans, *rest = line.split("\t")
        owner, _, last = name.rpartition(".")
        module, _, there = rest[0].rpartition(".") if rest else ("", "", last)
        if kind == "=" and there == last and (module or not rest):
            shared.setdefault((owner, spans, module), []).append(last)
        else:
            alone.append(line)
    spelled = [f"{owner}\t=\t{spans}\t{module}\t{' '.join(names)}" for (owner, spans, module), names in shared.items()]
    return [*sorted(spelled), *alone]


def parse_row(name: str, lines: Iterable[str], releases: Releases) -> SymbolRow:
    """The row of a symbol from the fields of its lines.

    Raises:
        UsageError: a line is not valid.
    """
    aliases, row = [], None
    for line in lines:
        kind, _, rest = line.partition("\t")
        if kind == "=":
            spans, _, target = rest.partition("\t")
            aliases.append((target or _COMPAT.sub("", name), releases.parse(spans)))
        else:
            row = _parse_own(name, line, releases)
    if row is None:
        row = SymbolRow(name=name, mask=0)
    aliases.sort(key=lambda pair: (pair[1] & -pair[1], pair[0]))
    return replace(row, mask=row.mask | union(mask for _, mask in aliases), aliases=tuple(aliases))


def spell_row(row: SymbolRow, releases: Releases) -> tuple[str, ...]:
    """The canonical lines of a row, name included."""
    plain = _COMPAT.sub("", row.name)
    lines = [
        f"{row.name}\t=\t{releases.spell(mask)}" + (f"\t{target}" if target != plain else "")
        for target, mask in row.aliases
    ]
    own = row.mask & ~union(mask for _, mask in row.aliases)
    if own:
        parameters = ""
        if row.parameters is not None:
            parameters = spell_varied(row.parameters, row.known, releases) or _NO_PARAMETERS
            if row.known != own:
                parameters = f"[{releases.spell(row.known).replace(' ', ',')}] {parameters}"
        fields = (row.kinds, _shortened(row.modules), row.bases)
        kinds, modules, bases = (spell_varied(one, own, releases) for one in fields)
        lines.append("\t".join((row.name, kinds, releases.spell(own), modules, bases, parameters)).rstrip("\t"))
    return tuple(lines)


def _parse_own(name: str, line: str, releases: Releases) -> SymbolRow:
    kind, _, rest = line.partition("\t")
    spans, *fields = rest.split("\t")
    mask = releases.parse(spans)
    fields += [""] * (3 - len(fields))
    kinds, modules, bases = (parse_varied(text, mask, releases) for text in (kind, fields[0], fields[1]))
    modules = tuple((_SHORT.get(one[:1], one[:1]) + one[1:], mask) for one, mask in modules)
    if not mask or not kinds:
        raise UsageError(f"the row of `{name}` has no releases or no kind: `{line}`")
    text, known, parameters = fields[2], 0, None
    if text:
        known = mask
        if text.startswith("["):
            head, _, text = text[1:].partition("] ")
            known = releases.parse(head.replace(",", " "))
        parameters = () if text == _NO_PARAMETERS else parse_varied(text, known, releases)
    return SymbolRow(
        name=name, mask=mask, kinds=kinds, modules=modules, bases=bases, known=known, parameters=parameters
    )


def parse_varied(text: str, whole: int, releases: Releases) -> Varied:
    """Values with their releases; values without brackets hold for the whole set."""
    found = []
    for word in text.split():
        value, bracket, spans = word.partition("[")
        found.append((value, releases.parse(spans.removesuffix("]").replace(",", " ")) if bracket else whole))
    return tuple(found)


def spell_varied(varied: Varied, whole: int, releases: Releases) -> str:
    """The values as text."""
    return " ".join(
        value if mask == whole else f"{value}[{releases.spell(mask).replace(' ', ',')}]" for value, mask in varied
    )


def _shortened(modules: Varied) -> Varied:
    found = []
    for module, mask in modules:
        sign = next((sign for sign, start in _SHORT.items() if module.startswith(start)), "")
        found.append((f"{sign}{module.removeprefix(_SHORT.get(sign, ''))}", mask))
    return tuple(found)


def _cut(varied: Varied, mask: int) -> Varied:
    return tuple((value, there & mask) for value, there in varied if there & mask)


def _merge(first: Varied, second: Varied) -> Varied:
    masks = dict(first)
    for value, mask in second:
        masks[value] = masks.get(value, 0) | mask
    return tuple(masks.items())


def _newest(varied: Varied) -> str:
    return max(varied, key=lambda pair: pair[1].bit_length(), default=("", 0))[0]


def union(masks: Iterable[int]) -> int:
    """The union of several sets of releases."""
    return reduce(or_, masks, 0)
