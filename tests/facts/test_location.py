"""Where the facts are: those that come with tfenv, those of the user, and what is said of damaged ones."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tfenv.errors import UsageError
from tfenv.facts import location
from tfenv.facts.database import load
from tfenv.facts.digest import LOCK, digest
from tfenv.facts.location import in_use, shipped

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="newer")
def _newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Facts of the user, with one file more than those that come with tfenv."""
    monkeypatch.setenv("TFENV_DATA_DIR", str(tmp_path))
    root = tmp_path / "newer"
    for part in location.PARTS:
        shutil.copytree(shipped() / part, root / part)
    (root / "facts" / "tensorflow" / "9.1.toml").write_text("release = []\n", encoding="utf-8")
    (root / "facts" / location.DATE).write_text("2031-01-02\n", encoding="utf-8")
    write_pointer(root)
    return root


def write_pointer(root: Path) -> None:
    location.pointer_file().write_text(location.pointer(root, shipped()), encoding="utf-8")


def test_without_facts_of_the_user() -> None:
    """The facts are those that come with tfenv, dated."""
    found = in_use()
    assert (found.root, found.is_users, found.unused) == (shipped(), False, None)
    assert str(found.date) == (shipped() / "facts" / "date.txt").read_text(encoding="utf-8").strip()


def test_facts_of_the_user_count(newer: Path) -> None:
    """Every command uses them, and their digest is another."""
    found = in_use()
    assert (found.root, found.is_users, str(found.date)) == (newer, True, "2031-01-02")
    assert load().root == newer / "facts"
    assert "9.1" in load().releases.minors
    assert digest(load().root, LOCK) != digest(shipped() / "facts", LOCK)


def test_facts_made_for_another_tfenv_do_not_count(newer: Path) -> None:
    """A newer tfenv brings facts of its own; the older ones are named."""
    pointer = location.pointer_file()
    text = pointer.read_text(encoding="utf-8")
    pointer.write_text(text.replace(location.identity(shipped()), "0" * 12), encoding="utf-8")
    found = in_use()
    assert (found.root, found.is_users, found.unused) == (shipped(), False, newer)


@pytest.mark.parametrize("name", ["facts/cuda.toml", "facts/projects.zip", "symbols/api/tensorflow/_.txt"])
def test_a_damaged_file_is_named(newer: Path, name: str) -> None:
    """One byte that differs is an error that names the file, and says how to do without it."""
    path = newer / name
    content = path.read_bytes()
    path.write_bytes(content[:-2] + b"?" + content[-1:])
    with pytest.raises(UsageError) as caught:
        load()
    assert f"`{path}` is damaged" in caught.value.message
    assert f"delete `{location.pointer_file()}`" in (caught.value.hint or "")
    location.pointer_file().unlink()
    assert load().root == shipped() / "facts"


def test_a_missing_or_foreign_file_is_named(newer: Path) -> None:
    """A file that is gone, and one that was not written."""
    (newer / "facts" / "cuda.toml").rename(newer / "facts" / "cuba.toml")
    with pytest.raises(UsageError, match=r"cuba\.toml` is damaged"):
        in_use()
    (newer / "facts" / "cuba.toml").unlink()
    with pytest.raises(UsageError, match=r"cuda\.toml` is damaged: it is missing"):
        in_use()


@pytest.mark.parametrize("text", ["", "[]", '{"folder": 1}', '{"folder": "newer", "made_from": "", "files": []}'])
def test_a_damaged_pointer(newer: Path, text: str) -> None:
    """The file that names the folder is not believed blindly."""
    assert newer.is_dir()
    location.pointer_file().write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"facts\.json` is damaged"):
        in_use()


def test_the_pointer_names_a_folder_beside_it(newer: Path) -> None:
    """A path in it leads nowhere else."""
    pointer = location.pointer_file()
    text = pointer.read_text(encoding="utf-8")
    pointer.write_text(text.replace('"newer"', '"../../elsewhere/newer"'), encoding="utf-8")
    assert in_use().root == newer


def test_a_row_with_faults_says_what_to_do(newer: Path) -> None:
    """A table that was written so is an error with the same way out."""
    (newer / "facts" / "cuda.toml").write_text("toolkit = 1\n", encoding="utf-8")
    write_pointer(newer)
    with pytest.raises(UsageError, match=r"cuda\.toml") as caught:
        _ = load().cuda
    assert f"delete `{location.pointer_file()}`" in (caught.value.hint or "")
