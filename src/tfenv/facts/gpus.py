"""Names of GPUs, as people and drivers write them, and their capabilities (`gpus.toml`)."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.facts.rows import finish, read
from tfenv.facts.spelling import (
    normalized,
    without_form,
    without_last_series,
    without_mobile,
    without_series,
)
from tfenv.model.document import of, one_of
from tfenv.model.hardware import ComputeCapability, Gpu
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tfenv.facts.rows import Row

_CAPABILITY = re.compile(r"(?:(?:compute )?capability |cc ?|sm_?|compute_?|lto_)?(\d{1,2}\.?\d[af]?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuRow:
    """One GPU.

    Attributes:
        name: name under which NVIDIA sells it, without `NVIDIA` and `Tesla`.
        aliases: other names that `GpuTable.row` would not recognize by itself.
        architecture: architecture, such as `Ampere`.
        capability: compute capability.
        last_driver_branch: newest driver branch that supports it; ``None`` if all newer ones do.
        source: URL that states its capability or its chip.
        driver_source: URL that states the driver branch.
        tier: how well it is proven.
        platform: only platform that has it (for a Jetson or Grace Hopper); ``None`` if there are several.
        platform_source: URL that states the platform; empty if there is none.
    """

    name: str
    aliases: tuple[str, ...] = ()
    architecture: str
    capability: ComputeCapability
    last_driver_branch: int | None
    source: str
    driver_source: str
    tier: str
    platform: Platform | None = None
    platform_source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherGpu:
    """GPUs and similar accelerators of other makers than NVIDIA.

    Attributes:
        names: names under which they are sold, without the maker.
        word: value of `--gpu` for them: the target of an AMD GPU (`gfx1100`), `metal` or `tpu`.
        source: URL.
        tier: how well it is proven.
    """

    names: tuple[str, ...]
    word: str
    source: str
    tier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AmbiguousName:
    """A name that GPUs of several compute capabilities share, officially or in common use.

    Attributes:
        name: shared name.
        capabilities: possible compute capabilities, ascending.
        because: one clause that tells them apart.
        source: URL.
        tier: how well it is proven.
    """

    name: str
    capabilities: tuple[ComputeCapability, ...]
    because: str
    source: str
    tier: str


class GpuTable:
    """All known GPUs, found by any spelling of their names.

    Attributes:
        all: rows in the order of the file: by capability, source and name.
        ambiguous: names that several capabilities share.
        others: accelerators of other makers than NVIDIA.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/gpus.toml`.

        Raises:
            UsageError: the file has faults, such as two names that differ only in case, spaces or form.
        """
        root = read(path)
        branches = dict(root.rows("architecture", _branch))
        aliases = {name: (row, also) for row, (name, also) in root.pairs("alias", _alias)}
        families = root.rows("family", lambda row: _family(row, branches, aliases))
        self.all: tuple[GpuRow, ...] = tuple(gpu for family in families for gpu in family)
        for row, _ in aliases.values():
            row.fault("name", "no GPU has this name")
        self.others = root.rows("other", _other)
        self._words = {_plain(name): row.word for row in self.others for name in (*row.names, row.word)}
        self.ambiguous = root.rows("ambiguous", _ambiguous_name)
        self._by_key: dict[str, GpuRow | AmbiguousName] = {}
        entries: tuple[GpuRow | AmbiguousName, ...] = (*self.all, *self.ambiguous)
        root.faults += [
            f"`{name}` is also a name of `{other.name}`"
            for entry in entries
            for name in _names(entry)
            if (other := self._by_key.setdefault(normalized(name), entry)) is not entry
        ]
        finish(root, path)

    @cached_property
    def capabilities(self) -> tuple[ComputeCapability, ...]:
        """Every compute capability of a known GPU, ascending."""
        return tuple(sorted({row.capability for row in self.all}))

    def bound_to(self, gpus: Iterable[Gpu]) -> GpuRow | None:
        """The first GPU that exists on one platform only; ``None`` if there is none."""
        names = {row.name: row for row in self.all if row.platform is not None}
        return next((names[gpu.name] for gpu in gpus if gpu.name in names), None)

    def names_of(self, capability: ComputeCapability) -> tuple[str, ...]:
        """The GPUs of exactly this capability, in the order of the file."""
        return tuple(row.name for row in self.all if row.capability == capability)

    def find(self, text: str) -> Gpu:
        """The GPU meant by a name, in any spelling (also that of `nvidia-smi`), or by a capability such as `sm_86`.

        Raises:
            UsageError: no GPU has the name (the hint lists similar ones), or GPUs of several capabilities share it.
        """
        plain = text.strip().lower()
        if (match := _CAPABILITY.fullmatch(plain)) is not None:
            capability = ComputeCapability.parse(match[1])
            if capability in self.capabilities:
                return Gpu(name=str(capability), capability=capability)
            # `750` could be read as 75.0 but is a name; `75.0` is not, unless it is an alias
            if plain != match[1] or "." in plain:
                return self._renumbered(plain)
        row = self.row(text)
        return Gpu(name=row.name, capability=row.capability)

    def _renumbered(self, text: str) -> Gpu:
        """The GPU that had this capability in an older CUDA."""
        for row in self.all:
            if text in row.aliases:
                return Gpu(name=row.name, capability=row.capability)
        raise UsageError(
            f"no GPU with compute capability `{text}` is known",
            hint=f"known are {', '.join(map(str, self.capabilities))}",
        )

    def other(self, text: str) -> str | None:
        """The value of `--gpu` for a GPU of another maker, by any spelling of its name; ``None`` if it is not known.

        Types of Cloud TPUs end in the number of cores or chips (`v3-8`, `v5litepod-16`), which does not matter.
        """
        return self._words.get(_plain(_COUNT.sub(r"\1", text)))

    def newest(self, text: str) -> Gpu | None:
        """The GPU with the highest capability that an ambiguous name may mean; ``None`` for any other name."""
        for key in (normalized(text), without_mobile(without_form(text))):
            if isinstance(entry := self._by_key.get(key), AmbiguousName):
                return Gpu(name=entry.name, capability=entry.capabilities[-1])
        return None

    def row(self, text: str) -> GpuRow:
        """The row of a GPU, by its name in any spelling.

        Case, spaces, dashes, maker, memory and form are ignored; the series (`RTX`, `Quadro`) may be omitted if the
        rest is unambiguous.

        Raises:
            UsageError: as in `find`.
        """
        bare = without_form(text)
        fixed = without_mobile(bare)
        for key in (normalized(text), bare, bare.removeprefix("quadro"), fixed, fixed.removeprefix("quadro")):
            if (entry := self._by_key.get(key)) is not None:
                return _only(text, (entry,))
        if found := self._by_number.get(fixed) or self._by_number.get(without_last_series(fixed)) or self._cut(text):
            return _only(text, found)
        raise self._unknown(text, fixed)

    def _cut(self, text: str) -> list[GpuRow | AmbiguousName]:
        """The GPU of a name that `nvidia-smi` truncated (`NVIDIA GeForce RTX 305...`)."""
        stem = text.strip()
        if not stem.endswith(("...", "…")):
            return []
        start = normalized(stem.rstrip(".…").rstrip())
        return [entry for key, entry in self._by_key.items() if key.startswith(start)] if start else []

    @cached_property
    def _by_number(self) -> dict[str, list[GpuRow | AmbiguousName]]:
        """GPUs by their names without the series (`3090`, `a6000`)."""
        found = defaultdict[str, list[GpuRow | AmbiguousName]](list)
        for key, entry in self._by_key.items():
            if (number := without_series(key)) != key:
                found[number].append(entry)
        return found

    def _unknown(self, text: str, key: str) -> UsageError:
        near = difflib.get_close_matches(key, [*self._by_key, *self._by_number], n=8)
        entries = [entry for key in near for entry in (self._by_key.get(key), *self._by_number.get(key, ())) if entry]
        names = list(dict.fromkeys(f"`{entry.name}`" for entry in entries))[:5]
        asked = f"is it {_either(names)}? Or give" if names else "give"
        return UsageError(
            f"no GPU is known by the name `{text}`", hint=f"{asked} its compute capability, such as `--gpu 8.6`"
        )


def _only(text: str, found: Sequence[GpuRow | AmbiguousName]) -> GpuRow:
    """The first GPU found, if all of them are equivalent."""
    capabilities = sorted({capability for entry in found for capability in _capabilities(entry)})
    if len(capabilities) == 1 and isinstance(found[0], GpuRow):
        return found[0]
    rows = [f"`{entry.name}` has {entry.capability}" for entry in found if isinstance(entry, GpuRow)]
    because = "; ".join([entry.because for entry in found if isinstance(entry, AmbiguousName)] + rows)
    raise UsageError(
        f"`{text}` may mean compute capability {_either([str(capability) for capability in capabilities])}: {because}",
        hint="name it in full, or give what `nvidia-smi --query-gpu=compute_cap --format=csv` says, "
        f"such as `--gpu {capabilities[-1]}`",
    )


def _capabilities(entry: GpuRow | AmbiguousName) -> tuple[ComputeCapability, ...]:
    return entry.capabilities if isinstance(entry, AmbiguousName) else (entry.capability,)


def _names(entry: GpuRow | AmbiguousName) -> tuple[str, ...]:
    return (entry.name,) if isinstance(entry, AmbiguousName) else (entry.name, *entry.aliases)


def _either(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} or {items[-1]}"


_COUNT = re.compile(r"\b(v\d[a-z]*)-\d+$", re.IGNORECASE)


def _plain(name: str) -> str:
    """A name without its maker, spaces, dashes and case."""
    return re.sub(r"amd|radeon|instinct|apple|google|cloud|\(tm\)|[^a-z0-9]", "", name.lower())


def _other(row: Row) -> OtherGpu:
    return OtherGpu(names=row.some("names"), word=row.text("word"), source=row.text("source"), tier=row.tier())


def _alias(row: Row) -> tuple[str, tuple[str, ...]]:
    """The name of a GPU, and its other names."""
    return row.text("name"), row.texts("also")


def _branch(row: Row) -> tuple[str, tuple[int | None, str]]:
    """An architecture, the last driver branch that supports it, and the page that states it."""
    row.tier()
    branch = row.maybe_version("last_driver_branch")
    return row.text("name"), ((None if branch is None else branch.major), row.text("source"))


def _family(
    row: Row, branches: dict[str, tuple[int | None, str]], aliases: dict[str, tuple[Row, tuple[str, ...]]]
) -> list[GpuRow]:
    """The rows of one `[[family]]`; aliases used in them are removed from `aliases`."""
    if (architecture := row.text("architecture")) not in branches:
        row.fault("architecture", f"there is no `[[architecture]]` named `{architecture}`")
    branch, driver_source = branches.get(architecture, (None, ""))
    capability = row.need("capability", of(ComputeCapability.parse))
    source, tier = row.text("source"), row.tier()
    row.texts("chips")
    platform = row.get("platform", one_of(Platform))
    platform_source = row.text("platform_source") if platform is not None else ""
    return [
        GpuRow(
            name=name,
            aliases=aliases.pop(name, (row, ()))[1],
            architecture=architecture,
            capability=capability,
            last_driver_branch=branch,
            source=source,
            driver_source=driver_source,
            tier=tier,
            platform=platform,
            platform_source=platform_source,
        )
        for name in row.texts("names")
    ]


def _ambiguous_name(row: Row) -> AmbiguousName:
    return AmbiguousName(
        name=row.text("name"),
        capabilities=tuple(architecture.capability for architecture in row.architectures("capabilities")),
        because=row.text("because"),
        source=row.text("source"),
        tier=row.tier(),
    )
