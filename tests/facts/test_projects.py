"""The shipped rows of TensorFlow's dependencies and companions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.facts.database import load
from tfenv.facts.projects import ProjectTable, dumps, loads, pack
from tfenv.model.package import Name

if TYPE_CHECKING:
    from pathlib import Path

PROJECTS = load().projects


def test_a_release_as_an_index_lists_it() -> None:
    """NumPy 1.26.4 has a wheel for CPython 3.12 on Linux, a source distribution and a bound on Python."""
    release = next(one for one in PROJECTS.releases(Name("numpy")) if one.version == Version("1.26.4"))
    names = [file.filename for file in release.files]
    assert "numpy-1.26.4-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl" in names
    assert [file.filename for file in release.files if not file.is_wheel] == ["numpy-1.26.4.tar.gz"]
    assert all(str(file.requires_python) == ">=3.9" for file in release.files)


def test_requirements_without_those_of_extras() -> None:
    """Requirements are those of the metadata; what an extra asks for is left out."""
    row = PROJECTS.rows(Name("tensorflow-text"))[Version("2.18.0")]
    assert row.requires is not None
    assert any(text.startswith("tensorflow<2.19,>=2.18.0") for text in row.requires)
    assert not any("extra" in text for text in row.requires)


def test_written_as_read() -> None:
    """The text of a member is the one spelling of its rows."""
    rows = list(PROJECTS.rows(Name("numpy")).values())
    assert loads(dumps(rows)) == rows


def test_equal_rows_make_equal_bytes(tmp_path: Path) -> None:
    """The file depends on its rows alone, and a file that is not there holds nothing."""
    rows = {Name(name): list(PROJECTS.rows(Name(name)).values()) for name in ("six", "absl-py")}
    path = tmp_path / "projects.zip"
    assert not ProjectTable(path).names
    path.write_bytes(pack(rows))
    assert ProjectTable(path).names == {"six", "absl-py"}
    assert path.read_bytes() == pack(dict(reversed(rows.items())))


def test_what_tensorflow_needs_is_there() -> None:
    """Every project that a lock of TensorFlow holds is among the rows, and all of them are at most a megabyte."""
    names = {name for row in load().closures.rows.values() for group in row for name in group}
    assert names - PROJECTS.names == set()
    assert (load().root / "projects.zip").stat().st_size < 1_000_000
