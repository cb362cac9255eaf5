"""The answer of `infer` about code, models and custom ops."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A name, syntax or file that not every release or not every Python supports.

    Attributes:
        file: name of the file.
        line: line in the file or notebook cell, counted from 1; 0 for a whole file.
        cell: number of the cell in a notebook, counted from 1.
        symbol: public name, or code as written.
        first, last: oldest and newest minor release that has it; ``None`` if it concerns Python or no release has it.
        became: name that replaced it, if known.
        guarded: whether the code also works without it, so that it limits nothing.
        note: remark of one clause.
        legacy: whether TF_USE_LEGACY_KERAS brings it back.
        python: specifier of the Pythons that have it; empty for any.
        pairs: mask over `tfenv.infer.answer.Pairs` of the pairs that it allows; all by default.
    """

    file: str
    line: int
    symbol: str
    cell: int | None = None
    first: str | None = None
    last: str | None = None
    became: str | None = None
    guarded: bool = False
    note: str = ""
    legacy: bool = False
    python: str = ""
    pairs: int = field(default=-1, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferred:
    """The requirements of a project.

    Attributes:
        releases: minor releases that have everything the code needs, oldest first; if there is none, those that serve
            the most files, or of a single file the most lines.
        conflict: whether no release has everything.
        spec: specifier of these releases.
        python: specifier of the Pythons; empty if every Python that the releases are built for is possible.
        companions: distributions that the code imports besides TensorFlow, or that names of TensorFlow in it need.
        legacy_keras: whether the code needs Keras 2, which newer releases have only with TF_USE_LEGACY_KERAS=1 and
            tf-keras.
        legacy_spec: specifier of the releases that work with these; empty unless `legacy_keras`.
        findings: names, syntax and files that limit the releases or Pythons, by file and line.
        unknown: open questions, each as a sentence.
        fit, misfit: in a conflict, files that `releases` serve, and files that they do not.
        contradictions: in a conflict, pairs of findings that no release satisfies together.
        lost: in a conflict, the findings that each of `releases` does not satisfy, by minor release.
        files, lines: number of files and lines read.
        facts: digest of the rows that the answer depends on.
        symbols: digest of the tables of symbols.
    """

    releases: tuple[str, ...]
    spec: str
    python: str
    companions: tuple[str, ...] = ()
    legacy_keras: bool = False
    legacy_spec: str = ""
    findings: tuple[Finding, ...] = ()
    unknown: tuple[str, ...] = ()
    conflict: bool = False
    fit: tuple[str, ...] = ()
    misfit: tuple[str, ...] = ()
    contradictions: tuple[tuple[Finding, Finding], ...] = ()
    lost: tuple[tuple[str, tuple[Finding, ...]], ...] = ()
    files: int = 0
    lines: int = 0
    facts: str = ""
    symbols: str = ""
