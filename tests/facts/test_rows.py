"""Reading rows: every fault of a file is told at once, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.rows import Document, Row

if TYPE_CHECKING:
    from pathlib import Path


def document(tmp_path: Path, text: str) -> Document:
    path = tmp_path / "table.toml"
    path.write_text(text, encoding="utf-8")
    return Document(path)


def faults(document: Document) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        document.check()
    return caught.value.faults


def only(document: Document) -> Row:
    (row,) = document.rows("row")
    return row


def test_values_are_parsed(tmp_path: Path) -> None:
    """A row that is as it should be gives values, and no fault."""
    read = document(
        tmp_path,
        '[[row]]\ntext = "a"\nversion = "535.54.03"\nrange = ">=1,<2"\nnumber = 3\n'
        'versions = ["1.9", "1.10"]\narchitectures = ["7.5", "9.0", "9.0a"]\ntier = "gpu"\n',
    )
    row = only(read)
    row.known({"text", "version", "range", "number", "versions", "architectures", "tier"})
    assert row.text("text") == "a"
    assert row.version("version") == Version("535.54.3")
    assert row.maybe_version("absent") is None
    assert row.maybe_text("absent") is None
    assert row.maybe_text("text") == "a"
    assert row.specifiers("range").contains("1.5")
    assert row.number("number") == 3
    assert row.texts("absent") == ()
    assert [str(one) for one in row.versions("versions")] == ["1.9", "1.10"]
    assert [str(one) for one in row.architectures("architectures")] == ["7.5", "9.0", "9.0a"]
    assert row.tier() == "gpu"
    read.check()


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Each wrong value is a fault with the path of its row, and all of them are raised together."""
    read = document(
        tmp_path,
        '[[row]]\nempty = ""\nversion = "x.y"\nrange = "about 3"\nnumber = true\ntexts = "a"\n'
        'versions = ["1.10", "1.9"]\narchitectures = ["9.9.9"]\ntwice = ["7.5", "7.5"]\ntier = "sure"\n',
    )
    row = only(read)
    row.known({"empty"})
    row.text("empty")
    row.version("version")
    row.specifiers("range")
    row.number("number")
    row.texts("texts")
    row.versions("versions")
    row.architectures("architectures")
    row.architectures("twice")
    row.tier()
    row.text("absent")
    told = faults(read)
    columns = ("architectures", "number", "range", "texts", "tier", "twice", "version", "versions")
    assert told[: len(columns)] == tuple(f"row[0].{column}: no such column" for column in columns)
    assert [fault.split(":")[0] for fault in told[len(columns) :]] == [
        f"row[0].{column}"
        for column in (
            "empty",
            "version",
            "range",
            "number",
            "texts",
            "versions",
            "architectures",
            "twice",
            "tier",
            "absent",
        )
    ]


def test_no_such_table(tmp_path: Path) -> None:
    """A table that nobody asks for has a typing error in its name."""
    read = document(tmp_path, "[[rows]]\na = 1\n")
    assert read.rows("row") == ()
    assert faults(read) == ("rows: no such table",)


def test_no_array_of_tables(tmp_path: Path) -> None:
    """`[row]` where `[[row]]` is meant is a fault."""
    read = document(tmp_path, "[row]\na = 1\n")
    assert read.rows("row") == ()
    assert faults(read) == ("row: an array of tables is wanted",)


@pytest.mark.parametrize("content", [None, b"a = ", b"a = '\xff'"])
def test_unreadable(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing, or is no TOML, is named."""
    path = tmp_path / "table.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"table\.toml"):
        Document(path)


def test_sources(tmp_path: Path) -> None:
    """One source is a string, several are a list, none is a fault."""
    read = document(tmp_path, '[[row]]\none = "a"\ntwo = ["a", "b"]\nnone = []\n')
    row = only(read)
    assert (row.source("one"), row.source("two"), row.source("none")) == ("a", "a; b", "")
    assert faults(read) == ("row[0].none: empty",)
