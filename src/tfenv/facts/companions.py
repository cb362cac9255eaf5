"""Releases of other packages that work with a TensorFlow, where metadata does not say (`companions.toml`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.facts.rows import covering, finish, read
from tfenv.facts.rules import NEVER
from tfenv.model.document import one_of
from tfenv.model.package import Name, Requirement, normalize
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.version import Version

    from tfenv.facts.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """Requirements of some releases of a package, in addition to their metadata.

    Attributes:
        package: normalized name.
        versions: releases of the package.
        requires: requirements with reason and source; empty if it needs TensorFlow of its own minor version.
        source: page or file that documents it.
    """

    package: Name
    versions: SpecifierSet
    requires: tuple[Requirement, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasRow:
    """Requirements of releases of TensorFlow for a certain major version of Keras as `tf.keras`.

    Attributes:
        versions: of TensorFlow.
        keras: major version of Keras.
        requires: requirements to add; `__known_bad` if it is not possible.
        environment: environment variables to set, sorted pairs.
    """

    versions: SpecifierSet
    keras: int
    requires: tuple[Requirement, ...]
    environment: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A condition that decides whether releases of a package work, and that no list of packages shows.

    Attributes:
        package: normalized name.
        versions: releases of the package.
        beside: releases of TensorFlow beside which it counts.
        platform: platform on which it counts; ``None`` for all.
        asks: the open question, from `whether` on.
        answers: packages any of which settles it.
    """

    package: Name
    versions: SpecifierSet
    beside: SpecifierSet
    platform: Platform | None
    asks: str
    answers: frozenset[Name]


class CompanionTable:
    """All rows of the table.

    Attributes:
        all: companions in the order of the file.
        declared: requirements that metadata declares, for callers that use no index.
        keras: rows about `tf.keras`.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/companions.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        root = read(path)
        self.all = root.rows("companion", _companion)
        self.keras = root.rows("keras", _keras)
        self.declared = root.rows("declared", _declared)
        self._unseen = root.rows("unseen", _unseen)
        finish(root, path)
        self._by_name: dict[Name, list[Companion]] = {}
        for one in self.all:
            self._by_name.setdefault(one.package, []).append(one)

    def made_for(self, name: Name, version: Version) -> SpecifierSet | None:
        """The newest releases of a package that work with a release of TensorFlow; ``None`` if not known."""
        fitting = [
            one.versions if one.requires else SpecifierSet(f"=={version.major}.{version.minor}.*")
            for one in (*self._by_name.get(name, ()), *self.declared)
            if one.package == name and (not one.requires or any(_admits(r, version) for r in one.requires))
        ]
        return fitting[-1] if fitting else None

    def asks(self, name: Name, version: Version) -> tuple[Requirement, ...]:
        """Requirements of a release, from these rows and from its metadata as far as it is known here."""
        rows = [row for row in covering(self.declared, version) if row.package == name]
        return (
            *self.requires(name, version),
            *(r for row in rows for r in row.requires or (_same_minor(name, version, row.source),)),
        )

    def requires(self, name: Name, version: Version) -> tuple[Requirement, ...]:
        """Requirements of a release in addition to its metadata."""
        rows = covering(self._by_name.get(name, ()), version)
        return tuple(
            replace(requirement, because=f"{name} {version} requires {requirement}: {requirement.because}")
            for one in rows
            for requirement in one.requires
        )

    def unseen(self, name: Name, version: Version | None, *, beside: Version) -> tuple[Unseen, ...]:
        """Open questions about a package beside a release of TensorFlow; about any release of it if none is named."""
        rows = [row for row in self._unseen if row.package == name and row.beside.contains(beside, prereleases=True)]
        return tuple(rows if version is None else covering(rows, version))

    def keras_of(self, version: Version, keras: int) -> KerasRow | None:
        """The row for a release of TensorFlow and a major version of Keras; ``None`` if nothing is needed."""
        return next((row for row in covering(self.keras, version) if row.keras == keras), None)


def _companion(row: Row) -> Companion:
    row.tier()
    row.some("requires")
    return Companion(
        package=normalize(row.text("package")),
        versions=row.specifiers("versions"),
        requires=row.requirements("requires", because=row.text("because"), source=row.source()),
        source=row.source(),
    )


def _declared(row: Row) -> Companion:
    row.tier()
    package = normalize(row.text("package"))
    return Companion(
        package=package,
        versions=row.specifiers("versions"),
        requires=row.requirements("requires", because=f"{package} says so itself", source=row.source()),
        source=row.source(),
    )


def _unseen(row: Row) -> Unseen:
    row.tier()
    row.source()
    return Unseen(
        package=normalize(row.text("package")),
        versions=row.specifiers("versions"),
        beside=row.specifiers("beside"),
        platform=row.get("platform", one_of(Platform)),
        asks=row.text("asks"),
        answers=frozenset(map(normalize, row.some("answers"))),
    )


def _same_minor(name: Name, version: Version, source: str) -> Requirement:
    wanted = SpecifierSet(f">={version.major}.{version.minor},<{version.major}.{version.minor + 1}")
    because = f"{name} {version} requires tensorflow{wanted}: it goes with the minor release that it is numbered like"
    return Requirement(name=Name("tensorflow"), specifier=wanted, because=because, source=source)


def _admits(requirement: Requirement, version: Version) -> bool:
    return requirement.name == "tensorflow" and requirement.specifier.contains(version, prereleases=True)


def _keras(row: Row) -> KerasRow:
    row.tier()
    because, source = row.text("because"), row.source()
    never = Requirement(
        name=Name("__known_bad"), specifier=NEVER, because=because, source=source, code="keras-mismatch", brought="fact"
    )
    found = row.requirements("requires", because=because, source=source) or (never,)
    pairs = [text.partition("=") for text in row.texts("environment")]
    return KerasRow(
        versions=row.specifiers("versions"),
        keras=row.number("keras"),
        requires=found,
        environment=tuple(sorted((name, value) for name, _, value in pairs)),
    )
