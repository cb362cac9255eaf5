"""What a published file needs and its metadata does not say, read off the code that importing it runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from packaging.specifiers import SpecifierSet

from tfenv.harvest.imports import Package
from tfenv.infer.answer import spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tfenv.infer.surface import Surface
    from tfenv.infer.uses import Reading, Use

_README_IMPORT: Final = re.compile(r"^[>.\s`]*(?:from\s+([\w.]+)\s+import\s+(\w+)|import\s+([\w.]+))", re.MULTILINE)
_IMPORTS: Final = re.compile(rb"^\s*(?:import|from)\s+(?:tensorflow|keras|tf_keras)\b", re.MULTILINE)
_SCRIPT: Final = re.compile(r"^([^=\[\]\n]+)=\s*([\w.]+)\s*:\s*\w+\s*$", re.MULTILINE)
_TESTS: Final = re.compile(r"(^|[./_])(tests?|testing|examples?|docs?|benchmarks?|scripts)([./_]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeNeed:
    """One thing that a file needs.

    Attributes:
        kind: `import` (a module outside the file), `tensorflow` (some of its releases) or `numpy` (likewise).
        what: module; specifier of the minor releases of TensorFlow; name of NumPy.
        beside: for a module, the minor releases of TensorFlow beside which it is imported; empty for all.
        legacy: for TensorFlow, the specifier that holds where `tf.keras` is Keras 2 by TF_USE_LEGACY_KERAS.
        names: names that decide, at most three; empty if the code itself refuses other releases.
        file: path of the module that needs it.
    """

    kind: str
    what: str
    beside: str = ""
    legacy: str = ""
    names: tuple[str, ...] = ()
    file: str = ""


class PublishedCode:
    """A published file of a project.

    Args:
        project: normalized name.
        sources: its Python files by path.
        metadata: text of METADATA, whose description shows how to import it.
        scripts: text of `entry_points.txt`.
        surface: names of TensorFlow and Keras.
    """

    def __init__(
        self, project: str, sources: Mapping[str, bytes], metadata: str, scripts: str, surface: Surface
    ) -> None:
        kept = {path: text for path, text in sources.items() if not _TESTS.search(path)}
        self.package = Package(kept, surface.releases, surface.keras)
        self._project = project
        self._sources = kept
        self._metadata = metadata
        self._scripts = scripts
        self._surface = surface

    @property
    def mentions(self) -> bool:
        """Whether any of its code imports TensorFlow or Keras."""
        return any(_IMPORTS.search(text) for text in self._sources.values())

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """The modules that users import: the package, and the module of the script that has the name of the project.

        Where the package itself imports nothing, also those that its description imports.
        """
        files = self.package.files
        own = {_flat(self._project), _flat(self._project).removesuffix("nightly")}
        tops = sorted(name for name in files if "." not in name)
        found = [name for name in tops if _flat(name) in own] or (tops if len(tops) < 4 else [])
        scripts = _SCRIPT.findall(self._scripts.partition("[console_scripts]")[2].partition("\n[")[0])
        found += [module for script, module in scripts if _flat(script.strip()) in own and module in files]
        if not any(reading.inner for reading in self.package.imported(found)):
            found += [name for name in self._described() if name in files]
        return tuple(dict.fromkeys(found))

    def _described(self) -> Iterator[str]:
        for module, name, plain in _README_IMPORT.findall(self._metadata):
            yield plain or f"{module}.{name}"
            yield module

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """What importing the entries runs."""
        return tuple(self.package.imported(self.entries))

    def needs(self, removed: Iterable[str]) -> Iterator[CodeNeed]:
        """Everything the file needs.

        Args:
            removed: names that some release of NumPy lacks.
        """
        yield from self._modules()
        yield from self._tensorflow()
        lacking = {f"numpy.{name}" for name in removed}
        seen: set[str] = set()
        for reading in self.readings:
            for use in reading.foreign:
                name = ".".join(use.symbols[0].split(".")[:2])
                if name in lacking and name not in seen:
                    seen.add(name)
                    yield CodeNeed(kind="numpy", what=name.partition(".")[2], file=reading.file)

    def _modules(self) -> Iterator[CodeNeed]:
        every = self._surface.every
        live: dict[str, int] = {}
        files: dict[str, str] = {}
        for reading in self.readings:
            for one in reading.imports:
                if one.sure and one.live & every:
                    live[one.module] = live.get(one.module, 0) | one.live & every
                    files.setdefault(one.module, reading.file)
            for use in reading.uses:
                if use.sure and use.live & every and all(name.partition(".")[0] == "keras" for name in use.symbols):
                    live["keras"] = live.get("keras", 0) | use.live & every
                    files.setdefault("keras", reading.file)
        for module, mask in live.items():
            beside = "" if mask == every else spec(self._surface, mask)
            yield CodeNeed(kind="import", what=module, beside=beside, file=files[module])

    @property
    def minors(self) -> tuple[str, ...]:
        """The minor releases of TensorFlow on which the code runs, as far as its names say."""
        wanted = next((need.what for need in self._tensorflow()), "")
        return self._surface.names(self._surface.mask(SpecifierSet(wanted)))

    def _tensorflow(self) -> Iterator[CodeNeed]:
        """The releases on which all the code that importing the file runs has its names."""
        surface = self._surface
        every = strict = soft = surface.every
        decisive: dict[str, tuple[int, str]] = {}
        refusing: list[tuple[int, str]] = []
        for reading in self.readings:
            for use in reading.uses:
                if not use.sure or use.star or not use.live & every:
                    continue
                mask, legacy = self._masks(use)
                strict, soft = strict & mask, soft & (mask | legacy)
                if mask & every != every:
                    decisive.setdefault(use.symbols[0], (mask, reading.file))
            for bound in reading.bounds:
                if bound.sure:
                    mask = bound.releases & every
                    of_keras = "keras" in bound.text and not every & ~mask & ~surface.keras3
                    strict, soft = strict & mask, soft & (every if of_keras else mask)
                    refusing.append((mask, reading.file))
        strict, soft = _hull(strict), _hull(soft)
        if strict == every or not strict:
            return
        names = sorted(decisive, key=lambda name: (decisive[name][0] & every).bit_count())
        if refusing and (not names or any(mask & every == strict for mask, _ in refusing)):
            names, file = [], min(refusing, key=lambda pair: (pair[0] & every).bit_count())[1]
        else:
            file = decisive[names[0]][1]
        yield CodeNeed(
            kind="tensorflow",
            what=spec(surface, strict),
            legacy=spec(surface, soft) if soft != strict else "",
            names=tuple(names[:3]),
            file=file,
        )

    def _masks(self, use: Use) -> tuple[int, int]:
        mask = legacy = 0
        for symbol in use.symbols:
            of_modules = self._surface.of_modules(symbol)
            if of_modules is not None:
                mask |= of_modules
                continue
            found = self._surface.find(symbol, use.keywords)
            mask |= found.mask
            legacy |= found.legacy
        return (mask | ~use.live) & self._surface.every, legacy


def _flat(name: str) -> str:
    return re.sub(r"[-_.]", "", name.lower())


def _hull(mask: int) -> int:
    """A set of releases without gaps: a name that comes back was hardly gone between."""
    return (1 << mask.bit_length()) - (mask & -mask) if mask else 0
