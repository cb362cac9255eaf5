"""The public symbols of every release of TensorFlow and Keras: the rows of `constraints/symbols/api/`.

::

    table = symbols.load().api                             # an ApiTable; nothing is read before the first query
    found = table.symbol("tf.contrib.layers.flatten")      # SymbolRange | None; `tensorflow.` means the same as `tf.`
    found.first, found.last                                # Version("1.4.0"), Version("1.15.5")
    found.spans, found.holes                               # runs of releases with it; releases between them
    found.versions, found.minors                           # all releases with it; ("1.4", …, "1.15")
    found.on(Version("1.12.3"))                            # whether this release has it
    found.kind, found.module                               # "function", "tensorflow.contrib.layers.python.layers…"
    found.parameters                                       # of a function, a method, or the constructor of a class
    found.parameter("outputs_collections").versions        # the releases whose signature has it; None if there is none
    found.accepts("scope", Version("1.15.5"))              # True, False, or None: not known (it has `**kwargs`)
    table.releases, table.minors                           # of TensorFlow, oldest first
    table.symbol("keras.layers.Dense")                     # the same, by release of Keras: table.keras.releases
    table.children("tf.contrib.layers")                    # names directly below
    table.names("tf.contrib.")                             # all names with this prefix
    table.became("tf.placeholder")                         # Became | None, from `became.toml`, TensorFlow's tables

Methods and properties of classes are symbols too (`tf.keras.Model.fit`), inherited ones included, and modules of Keras
up to 2.12 that are not public but can be imported (`keras.engine.topology`); these are neither `names` nor `children`.
`tf.keras` of 2.16 and later is Keras 3: such a release has the symbols of the newest Keras that its metadata admits,
and `found.keras` is the range in releases of Keras. A `Version` that is not in the table is treated as the newest known
one before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from tfenv.errors import UsageError
from tfenv.symbols.inner import parse_inner
from tfenv.symbols.releases import Releases
from tfenv.symbols.rows import KINDS, SymbolRow, parse_row, split, union

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.version import Version

    from tfenv.symbols.became import Became, BecameTable

Kind = Literal["module", "class", "function", "property", "value"]

_HOPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a callable.

    Attributes:
        name: name with its stars, if it has any (`*args`, `**kwargs`).
        mask: releases whose signature has it.
        releases: what the mask counts.
    """

    name: str
    mask: int = field(repr=False)
    releases: Releases = field(repr=False)

    @property
    def versions(self) -> tuple[Version, ...]:
        """The releases whose signature has it, oldest first."""
        return self.releases.versions(self.mask)

    @property
    def spans(self) -> tuple[tuple[Version, Version], ...]:
        """Runs of such releases, each from first to last."""
        return self.releases.spans(self.mask)

    def on(self, version: Version) -> bool:
        """Whether the signature in this release has it."""
        return self.releases.holds(self.mask, version)


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRange:
    """A public symbol and the releases that have it.

    Attributes:
        name: dotted name, from `tf.` or `keras.` on.
        kind: kind in the newest release that has it.
        module: module that defines it, or its class, in that release (`tensorflow` instead of `tensorflow_core`);
            empty if not known.
        mask: releases that have it.
        releases: what the mask counts.
        parameters: parameters of a callable in the order of the newest signature, then removed ones; ``None`` if it is
            not callable or its signature is not known (protocol buffers, what C++ defines).
        known: releases in which the signature is known.
        open: whether it is a class with unknown members (protocol buffers, classes of C++): a member that is not
            found may exist.
        keras: the same symbol by release of Keras, if newer releases of TensorFlow take it from there.
    """

    name: str
    kind: Kind
    module: str
    mask: int = field(repr=False)
    releases: Releases = field(repr=False)
    parameters: tuple[Parameter, ...] | None = None
    known: int = field(default=0, repr=False)
    open: bool = False
    keras: SymbolRange | None = None

    @property
    def first(self) -> Version:
        """The oldest release that has it."""
        return self.versions[0]

    @property
    def last(self) -> Version:
        """The newest release that has it."""
        return self.versions[-1]

    @property
    def versions(self) -> tuple[Version, ...]:
        """All releases that have it, oldest first."""
        return self.releases.versions(self.mask)

    @property
    def minors(self) -> tuple[str, ...]:
        """The minor releases whose newest patch release has it, oldest first."""
        return self.releases.minors_of(self.mask)

    @property
    def spans(self) -> tuple[tuple[Version, Version], ...]:
        """Runs of releases that have it, each from first to last."""
        return self.releases.spans(self.mask)

    @property
    def holes(self) -> tuple[Version, ...]:
        """Releases between the first and the last that lack it."""
        return tuple(one for one in self.releases.all if self.first < one < self.last and not self.on(one))

    def on(self, version: Version) -> bool:
        """Whether this release has it."""
        return self.releases.holds(self.mask, version)

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name (without stars) in any release."""
        return next((one for one in self.parameters or () if one.name.lstrip("*") == name), None)

    def accepts(self, keyword: str, version: Version) -> bool | None:
        """Whether it can be called with this keyword in this release; ``None`` if not known."""
        if self.parameters is None or not self.releases.holds(self.known, version):
            return None
        if any(one.name == keyword and one.on(version) for one in self.parameters):
            return True
        return None if any(one.name.startswith("**") and one.on(version) for one in self.parameters) else False


class PackageSymbols:
    """The symbols of one package; each file is read on first use. Names are relative to the package.

    Attributes:
        releases: releases of the package that were read.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, dict[str, list[str]]] = {}
        self._rows: dict[str, SymbolRow | None] = {}
        self._resolved: dict[tuple[str, int], SymbolRow | None] = {}

    @cached_property
    def releases(self) -> Releases:
        """The releases of the package that were read."""
        return Releases.load(self._directory / "releases.txt")

    def row(self, name: str) -> SymbolRow | None:
        """The row in the file for exactly this name; ``None`` if there is none."""
        if name not in self._rows:
            lines = self._file(name.partition(".")[0]).get(name) or self._file("_").get(name)
            self._rows[name] = self._inner(name) if lines is None else parse_row(name, lines, self.releases)
        return self._rows[name]

    def _inner(self, name: str) -> SymbolRow | None:
        """The row of a module that can be imported but is not public, or of a name in one."""
        owner = name.rpartition(".")[0]
        for module in (name, owner):
            lines = self._file("inner").get(module)
            if lines is not None:
                return parse_inner(module, lines[0], self.releases).get(name)
        return None

    def lines(self, name: str) -> Iterator[str]:
        """All names in the files that contain this name or names below it."""
        if not name:
            for path in sorted(self._directory.glob("*.txt")):
                if path.stem not in ("releases", "inner"):
                    yield from self._file(path.stem)
            return
        yield from self._file(name.partition(".")[0])
        yield from self._file("_")

    def resolve(self, name: str, hops: int = _HOPS) -> SymbolRow | None:
        """The row of a symbol, with inherited members and aliases (its own, and of modules above it) resolved."""
        key = (name, hops)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(name, hops)
        return self._resolved[key]

    def _resolve(self, name: str, hops: int) -> SymbolRow | None:
        row = self.row(name)
        if not hops:
            return row
        found = None if row is None else row.within(row.mask & ~union(mask for _, mask in row.aliases), name)
        for target, mask in row.aliases if row is not None else ():
            found = self._joined(found, target, mask, name, hops)
        owner, _, member = name.rpartition(".")
        direct = True
        while owner:
            above = self.row(owner)
            rest = name.removeprefix(owner)
            for target, mask in above.aliases if above is not None else ():
                found = self._joined(found, f"{target}{rest}", mask, name, hops)
            if direct and above is None and "." in owner:  # a class inherited from the class that contains it
                above = self.resolve(owner, hops - 1)
            for target, mask in above.bases if direct and above is not None else ():
                found = self._joined(found, f"{target}.{member}", mask, name, hops)
            owner, direct = owner.rpartition(".")[0], False
        if found is not None:
            found = self._with_untold(found, name)
        return found if found is not None and found.mask else None

    def _with_untold(self, found: SymbolRow, name: str) -> SymbolRow:
        """Extend a member of an inner class to the releases in which no members of the class are recorded."""
        holder = self.row(name.rpartition(".")[0])
        if holder is None or not holder.inner:
            return found
        untold = union(mask for kind, mask in holder.kinds if kind == "C") & ~found.mask
        return SymbolRow(name=name, mask=untold, kinds=((found.kind, untold),)).joined(found) if untold else found

    def _joined(self, found: SymbolRow | None, target: str, mask: int, name: str, hops: int) -> SymbolRow | None:
        """The row, completed by `target` for the releases that the row does not describe."""
        there = self.resolve(target, hops - 1)
        return found if there is None else there.within(mask, name).joined(found)

    def _file(self, stem: str) -> dict[str, list[str]]:
        if stem not in self._files:
            path = self._directory / f"{stem}.txt"
            held: dict[str, list[str]] = {}
            if stem.replace("_", "a").isalnum() and path.is_file():
                for name, rest in split(path.read_text(encoding="utf-8")):
                    held.setdefault(name, []).append(rest)
            self._files[stem] = held
        return self._files[stem]


class ApiTable:
    """The symbols of TensorFlow and Keras."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._found: dict[str, SymbolRange | None] = {}

    @cached_property
    def tensorflow(self) -> PackageSymbols:
        """The symbols of `tensorflow`."""
        return PackageSymbols(self._directory / "tensorflow")

    @cached_property
    def keras(self) -> PackageSymbols:
        """The symbols of `keras`."""
        return PackageSymbols(self._directory / "keras")

    @property
    def releases(self) -> tuple[Version, ...]:
        """The releases of TensorFlow that were read, oldest first."""
        return self.tensorflow.releases.all

    @property
    def minors(self) -> tuple[str, ...]:
        """The minor releases of TensorFlow that were read, oldest first."""
        return self.tensorflow.releases.minors

    def symbol(self, name: str) -> SymbolRange | None:
        """A symbol by its dotted name (`tf.…`, `tensorflow.…` or `keras.…`); ``None`` if no release has it.

        Raises:
            UsageError: the row in the database is damaged.
        """
        if name not in self._found:
            package, _, rest = name.partition(".")
            if package == "keras":
                self._found[name] = _told(name, self.keras.resolve(rest) if rest else None, self.keras.releases)
            elif package in ("tf", "tensorflow"):
                self._found[name] = self._tensorflow(rest) if rest else None
            else:
                self._found[name] = None
        return self._found[name]

    def names(self, prefix: str) -> tuple[str, ...]:
        """All symbols with this prefix (`tf.contrib.`), sorted; members only of the class that defines them."""
        package, dot, rest = prefix.partition(".")
        shelf, root = (self.keras, "keras") if package == "keras" else (self.tensorflow, "tf")
        if not dot or package not in ("tf", "tensorflow", "keras"):
            return ()
        found = {f"{root}.{name}" for name in shelf.lines(rest.partition(".")[0] if "." in rest else "") if name}
        for link, target in self._links() if root == "tf" else ():
            for name in self.keras.lines(target.partition(".")[0]):
                if name.startswith(f"{target}."):
                    found.add(f"tf.{link}{name.removeprefix(target)}")
        return tuple(sorted(name for name in found if name.startswith(f"{root}.{rest}")))

    def children(self, name: str) -> tuple[str, ...]:
        """The names directly below a module or a class, without its own name: `("bias_add", "flatten", …)`."""
        below = (one.removeprefix(f"{name}.").partition(".")[0] for one in self.names(f"{name}."))
        return tuple(sorted(set(below)))

    def became(self, name: str) -> Became | None:
        """The replacement of a symbol that was removed or moved; ``None`` if none is known."""
        return self._became.find(name)

    @cached_property
    def _became(self) -> BecameTable:
        from tfenv.symbols.became import BecameTable

        return BecameTable(self._directory)

    def _links(self) -> Iterator[tuple[str, str]]:
        """The link from TensorFlow's names to those of Keras: `("keras", "_tf_keras.keras")`."""
        for link in self.tensorflow.releases.links:
            yield link, self.tensorflow.releases.links[link][1]

    def _tensorflow(self, name: str) -> SymbolRange | None:
        shelf = self.tensorflow
        found = _told(f"tf.{name}", shelf.resolve(name), shelf.releases)
        for link, (mask, target) in shelf.releases.links.items():
            if name != link and not name.startswith(f"{link}."):
                continue
            row = self.keras.resolve(f"{target}{name.removeprefix(link)}")
            there = _told(f"keras.{target}{name.removeprefix(link)}", row, self.keras.releases)
            if there is None:
                continue
            here = replace(self._moved(there, mask), name=f"tf.{name}", keras=there)
            if here.mask:
                found = here if found is None else _joined(found, here)
            elif found is not None:
                found = replace(found, keras=there)
        return found

    def _moved(self, there: SymbolRange, mask: int) -> SymbolRange:
        """A row by release of Keras, converted to releases of TensorFlow, each with the newest Keras that it admits."""
        releases = self.tensorflow.releases
        chosen = releases.companions(mask, self.keras.releases)

        def carry(mask: int) -> int:
            return sum(1 << ours for ours, theirs in chosen if mask >> theirs & 1)

        parameters = None
        if there.parameters is not None:
            carried = (replace(one, mask=carry(one.mask), releases=releases) for one in there.parameters)
            parameters = tuple(one for one in carried if one.mask)
        return replace(
            there,
            mask=carry(there.mask),
            known=carry(there.known),
            parameters=parameters,
            releases=releases,
        )


def _told(name: str, row: SymbolRow | None, releases: Releases) -> SymbolRange | None:
    if row is None or not row.mask:
        return None
    if row.kind not in KINDS:
        raise UsageError(f"the row of `{name}` is of the unknown kind `{row.kind}`")
    parameters = None
    if row.parameters is not None:
        parameters = tuple(Parameter(name=one, mask=mask, releases=releases) for one, mask in row.parameters)
    return SymbolRange(
        name=name,
        kind=KINDS[row.kind],
        module=row.module,
        mask=row.mask,
        releases=releases,
        parameters=parameters,
        known=row.known,
        open="C" in (kind for kind, _ in row.kinds),
    )


def _joined(old: SymbolRange, new: SymbolRange) -> SymbolRange:
    """One range made of two successive ones; the details of the newer one count."""
    parameters = new.parameters if old.parameters is None else old.parameters
    if old.parameters is not None and new.parameters is not None:
        masks = {one.name: one.mask for one in new.parameters}
        for one in old.parameters:
            masks[one.name] = masks.get(one.name, 0) | one.mask
        parameters = tuple(Parameter(name=name, mask=mask, releases=new.releases) for name, mask in masks.items())
    return replace(new, mask=old.mask | new.mask, known=old.known | new.known, parameters=parameters)
