"""Wheels that are refused before anything of them is installed."""

from __future__ import annotations

import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.support.hostile_wheels import FILENAME, FRAMES, STREAMS, wheel
from tfenv.errors import HostError, IntegrityError
from tfenv.store import wheel_archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def written(folder: Path, content: bytes) -> Path:
    """A wheel on disk."""
    (path := folder / FILENAME).write_bytes(content)
    return path


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_a_hostile_archive_is_refused(make: Callable[[], bytes], tmp_path: Path) -> None:
    """The error has exit code 9, names the wheel, and has no character that a terminal obeys."""
    with pytest.raises(IntegrityError, match=r"`evil-1\.0-py3-none-any\.whl` is refused") as refused:
        wheel_archive.check(written(tmp_path, make()))
    assert refused.value.message.isprintable()
    assert refused.value.exit_code == 9


@pytest.mark.parametrize("make", STREAMS.values(), ids=STREAMS)
def test_a_stream_must_end_where_it_says(make: Callable[[], bytes], tmp_path: Path) -> None:
    """The frame of these wheels is sound, their contents are not."""
    path = written(tmp_path, make())
    wheel_archive.check(path)
    with pytest.raises(IntegrityError, match=r"evil/__init__\.py"):
        wheel_archive.check_contents(path)


def test_sound_wheels_pass(tmp_path: Path) -> None:
    """Scripts, data, other groups of entry points, equal duplicates, odd but printable names."""
    groups = b"[console_scripts]\nevil-tool = evil.cli:main [extra]\n\n[plugins]\na/b = not a function\n"
    path = written(
        tmp_path,
        wheel(
            [
                ("evil-1.0.data/scripts/python-evil", b"#!python\n"),
                ("evil-1.0.data/data/share/füñ 漢字.txt", b"x"),
                ("evil/dup.py", b"same"),
                ("evil/dup.py", b"same"),
                ("evil/empty/", b""),
            ],
            info=[("entry_points.txt", groups)],
        ),
    )
    wheel_archive.check(path)
    wheel_archive.check_contents(path)


def test_a_file_that_is_not_there_is_a_fault_of_the_host(tmp_path: Path) -> None:
    """A cache that was emptied meanwhile is not a hostile wheel."""
    with pytest.raises(HostError, match="cannot be read"):
        wheel_archive.check(tmp_path / FILENAME)


def test_a_file_of_zeros_is_streamed(tmp_path: Path) -> None:
    """Checking 200 MiB that compress to 200 kB takes less than 20 MiB."""
    path = tmp_path / FILENAME
    path.write_bytes(wheel())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("evil/zeros", "w") as out:
        for _ in range(200):
            out.write(bytes(2**20))
    tracemalloc.start()
    try:
        wheel_archive.check_contents(path)
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()
