"""Which projects come along with a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import is_normalized_name
from packaging.version import Version

from tfenv.facts.closures import Closures, dumps
from tfenv.facts.database import load
from tfenv.facts.releases import minor
from tfenv.model.package import Name

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("tensorflow", "stem"),
    [("", "2.3"), ("==2.3.1", "2.3"), ("<2.3", "2.2"), ("==2.2.*", "2.2"), (">=2.3", "2.3"), ("==1.15.5", None)],
)
def test_the_newest_that_is_allowed(tmp_path: Path, tensorflow: str, stem: str | None) -> None:
    """The row of the release that will probably be locked; none for one that is not known."""
    rows = {"2.3": ((Name("a"), Name("b")), (Name("c"),)), "2.2": ((Name("a"),), ())}
    (tmp_path / "closures.txt").write_text(dumps(rows), encoding="utf-8")
    closures = Closures(tmp_path / "closures.txt")
    assert closures.rows == rows
    names, more = ((), ()) if stem is None else rows[stem]
    assert closures.of(SpecifierSet(tensorflow), cuda=False) == names
    assert closures.of(SpecifierSet(tensorflow), cuda=True) == (*names, *more)


def test_without_the_file(tmp_path: Path) -> None:
    """Nothing is expected."""
    assert Closures(tmp_path / "closures.txt").of(SpecifierSet(), cuda=True) == ()


def test_shipped() -> None:
    """A row for each minor release, newest first, names as indexes have them; the file is the one text of its rows."""
    database = load()
    rows = database.closures.rows
    stable = {minor(version) for version in database.releases.versions(Name("tensorflow")) if not version.is_prerelease}
    assert tuple(rows) == tuple(sorted(stable, key=Version, reverse=True))
    assert all(is_normalized_name(name) for names, more in rows.values() for name in (*names, *more))
    assert "keras" in database.closures.of(SpecifierSet("==2.17.1"), cuda=False)
    assert "nvidia-cudnn-cu12" in database.closures.of(SpecifierSet("==2.17.1"), cuda=True)
    assert dumps(rows) == (database.root / "closures.txt").read_text(encoding="utf-8")
