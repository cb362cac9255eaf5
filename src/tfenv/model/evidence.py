"""Evidence in an error log: facts about the environment, symptoms, and lines that were not understood."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tfenv.model.configuration import Configuration

if TYPE_CHECKING:
    from typing import Self

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.model.package import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One failure, read from one line of a log.

    Attributes:
        code: code of the problem, from the contract.
        subject: thing that the problem is about (`numpy`, `libcudnn.so.8`).
        cause: one sentence that explains the line.
        line: line of the log that shows it.
        sources: page, wheel or row for the cause; empty if the log itself states it.
        general: whether the line has several possible causes; a specific symptom overrides it.
        package: distribution that has to change, or ``None``.
        wanted: versions of that distribution that repair it; ``None`` if they are not known.
        asked: release of that distribution that was to be installed, or ``None``.
        same_minor: whether that distribution has to be of TensorFlow's minor release.
        tf: release or specifier of TensorFlow that repairs it, or ``None``.
        python: Python that repairs it, or ``None``.
        cuda: CUDA toolkit that repairs it, or ``None``.
        cudnn: release of cuDNN that repairs it, or ``None``.
        driver: lowest driver that repairs it, or ``None``.
        symbol: name of TensorFlow or Keras that is missing, as code writes it (`tf.train.AdamOptimizer`), or ``None``.
        distribution: distribution under whose name TensorFlow was requested, or ``None``.
        offered: releases that the installer listed (`1.13.1, 1.13.2`), or ``None``.
        installing: whether an installer failed, before anything was imported.
        advice: what to do if changing versions does not help, or ``None``.
    """

    code: str
    subject: str
    cause: str
    line: str
    sources: tuple[str, ...] = ()
    general: bool = False
    package: Name | None = None
    wanted: SpecifierSet | None = None
    asked: Version | None = None
    same_minor: bool = False
    tf: str | None = None
    python: Version | None = None
    cuda: Version | None = None
    cudnn: Version | None = None
    driver: Version | None = None
    symbol: str | None = None
    distribution: Name | None = None
    offered: str | None = None
    installing: bool = False
    advice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evidence in a log.

    Attributes:
        facts: facts about the environment in the log.
        symptoms: failures, each once; specific ones before general ones.
        strangers: lines that look like errors but were not understood.
    """

    facts: Configuration = field(default_factory=Configuration)
    symptoms: tuple[Symptom, ...] = ()
    strangers: tuple[str, ...] = ()

    def ordered(self, rank: dict[str, int]) -> Self:
        """The evidence with the symptoms in the order in which they occur.

        Args:
            rank: position of each code in that order.
        """
        last = len(rank)
        key = sorted(self.symptoms, key=lambda symptom: (symptom.general, rank.get(symptom.code, last)))
        return replace(self, symptoms=tuple(key))
