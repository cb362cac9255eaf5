"""Files are written whole or not at all, and never over someone else's."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from tests.support.disk import full_disk
from tfenv.errors import HostError, UsageError
from tfenv.store import files
from tfenv.store.heading import FIRST_LINE

if TYPE_CHECKING:
    from pathlib import Path

OURS = f"{FIRST_LINE}\nnew\n"


def test_all_files_are_written(tmp_path: Path) -> None:
    """Missing folders are made, and nothing temporary stays."""
    texts = {tmp_path / "deep" / "a": OURS, tmp_path / "b": "füñ\n"}
    assert files.write(texts) == tuple(texts)
    assert {path: path.read_text(encoding="utf-8") for path in texts} == texts
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "deep"]


def test_a_file_of_someone_else_stays(tmp_path: Path) -> None:
    """Every file in the way is named, and none is written, unless forced."""
    mine, yours, binary = tmp_path / "mine", tmp_path / "Dockerfile", tmp_path / "image"
    mine.write_text(f"{FIRST_LINE}\nold\n")
    yours.write_text("FROM scratch\n")
    binary.write_bytes(b"\xff\x00")
    with pytest.raises(UsageError, match=r"Dockerfile.*image.* are not written by tfenv") as caught:
        files.write({mine: OURS, yours: OURS, binary: OURS})
    assert "--force" in (caught.value.hint or "")
    assert mine.read_text() == f"{FIRST_LINE}\nold\n"
    assert yours.read_text() == "FROM scratch\n"
    files.write({mine: OURS, yours: OURS, binary: OURS}, force=True)
    assert {path.read_text() for path in (mine, yours, binary)} == {OURS}


def test_an_empty_file_is_nobodys_work(tmp_path: Path) -> None:
    """A file that was only touched may be written."""
    (tmp_path / "a").touch()
    files.write({tmp_path / "a": OURS})
    assert (tmp_path / "a").read_text() == OURS


def test_nothing_is_written_if_one_cannot_be(tmp_path: Path) -> None:
    """A folder in the way of the second file keeps the first as it was, and leaves nothing behind."""
    first = tmp_path / "a"
    first.write_text(f"{FIRST_LINE}\nold\n")
    (tmp_path / "file").write_text("x")
    with pytest.raises(HostError, match=r"file/b` cannot be written"):
        files.write({first: OURS, tmp_path / "file" / "b": OURS})
    assert first.read_text() == f"{FIRST_LINE}\nold\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "file"]


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    """A folder with the name of a file is a fault of the host, also with `force`, and it stays."""
    (tmp_path / "a").mkdir()
    for force in (False, True):
        with pytest.raises(HostError, match="a` cannot be written: Is a directory"):
            files.write({tmp_path / "a": OURS}, force=force)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    """The error names the file, not the temporary one; what was there stays, and nothing is left behind."""
    path = tmp_path / "a"
    path.write_text(f"{FIRST_LINE}\nold\n")
    with pytest.raises(HostError, match="a` cannot be written: File too large"), full_disk():
        files.write({path: OURS})
    with pytest.raises(HostError, match="b` cannot be written") as caught, full_disk():  # noqa: SIM117
        with files.whole(tmp_path / "b", hint="free some space") as out:
            out.write(b"x")
    assert caught.value.hint == "free some space"
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", f"{FIRST_LINE}\nold\n")]


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    """`whole` gives a file its name and the usual mode at the end, and removes it after an exception."""
    with files.whole(tmp_path / "deep" / "a") as out:
        out.write(b"x")
        assert not (tmp_path / "deep" / "a").exists()
    assert (tmp_path / "deep" / "a").read_bytes() == b"x"
    (tmp_path / "usual").touch()
    assert (tmp_path / "deep" / "a").stat().st_mode == (tmp_path / "usual").stat().st_mode
    with pytest.raises(UnicodeEncodeError), files.whole(tmp_path / "deep" / "b") as out:
        out.write("\ud800".encode())
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a"]


def test_a_file_that_says_so_already_is_not_touched(tmp_path: Path) -> None:
    """The same text keeps its time, so that builds see no change; it need not be ours."""
    path = tmp_path / "a"
    path.write_text("FROM scratch\n")
    os.utime(path, (1, 1))
    assert files.write({path: "FROM scratch\n"}) == (path,)
    assert path.stat().st_mtime == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such modes")
def test_modes_are_kept(tmp_path: Path) -> None:
    """The mode of an old file stays, and a new one gets what is usual."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text(f"{FIRST_LINE}\n")
    old.chmod(0o640)
    mask = os.umask(0o027)
    try:
        files.write({old: OURS, new: OURS})
    finally:
        os.umask(mask)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert stat.S_IMODE(new.stat().st_mode) == 0o640
    assert old.read_text() == OURS


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_not_followed(there: bool, tmp_path: Path) -> None:
    """It is left alone, or replaced with `force`; what it points to stays, and is not created."""
    (folder := tmp_path / "folder").mkdir()
    target, link = tmp_path / "target", folder / "Dockerfile"
    if there:
        target.write_text(f"{FIRST_LINE}\n")
    link.symlink_to(target)
    with pytest.raises(UsageError, match="Dockerfile"):
        files.write({link: OURS, folder / "other": OURS})
    assert [path.name for path in folder.iterdir()] == ["Dockerfile"]
    files.write({link: OURS}, force=True)
    assert (link.is_symlink(), link.read_text()) == (False, OURS)
    assert (target.read_text() if target.exists() else None) == (f"{FIRST_LINE}\n" if there else None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    """Reading one would wait for ever."""
    os.mkfifo(tmp_path / "Dockerfile")
    with pytest.raises(UsageError, match="Dockerfile"):
        files.write({tmp_path / "Dockerfile": OURS})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_are_understood(tmp_path: Path, encoding: str) -> None:
    """What editors and PowerShell write is read as it was meant."""
    path = tmp_path / "requirements.txt"
    path.write_bytes("größe==1\r\n".encode(encoding))
    assert files.read(path) == "größe==1\r\n"


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A missing file, and bytes that are no text."""
    with pytest.raises(UsageError, match="No such file"):
        files.read(tmp_path / "gone")
    (tmp_path / "image").write_bytes(b"abc\xff")
    with pytest.raises(UsageError, match="not UTF-8 text: byte 3"):
        files.read(tmp_path / "image")
    with pytest.raises(UsageError, match="Is a directory"):
        files.read(tmp_path)
    with pytest.raises(UsageError, match="null byte"):
        files.read(tmp_path / "a\0b")


def test_a_text_beyond_all_measure(tmp_path: Path) -> None:
    """A file without end is not read to its end."""
    with (tmp_path / "huge").open("wb") as stream:
        stream.truncate(2**36)
    with pytest.raises(UsageError, match="huge` is larger than 64 MiB"):
        files.read(tmp_path / "huge")
