"""What a model file shows about the TensorFlow that can use it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.model.inferred import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.facts.keras import KerasVersions
    from tfenv.infer.answer import Pairs

WEIGHTS: Final = "Keras weights (HDF5)"
"""Description of files that hold only weights."""

_SHOWN: Final = 8
_IGNORING: Final = SpecifierSet(">=2.5")
"""Releases that ignore attributes which their ops do not know.

`libtensorflow_framework.so.2` of tensorflow-2.5.0-cp36-cp36m-manylinux2010_x86_64.whl contains the text "Unknown
attributes will be ignored"; that of 2.4.4 does not.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One model file.

    Attributes:
        what: description of the kind of file, such as `SavedModel`.
        file: name of the file in findings.
        saved_by: version of TensorFlow that wrote the file, as recorded in it.
        keras: version of Keras that wrote the file, as recorded in it.
        floor: lowest version of TensorFlow that reads the file, as recorded in it.
        ops: ops of the graph, each with the names of its attributes.
        symbols: public names that are needed to read the file.
        of_keras: whether it is a SavedModel written by Keras, which `load_model` reads up to 2.15 only.
        notes: other remarks, each a sentence.
    """

    what: str
    file: str = ""
    saved_by: str | None = None
    keras: str | None = None
    floor: str | None = None
    ops: tuple[tuple[str, tuple[str, ...]], ...] = ()
    symbols: tuple[str, ...] = ()
    of_keras: bool = False
    notes: tuple[str, ...] = ()


def findings(artifact: Artifact, pairs: Pairs, keras: KerasVersions) -> Iterator[Finding]:
    """What limits the releases that can use the file.

    A newer release reads what an older one saved, but not the reverse: https://www.tensorflow.org/guide/versions
    ("Compatibility of SavedModels, graphs and checkpoints").
    """
    surface, what, file = pairs.surface, artifact.what, artifact.file
    for text, version in (
        (f"{what} saved by TensorFlow {artifact.saved_by}", artifact.saved_by),
        (f"{what} for TensorFlow {artifact.floor} and later", artifact.floor),
    ):
        release = as_version(version)
        if release is not None:
            since = SpecifierSet(f">={release.major}.{release.minor}.dev0")
            yield finding(file, pairs, text, surface.mask(since))
    wrote = as_version(artifact.keras)
    if wrote is not None:
        found = finding(file, pairs, f"{what} saved by Keras {wrote}", keras.releases(wrote, surface.releases))
        yield replace(found, legacy=wrote.major < 3)
    if artifact.of_keras:
        found = finding(file, pairs, f"{what} of Keras 2", surface.every & ~surface.keras3)
        yield replace(
            found, guarded=True, note="for `load_model`; `tf.saved_model.load` reads it in newer releases too"
        )
    having = surface.find("tf.raw_ops").mask
    oldest = having & -having
    ignoring = surface.mask(_IGNORING)
    for op, attributes in artifact.ops:
        plain, full = surface.find(f"tf.raw_ops.{op}"), surface.find(f"tf.raw_ops.{op}", attributes)
        there = plain.mask & (full.mask | ignoring)
        # Releases before `tf.raw_ops` do not list their ops: an op of the first list is taken to exist in them too.
        mask = there | (oldest - 1 if full.mask & oldest else 0)
        if not plain.missing and mask != surface.every:
            shown = full if mask & plain.mask != plain.mask else plain
            yield finding(file, pairs, shown.symbol.replace("tf.raw_ops.", "op "), mask)
    for symbol in artifact.symbols:
        mask = surface.find(symbol).mask
        if mask != surface.every:
            yield finding(file, pairs, symbol, mask)


def unknown(artifact: Artifact, pairs: Pairs) -> Iterator[str]:
    """What the file leaves open, each as a sentence."""
    strange = [
        op for op, _ in artifact.ops if not op.startswith("_") and pairs.surface.find(f"tf.raw_ops.{op}").missing
    ]
    if strange:
        shown = ", ".join(f"`{op}`" for op in strange[:_SHOWN]) + (" …" if len(strange) > _SHOWN else "")
        yield f"`{artifact.file}` uses ops that no release of TensorFlow has publicly: {shown}"
    if artifact.what == WEIGHTS and artifact.keras is not None and artifact.file.endswith(".weights.h5"):
        yield (
            f"`{artifact.file}`: from TensorFlow 2.15 on, Keras expects its newer weights format in a file "
            "of this name; rename it"
        )
    yield from (f"`{artifact.file}`: {note}" for note in artifact.notes)
    recorded = (artifact.saved_by, artifact.keras, artifact.floor)
    if not (any(as_version(one) for one in recorded) or artifact.ops or artifact.symbols):
        yield f"`{artifact.file}` ({artifact.what}) does not record which TensorFlow wrote it"


def finding(file: str, pairs: Pairs, text: str, mask: int, note: str = "") -> Finding:
    """A finding about a whole file."""
    names = pairs.surface.names(mask)
    return Finding(
        file=file,
        line=0,
        symbol=text,
        first=names[0] if names else None,
        last=names[-1] if names else None,
        note=note,
        pairs=pairs.of_releases(mask),
    )


def as_version(text: str | None) -> Version | None:
    """A version as files record it (`2.2.4-tf`, `2.4.0-rc1`); ``None`` for text that is not one (`unknown`)."""
    try:
        return Version((text or "").removesuffix("-tf"))
    except InvalidVersion:
        return None
