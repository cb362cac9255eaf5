"""Needs of companions that their metadata does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts import database
from tfenv.facts.needs import NeedTable, dumps
from tfenv.model.package import TENSORFLOW, TENSORFLOWS, Name
from tfenv.overlay.shipped import parsed

if TYPE_CHECKING:
    from pathlib import Path

FACTS = database.load()


def test_the_file_is_what_the_updater_writes() -> None:
    """Read and written again it is the same."""
    path = FACTS.root / "needs.toml"
    table = NeedTable(path)
    assert dumps(table.rows, table.read, table.unrelated) == path.read_text(encoding="utf-8")


def test_every_row_is_of_a_release_that_was_read() -> None:
    """A range without a release that was read claims what nobody has seen."""
    for row in FACTS.needs.rows:
        read = FACTS.needs.read[row.package]
        assert any(row.versions.contains(version) for version in read), row


def test_a_row_with_a_bound_on_tensorflow_holds_only_beside_it() -> None:
    """tf-keras is imported where `tf.keras` is Keras 3."""
    table, name, version = FACTS.needs, Name("tensorflow-model-optimization"), Version("0.8.0")

    def names(beside: str, keras: int | None = None) -> set[str]:
        found = table.requires(
            name, version, keras=keras, is_beside=lambda versions: any(versions.contains(one) for one in beside.split())
        )
        return {requirement.name for requirement in found}

    assert "tf-keras" in names("2.17.0")
    assert "tf-keras" not in names("2.15.1")


def test_legacy_keras_changes_the_bound(tmp_path: Path) -> None:
    """With Keras 2 the other requirement holds."""
    path = tmp_path / "needs.toml"
    path.write_text(
        '[[need]]\npackage = "larq"\nversions = "<1"\nrequires = ["tensorflow<2.16"]\nlegacy = ["tensorflow>=2"]\n'
        'because = "b"\nsource = "s"\ntier = "declared"\n'
    )
    table = NeedTable(path)
    for keras, wanted in ((None, "<2.16"), (3, "<2.16"), (2, ">=2")):
        found = table.requires(Name("larq"), Version("0.13"), keras=keras, is_beside=lambda _: True)
        assert [requirement.specifier for requirement in found] == [SpecifierSet(wanted)]


def test_a_row_that_is_wrong_is_refused(tmp_path: Path) -> None:
    """Two requirements in one row, and a row without a range."""
    path = tmp_path / "needs.toml"
    path.write_text('[[need]]\npackage = "a"\nrequires = ["b", "c"]\nbecause = "b"\nsource = "s"\ntier = "declared"\n')
    with pytest.raises(UsageError, match="requires"):
        NeedTable(path)


def test_no_row_contradicts_metadata() -> None:
    """What the code needs of TensorFlow is something that the package's own metadata admits, for every release."""
    releases = [version for version in FACTS.releases.versions(TENSORFLOW) if not version.is_prerelease]
    contradicting = []
    for row in FACTS.needs.rows:
        needed = Requirement(row.requires) if row.requires.startswith("tensorflow") else None
        if needed is None or needed.name != TENSORFLOW:
            continue
        for version, release in FACTS.projects.rows(row.package).items():
            own = [one for one in parsed(release.requires or ()) if one.name in TENSORFLOWS]
            if not own or not row.versions.contains(version, prereleases=True):
                continue
            admitted = [each for each in releases if all(one.specifier.contains(each) for one in own)]
            if admitted and not any(needed.specifier.contains(each) for each in admitted):
                contradicting.append(f"{row.package} {version}: {row.requires}")
    assert contradicting == []
