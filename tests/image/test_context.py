"""The build context: a TAR stream that is the same everywhere."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from tests.support.recorder import Recorder
from tfenv.image.context import SENDING, stream
from tfenv.model.progress import Silent

if TYPE_CHECKING:
    from pathlib import Path


def test_holds_what_was_put_in(tmp_path: Path) -> None:
    """Bytes and files arrive whole, also those of exactly a block, of none, and with long names."""
    long = f"wheels/{'x' * 150}.whl"
    (file := tmp_path / "file").write_bytes(b"y" * 3_000_000)
    (empty := tmp_path / "empty").write_bytes(b"")
    entries: dict[str, bytes | Path] = {"Dockerfile": b"FROM a\n", "block": b"z" * 512, long: file, "empty": empty}
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream(entries, Silent())))) as archive:
        found = {member.name: archive.extractfile(member) for member in archive}
        assert {name: content.read() for name, content in found.items() if content} == {
            "Dockerfile": b"FROM a\n",
            "block": b"z" * 512,
            long: b"y" * 3_000_000,
            "empty": b"",
        }


def test_tells_nothing_of_this_host(tmp_path: Path) -> None:
    """The same content gives the same bytes, whoever owns the files and whenever they were written."""
    (old := tmp_path / "old").write_bytes(b"same")
    (new := tmp_path / "new").write_bytes(b"same")
    old.chmod(0o600)
    assert b"".join(stream({"a": old}, Silent())) == b"".join(stream({"a": new}, Silent()))


def test_reports_bytes(tmp_path: Path) -> None:
    """The total is known from the start and reached at the end."""
    (file := tmp_path / "file").write_bytes(b"y" * 2_000_000)
    told = Recorder()
    for _ in stream({"a": b"123", "b": file}, told):
        assert told.totals == {SENDING: 2_000_003}
    assert told.done == {SENDING: 2_000_003}
    assert told.finished == [SENDING]
