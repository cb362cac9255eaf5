"""What the update of every table shares: changes, reports, the list of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tfenv.harvest.tables import TABLES
from tfenv.harvest.update import FileChange, TableReport, Update

if TYPE_CHECKING:
    from pathlib import Path


def test_every_table_is_listed_under_its_name() -> None:
    """Names are the words of the command line; each table says what it holds."""
    assert list(TABLES) == ["releases", "symbols", "modules", "exports", "projects", "closures", "needs"]
    assert all(table.name == name and table.about for name, table in TABLES.items())


@pytest.mark.parametrize(("content", "after"), [("a\nb\n", "a\nc\n"), (b"\xff\x00", b"\xff\x01")])
def test_a_file_is_put(tmp_path: Path, content: str | bytes, after: str | bytes) -> None:
    """It is written only if files are written; the change holds what was there first, however often it is put."""
    path = tmp_path / "facts" / "a.txt"
    path.parent.mkdir()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    dry = Update(root=tmp_path, report=TableReport(table="t"))
    dry.put("facts/a.txt", content)
    assert dry.report.changes == {}
    dry.put("facts/a.txt", after)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    wet = Update(root=tmp_path, report=TableReport(table="t"), write=True)
    wet.put("facts/a.txt", after * 2)
    wet.put("facts/a.txt", after)
    assert wet.report.changes == dry.report.changes
    assert path.read_bytes() == (after if isinstance(after, bytes) else after.encode())
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]


def test_a_file_of_nothing_goes(tmp_path: Path) -> None:
    """An empty text removes the file."""
    (tmp_path / "a.txt").write_text("a\n", encoding="utf-8")
    update = Update(root=tmp_path, report=TableReport(table="t"), write=True)
    update.put("a.txt", "")
    assert not (tmp_path / "a.txt").exists()
    assert update.report.changes["a.txt"].lines == (0, 1)


def test_what_is_shown_of_a_change() -> None:
    """A diff where people can read one, else how many lines differ, else that the file does."""
    short = FileChange(name="facts/a.toml", before=b"a = 1\n", after=b"a = 2\n")
    assert short.diff.startswith("--- a/constraints/facts/a.toml\n+++ b/constraints/facts/a.toml\n")
    assert short.summary == "facts/a.toml: +1 -1 lines"
    many = FileChange(name="m", before=b"", after="".join(f"{number}\n" for number in range(1000)).encode())
    assert (many.diff, many.summary) == ("", "m: +1000 -0 lines")
    long = FileChange(name="l", before=b"", after=b"x" * 1000)
    assert (long.diff, long.summary) == ("", "l: +1 -0 lines")
    binary = FileChange(name="b", before=b"\xff", after=b"\xfe")
    assert (binary.diff, binary.lines, binary.summary) == ("", None, "b: differs")


def test_report() -> None:
    """One line for people, one document for scripts; every table has the same keys."""
    report = TableReport(table="releases", checked=3, kept=2, read=1)
    report.count(2_600_000)
    report.count(400_000)
    assert report.summary == "releases: 3 checked, 2 kept, 1 read (3 MB), no change"
    report.changes["a"] = FileChange(name="a", before=b"\xff", after=b"\xfe")
    assert report.summary.endswith("1 file changed")
    assert report.document == {
        "table": "releases",
        "checked": 3,
        "kept": 2,
        "read": 1,
        "bytes": {"total": 3_000_000, "largest": 2_600_000},
        "notes": [],
        "changes": [{"file": "a", "added": None, "removed": None, "diff": None}],
    }
