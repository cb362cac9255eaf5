"""The public surface of TensorFlow: which minor releases have what a path names and accept its keywords."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.infer.python.meanings import INSTANCE

if TYPE_CHECKING:
    from tfenv.symbols.modules import ModuleRanges
    from tfenv.symbols.table import ApiTable, SymbolRange

PRIVATE: Final = ("tf.python", "tf.core", "tf.compiler", "tf.tools", "tf.lite.python", "tf.examples")
"""First parts of the names of TensorFlow's private modules."""

_OPEN: Final = ("module", "class")
_ATTRIBUTES: Final = ("property", "value")
"""Kinds of names that an instance may have although its class lacks them: other releases may set them in `__init__`."""

_SET_LATER: Final = ("compiled_loss",)
"""Methods of Keras 3 that Keras 2 sets in `compile`."""

_OF_KERAS: Final = ("tf.keras", *(f"tf.compat.v1.{one}" for one in ("keras", "layers", "nn.rnn_cell")))
"""Names that come from the Keras behind `tf.keras`; the last two tried on 2.21 with and without TF_USE_LEGACY_KERAS."""

_ALSO: Final = {"tf.keras.mixed_precision.LossScaleOptimizer": "tf.keras.optimizers.Optimizer"}
"""Classes whose instances are of a class that is not public, each with a public base class of that one."""

_MAKERS: Final = {
    "tf.ragged.constant": "tf.RaggedTensor",
    "tf.keras.models.load_model": "tf.keras.Model",
    "tf.keras.models.clone_model": "tf.keras.Model",
    "tf.keras.models.model_from_json": "tf.keras.Model",
    "keras.models.load_model": "keras.Model",
    "keras.models.model_from_json": "keras.Model",
}
"""Functions whose result is an instance of a known class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Result of a search for a path.

    Attributes:
        symbol: longest part of the path that is a public name, with the keyword if the keyword decides.
        mask: minor releases that have the symbol and accept the keywords.
        missing: part of the path that no release has; empty if the path is a public name.
        legacy: minor releases that have the symbol once TF_USE_LEGACY_KERAS is set.
    """

    symbol: str
    mask: int
    missing: str = ""
    legacy: int = 0


class Surface:
    """The symbols of every minor release, each represented by its newest stable patch release.

    Attributes:
        releases: one release for each minor release, oldest first; bit n of a mask represents the n-th.
        minors: names of the minor releases, such as `2.15`.
        every: mask of all releases.
    """

    def __init__(self, table: ApiTable, modules: ModuleRanges) -> None:
        self._table = table
        self._modules = modules
        newest: dict[tuple[int, int], Version] = {}
        for release in table.releases:
            if not release.is_prerelease:
                newest[release.major, release.minor] = release
        self.releases = tuple(newest[key] for key in sorted(newest))
        self.minors = tuple(f"{one.major}.{one.minor}" for one in self.releases)
        self.every = (1 << len(self.releases)) - 1
        self._found: dict[tuple[str, tuple[str, ...]], Found] = {}
        self._masks: dict[str, int] = {}

    @cached_property
    def keras3(self) -> int:
        """The minor releases whose `tf.keras` is Keras 3."""
        rows = {row.version: row.keras for row in self._table.tensorflow.releases.rows}
        mask = 0
        for place, release in enumerate(self.releases):
            chosen = [one for one in self._keras_for(rows.get(release, "")) if rows.get(release)]
            mask |= bool(chosen and chosen[-1].major >= 3) << place
        return mask

    @cached_property
    def keras(self) -> tuple[str, ...]:
        """The version of the Keras behind `tf.keras` in each release; before 2.6, that of the release itself."""
        rows = {row.version: row.keras for row in self._table.tensorflow.releases.rows}
        chosen = [self._keras_for(rows[one]) if rows.get(one) else () for one in self.releases]
        return tuple(str(some[-1] if some else one) for one, some in zip(self.releases, chosen, strict=True))

    @cached_property
    def keras2(self) -> int:
        """The newest minor release whose `tf.keras` is Keras 2; 0 if there is none."""
        older = self.every & ~self.keras3
        return 1 << (older.bit_length() - 1) if older else 0

    def mask(self, specifier: SpecifierSet) -> int:
        """The minor releases in a specifier."""
        return sum(1 << place for place, one in enumerate(self.releases) if specifier.contains(one, prereleases=True))

    def names(self, mask: int) -> tuple[str, ...]:
        """The minor releases of a mask, oldest first."""
        return tuple(name for place, name in enumerate(self.minors) if mask >> place & 1)

    def find(self, path: str, keywords: tuple[str, ...] = ()) -> Found:
        """Which releases have what a path names.

        Args:
            path: dotted name that begins with `tf.` or `keras.`; a part that ends in `()` is an instance of the class.
            keywords: keywords of the call, if it is called.
        """
        key = path, keywords
        if key not in self._found:
            self._found[key] = self._find(path, keywords)
        return self._found[key]

    def of_modules(self, path: str) -> int | None:
        """The releases that have the private modules of a path; ``None`` for a public path of TensorFlow.

        Names in private modules are recorded less completely than public ones, and do not count here.
        """
        if not path.startswith(("keras.", *PRIVATE)):
            return None
        root, *parts = path.split(".")
        name, mask = root, self.every
        for part in parts:
            name = f"{name}.{part.removesuffix(INSTANCE)}"
            symbol = self._table.symbol(name)
            if lying := self._lying(name):
                mask &= lying
            elif path.startswith("keras.") and symbol is not None and (symbol.kind == "module" or symbol.module):
                mask &= self._releases_of(symbol)
            else:
                break
        return mask

    def _find(self, path: str, keywords: tuple[str, ...]) -> Found:
        root, *parts = path.split(".")
        name, mask, symbol, last, held = root, self.every, None, len(parts) - 1, False
        for place, part in enumerate(parts):
            word = part.removesuffix(INSTANCE)
            below = self._table.symbol(f"{name}.{word}")
            if below is None and (lying := self._lying(f"{name}.{word}")):
                name, mask = f"{name}.{word}", mask & lying
                continue
            if below is None:
                if symbol is None or symbol.kind == "module":
                    return Found(symbol=name, mask=mask, missing=".".join((name, *parts[place:])))
                break
            also = self._table.symbol(f"{_ALSO[name]}.{word}") if name in _ALSO else None
            name, symbol = f"{name}.{word}", below
            if not held or (below.kind not in _ATTRIBUTES and word not in _SET_LATER):
                mask &= self._releases_of(below) | (self._releases_of(also) if also is not None else 0)
            held = held or part != word
            if part != word and place < last:
                name = _MAKERS.get(name, name)
                symbol = self._table.symbol(name)
                if symbol is None or symbol.kind != "class":
                    return Found(symbol=f"{root}.{'.'.join(parts[: place + 1])}".replace(INSTANCE, ""), mask=mask)
            elif place == last and keywords:
                return self._called(name, below, mask, keywords)
            elif below.kind not in _OPEN and not self._is_open(name, parts[place + 1 :]):
                break
        return Found(symbol=name, mask=mask, legacy=self._legacy(name, mask))

    def _is_open(self, name: str, rest: list[str]) -> bool:
        """Whether the next part is known. A module of some releases may be a plain value in newer ones."""
        return bool(rest) and self._table.symbol(f"{name}.{rest[0].removesuffix(INSTANCE)}") is not None

    def _called(self, name: str, symbol: SymbolRange, mask: int, keywords: tuple[str, ...]) -> Found:
        shown, worst = name, mask
        for keyword in keywords:
            taken = self._taking(symbol, keyword)
            if not taken & mask:
                continue  # no release that has the symbol accepts this keyword: the call is probably of something else
            if taken & mask != mask:
                shown, worst = f"{name}({keyword}=)", worst & taken
        worst = worst or mask
        return Found(symbol=shown, mask=worst, legacy=self._legacy(name, worst))

    def _taking(self, symbol: SymbolRange, keyword: str) -> int:
        if symbol.name.startswith("keras."):
            parameter = symbol.parameter(keyword)
            if parameter is None or any(one.name.startswith("**") for one in symbol.parameters or ()):
                return self.every
            return self._of_keras(parameter.versions)
        return sum(1 << place for place, one in enumerate(self.releases) if symbol.accepts(keyword, one) is not False)

    def _legacy(self, name: str, mask: int) -> int:
        """Releases with Keras 3 that have a name of `tf.keras` once Keras 2 replaces it; the package `keras` stays."""
        return self.keras3 if name.startswith(_OF_KERAS) and mask & self.keras2 else 0

    def _lying(self, path: str) -> int:
        """The releases whose wheel contains this private module."""
        root, _, rest = path.partition(".")
        having = self._modules.having(f"tensorflow.{rest}") if root == "tf" else None
        minors = {one.release[:2] for one in having or ()}
        return sum(1 << place for place, one in enumerate(self.releases) if one.release[:2] in minors)

    def _releases_of(self, symbol: SymbolRange) -> int:
        if symbol.name not in self._masks:
            if symbol.name.startswith("keras."):
                mask = self._of_keras(symbol.versions)
            else:
                mask = sum(1 << place for place, one in enumerate(self.releases) if symbol.on(one))
            self._masks[symbol.name] = mask
        return self._masks[symbol.name]

    # The package `keras`: from 2.6 on, a release of TensorFlow works with some of its releases; before, with any older.

    def _of_keras(self, versions: tuple[Version, ...]) -> int:
        having, mask = set(versions), 0
        for place, allowed in enumerate(self._allowed):
            mask |= (not allowed or any(one in having for one in allowed)) << place
        return mask

    @cached_property
    def _allowed(self) -> tuple[tuple[Version, ...], ...]:
        """For each minor release the releases of Keras that it works with."""
        rows = {row.version: row.keras for row in self._table.tensorflow.releases.rows}
        found = []
        for release in self.releases:
            specifier = rows.get(release, "")
            if not specifier and release >= _PAIRED:
                specifier = f"~={release.major}.{release.minor}.0"
            found.append(self._keras_for(specifier or f"<{_PAIRED}"))
        return tuple(found)

    def _keras_for(self, specifier: str) -> tuple[Version, ...]:
        return tuple(self._table.keras.releases.all[i] for i in self._places(SpecifierSet(specifier)))

    def _places(self, specifier: SpecifierSet) -> list[int]:
        return [i for i, one in enumerate(self._table.keras.releases.all) if specifier.contains(one)]


_PAIRED: Final = Version("2.6")
"""First release of TensorFlow whose `tf.keras` is the package `keras` of the same minor release (until Keras 3).

Source: `Requires-Dist: keras (<2.7,>=2.6…)` in the metadata of tensorflow 2.6.x and so on.
"""
