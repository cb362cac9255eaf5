"""What `infer` finds in code, models and custom ops."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that not every release has, or not every Python.

    Attributes:
        file: with `line`, where; `cell` of a notebook.
        symbol: the public name, or what is written.
        first, last: minor releases; ``None`` if it is about Python, or no release has it.
        became: what took its place, as far as known.
        guarded: it binds nothing: the code can do without it.
        note: one clause.
        legacy: would TF_USE_LEGACY_KERAS bring it back?
        python: what it asks of Python.
        pairs: what it leaves, as a mask over `tfenv.infer.answer.Pairs`; all by default.
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
    """What a project needs.

    Attributes:
        releases: minor releases on which every binding use exists, oldest first.
        spec: the same as a specifier.
        python: a specifier; empty if any Python that the releases are built for will do.
        companions: distributions that the code imports besides, or that names of TensorFlow in it ask for.
        legacy_keras: Keras 2 is asked for: newer releases serve only with TF_USE_LEGACY_KERAS=1 and tf-keras.
        legacy_spec: the releases that serve then, as a specifier; empty unless `legacy_keras`.
        findings: what is not everywhere, by file and line.
        unknown: what could not be told, each as a sentence.
        fitting: if `releases` is empty: those that fit the largest part of the files …
        fit, misfit: … which these are, and those they leave out.
        contradictions: if `releases` is empty: pairs of findings that no release goes along with.
        files, lines: how much was read.
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
    fitting: tuple[str, ...] = ()
    fit: tuple[str, ...] = ()
    misfit: tuple[str, ...] = ()
    contradictions: tuple[tuple[Finding, Finding], ...] = ()
    files: int = 0
    lines: int = 0
    facts: str = ""
    symbols: str = ""
