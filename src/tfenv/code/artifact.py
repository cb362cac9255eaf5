"""What a model file or a custom op says of the TensorFlow it is for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.model.inferred import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.code.answer import Pairs
    from tfenv.facts.keras import KerasVersions


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One file.

    Attributes:
        what: it is, in words.
        file: its name, as findings tell it.
        saved_by: version of TensorFlow that wrote it, as the file says it.
        keras: version of Keras that wrote it.
        floor: version of TensorFlow that reads it at least, as the file says it.
        major: major version of TensorFlow whose library it is linked against.
        ops: of TensorFlow that its graph is made of.
        symbols: public names that it needs.
        notes: what else there is to say, each a sentence.
    """

    what: str
    file: str = ""
    saved_by: str | None = None
    keras: str | None = None
    floor: str | None = None
    major: int | None = None
    ops: frozenset[str] = frozenset()
    symbols: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def findings(artifact: Artifact, pairs: Pairs, keras: KerasVersions) -> Iterator[Finding]:
    """What binds the releases that can use the file.

    A newer release reads what an older one saved, not the other way round: https://www.tensorflow.org/guide/versions
    ("Compatibility of SavedModels, graphs and checkpoints").
    """
    surface = pairs.surface
    for text, version in (
        (f"{artifact.what} saved by TensorFlow {artifact.saved_by}", artifact.saved_by),
        (f"{artifact.what} for TensorFlow {artifact.floor} and later", artifact.floor),
    ):
        release = _release(version)
        if release is not None:
            yield _finding(artifact, pairs, text, surface.mask(SpecifierSet(f">={release.major}.{release.minor}.dev0")))
    if artifact.major is not None:
        mask = surface.mask(SpecifierSet(f"=={artifact.major}.*"))
        yield _finding(artifact, pairs, f"libtensorflow_framework.so.{artifact.major}", mask)
    if artifact.keras is not None:
        yield _of_keras(artifact, pairs, keras)
    having = surface.find("tf.raw_ops").mask
    oldest = having & -having
    for op in sorted(artifact.ops) if artifact.saved_by is None else ():
        found = surface.find(f"tf.raw_ops.{op}")
        # releases before `tf.raw_ops` do not list their ops: one that was there from its start is taken to be older
        mask = found.mask | (oldest - 1 if found.mask & oldest else 0)
        if not found.missing and mask != surface.every:
            yield _finding(artifact, pairs, f"op {op}", mask)
    for symbol in artifact.symbols:
        mask = surface.find(symbol).mask
        if mask != surface.every:
            yield _finding(artifact, pairs, symbol, mask)


def unknown(artifact: Artifact, pairs: Pairs) -> Iterator[str]:
    """What cannot be told of the file, each as a sentence."""
    strange = sorted(op for op in artifact.ops if pairs.surface.find(f"tf.raw_ops.{op}").missing and not _hidden(op))
    if strange:
        shown = ", ".join(f"`{op}`" for op in strange[:8]) + (" …" if len(strange) > 8 else "")
        yield f"`{artifact.file}` uses ops that are no public ops of TensorFlow: {shown}; a companion may bring them"
    yield from (f"`{artifact.file}`: {note}" for note in artifact.notes)
    if not (
        artifact.saved_by or artifact.keras or artifact.floor or artifact.major or artifact.ops or artifact.symbols
    ):
        yield f"`{artifact.file}` ({artifact.what}) does not say which TensorFlow wrote it"


def _hidden(op: str) -> bool:
    """Ops that have no public name: those that start with `_`, and calls of functions."""
    return op.startswith("_") or op in ("While", "If", "PartitionedCall", "StatefulPartitionedCall")


def _of_keras(artifact: Artifact, pairs: Pairs, keras: KerasVersions) -> Finding:
    surface, version = pairs.surface, _release(artifact.keras)
    mask = surface.every if version is None else keras.releases(version, surface.releases)
    finding = _finding(artifact, pairs, f"{artifact.what} saved by Keras {artifact.keras}", mask)
    return replace(finding, legacy=version is not None and version.major < 3)


def _finding(artifact: Artifact, pairs: Pairs, text: str, mask: int) -> Finding:
    names = pairs.surface.names(mask)
    return Finding(
        file=artifact.file,
        line=0,
        symbol=text,
        first=names[0] if names else None,
        last=names[-1] if names else None,
        pairs=pairs.of_releases(mask),
    )


def _release(text: str | None) -> Version | None:
    """A version as files have it (`2.2.4-tf`, `2.4.0-rc1`, `unknown`)."""
    try:
        return Version((text or "").replace("-tf", ""))
    except InvalidVersion:
        return None
