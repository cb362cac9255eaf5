"""Reading rows: every fault of a file is reported at once, each with its dotted path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.rows import Row, finish, load, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path, parse: Callable[[Row], object]) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        load(path, "row", parse)
    return caught.value.faults


def test_values_are_parsed(tmp_path: Path) -> None:
    """A row that is as it should be gives values, and no fault."""

    def parse(row: Row) -> int:
        assert row.text("text") == "a"
        assert row.version("version") == Version("535.54.3")
        assert row.maybe_version("absent") is None
        assert row.maybe_text("absent") is None
        assert row.maybe_specifiers("absent") is None
        assert row.maybe_text("text") == "a"
        assert row.specifiers("range").contains("1.5")
        assert row.texts("absent") == ()
        assert [str(one) for one in row.versions("versions")] == ["1.9", "1.10"]
        assert [str(one) for one in row.architectures("architectures")] == ["7.5", "9.0", "9.0a"]
        asked = row.requirements("requires", because="b", source="s")
        assert [(one.name, one.because, one.source) for one in asked] == [("numpy", "b", "s")]
        assert row.tier() == "gpu"
        return row.number("number")

    path = table(
        tmp_path,
        '[[row]]\ntext = "a"\nversion = "535.54.03"\nrange = ">=1,<2"\nnumber = 3\nrequires = ["numpy<2"]\n'
        'versions = ["1.9", "1.10"]\narchitectures = ["7.5", "9.0", "9.0a"]\ntier = "gpu"\n',
    )
    assert load(path, "row", parse) == (3,)


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Each wrong value is a fault with its path, as is a missing and an unknown column; all are raised together."""

    def parse(row: Row) -> None:
        assert row.text("empty") == ""
        assert row.version("version") == Version("0")
        row.specifiers("range")
        row.number("number")
        row.texts("texts")
        row.some("none")
        row.versions("versions")
        row.architectures("architectures")
        row.architectures("twice")
        row.requirements("requires", because="", source="")
        row.tier()
        row.text("absent")

    path = table(
        tmp_path,
        '[[row]]\nempty = ""\nversion = "x.y"\nrange = "about 3"\nnumber = true\ntexts = "a"\nnone = []\n'
        'versions = ["1.10", "1.9"]\narchitectures = ["9.9.9"]\ntwice = ["7.5", "7.5"]\nrequires = ["numpy<<2"]\n'
        'tier = "sure"\nextra = 1\n',
    )
    assert [fault.split(":")[0] for fault in faults(path, parse)] == [
        f"`row[0].{column}`"
        for column in (
            *("empty", "version", "range", "number", "texts", "none", "versions", "architectures[0]", "twice"),
            *("requires[0]", "tier", "absent", "extra"),
        )
    ]


def test_no_such_table(tmp_path: Path) -> None:
    """A table that no parser reads is misspelt."""
    found = faults(table(tmp_path, "[[rows]]\na = 1\n"), lambda row: row)
    assert found == ("`rows`: is not known; known keys are row",)


def test_no_array_of_tables(tmp_path: Path) -> None:
    """`[row]` where `[[row]]` is meant is a fault."""
    assert faults(table(tmp_path, "[row]\na = 1\n"), lambda row: row) == ("`row`: must be an array, not a table",)


@pytest.mark.parametrize("content", [None, b"a = ", b"a = '\xff'"])
def test_unreadable(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing, or is not TOML, is named."""
    path = tmp_path / "table.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"table\.toml"):
        read(path)


def test_sources(tmp_path: Path) -> None:
    """One source is a string, several are a list, none is a fault."""
    path = table(tmp_path, '[[row]]\none = "a"\ntwo = ["a", "b"]\nnone = []\n')
    root = read(path)
    assert root.rows("row", lambda row: [row.source(key) for key in ("one", "two", "none")]) == (["a", "a; b", ""],)
    with pytest.raises(UsageError) as caught:
        finish(root, path)
    assert caught.value.faults == ("`row[0].none`: must not be empty",)
