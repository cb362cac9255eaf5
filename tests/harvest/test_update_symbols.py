"""The tables of symbols against an index on this machine: what is read, kept, read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.support.index_server import FakeIndex
from tfenv.errors import IndexUnavailable, UsageError
from tfenv.harvest.tables import TABLES
from tfenv.harvest.update import TableReport, Update
from tfenv.symbols.modules import ModuleRanges
from tfenv.symbols.table import ApiTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINUX = "cp39-cp39-manylinux2014_x86_64"
RENAMES = b"renames = {'tf.old': 'tf.compat.v1.old'}"


def modules(name: str, parameters: str) -> dict[str, bytes]:
    return {
        "tensorflow/__init__.py": b"from tensorflow.python.ops import " + name.encode() + b"\n__version__ = ''\n",
        "tensorflow/python/ops.py": f"def {name}({parameters}): pass\n".encode(),
        "tensorflow/python/large.py": b"# " + b"x" * 30_000,
        "tensorflow/tools/compatibility/renames_v2.py": RENAMES,
        "tensorflow/libtensorflow_framework.so.2": b"no library",
    }


@pytest.fixture(name="index")
def _index() -> Iterator[FakeIndex]:
    with FakeIndex() as index:
        for lender in ("tensorflow-estimator", "tensorboard", "absl-py", "keras-preprocessing", "keras-applications"):
            index.add_wheel(lender, "1.0")
        for version in ("2.0.0", "3.0.0", "3.1.0"):
            index.add_wheel(
                "keras", version, members={"keras/layers.py": b"class Dense:\n    def __init__(self, units): pass\n"}
            )
        index.add_wheel("tensorflow-cpu", "9.0.0", tags=LINUX, members=modules("add", "x"))
        index.add_wheel("tensorflow", "9.0.1", tags=LINUX, members=modules("add", "x"))
        index.add_wheel("tensorflow", "9.1.0", tags=LINUX, members=modules("plus", "x, y"), requires=["keras>=3.0.0"])
        index.add_wheel("tensorflow", "9.1.1rc0", tags=LINUX, members=modules("none", ""))
        yield index


def updated(
    table: str, root: Path, index: FakeIndex, *, only: tuple[str, ...] = (), write: bool = False, reread: bool = False
) -> TableReport:
    """One update of a table; its report."""
    report = TableReport(table=table)
    TABLES[table].refresh(Update(root=root, report=report, only=only, index=index.url, write=write, reread=reread))
    return report


def test_update(index: FakeIndex, tmp_path: Path) -> None:
    """Every release that is no candidate is read once; the second run reads nothing, and changes nothing."""
    tally = updated("symbols", tmp_path, index, write=True)
    assert (tally.checked, tally.kept, tally.read) == (7, 0, 7)
    table = ApiTable(tmp_path / "symbols" / "api")
    assert [str(one) for one in table.releases] == ["9.0.0", "9.0.1", "9.1.0", "9.1.1rc0"]
    plus = table.symbol("tf.plus")
    assert plus is not None
    assert [parameter.name for parameter in plus.parameters or ()] == ["x", "y"]
    assert plus.versions == (Version("9.1.0"),)
    renames = tmp_path / "symbols" / "api" / "renames.txt"
    assert renames.read_text(encoding="utf-8").endswith("tf.old\ttf.compat.v1.old\n")
    again = updated("symbols", tmp_path, index, write=True)
    assert (again.kept, again.read, again.changes) == (7, 0, {})
    again = updated("symbols", tmp_path, index, reread=True)
    assert (again.kept, again.read, again.changes) == (0, 7, {})


def test_without_write(index: FakeIndex, tmp_path: Path) -> None:
    """Nothing is written, and the changes are told by file."""
    report = updated("symbols", tmp_path, index)
    assert not list(tmp_path.iterdir())
    files = {"tensorflow/_.txt", "tensorflow/releases.txt", "keras/releases.txt", "renames.txt"}
    assert report.changes.keys() >= {f"symbols/api/{name}" for name in files}


def test_named_releases_are_read_again(index: FakeIndex, tmp_path: Path) -> None:
    """Of all releases only those named are read, also if they are known."""
    tally = updated("symbols", tmp_path, index, only=("9.1.0",), write=True)
    assert (tally.checked, tally.read) == (1, 1)
    tally = updated("symbols", tmp_path, index, only=("9.1.0",), write=True)
    assert (tally.kept, tally.read) == (0, 1)
    assert [str(one) for one in ApiTable(tmp_path / "symbols" / "api").releases] == ["9.1.0"]
    with pytest.raises(UsageError, match="Invalid version"):
        updated("symbols", tmp_path, index, only=("tensorflow",))


def test_a_patch_release_reads_what_differs(index: FakeIndex, tmp_path: Path) -> None:
    """Members with the checksum that the release before had do not travel again."""
    both = updated("symbols", tmp_path, index, only=("9.0.0", "9.0.1"))
    ranges = [seen for seen in index.requests if ".whl" in seen.path and seen.status == 206]
    assert both.bytes < sum(seen.sent for seen in ranges) + 1
    assert len(ranges) <= 8


def test_exports_of_no_library(index: FakeIndex, tmp_path: Path) -> None:
    """A wheel whose library cannot be read is named."""
    with pytest.raises(IndexUnavailable, match=r"tensorflow-9\.\d.*cannot be read"):
        updated("exports", tmp_path, index)


@pytest.mark.parametrize(("table", "file"), [("exports", "exports.txt"), ("modules", "modules.txt")])
def test_a_damaged_table_is_not_overwritten(index: FakeIndex, tmp_path: Path, table: str, file: str) -> None:
    """It is an error that names the file."""
    path = tmp_path / "symbols" / file
    path.parent.mkdir()
    path.write_text("2.1\n", encoding="utf-8")
    with pytest.raises(UsageError, match=f"{file}` is damaged"):
        updated(table, tmp_path, index, write=True)
    assert path.read_text(encoding="utf-8") == "2.1\n"


def test_modules(index: FakeIndex, tmp_path: Path) -> None:
    """The newest of each minor release is read once; without `write` nothing is written."""
    path = tmp_path / "symbols" / "modules.txt"
    assert updated("modules", tmp_path, index).read == 2
    assert not path.exists()
    first = updated("modules", tmp_path, index, write=True)
    assert first.read == 2
    assert first.notes[0] == "9.0.1: 6 modules"  # three files in three packages
    ops = ModuleRanges(path).having("tensorflow.python.ops")
    assert [str(one) for one in ops or ()] == ["9.0.1", "9.1.1rc0"]
    again = updated("modules", tmp_path, index, write=True)
    assert (again.kept, again.read, again.changes) == (2, 0, {})
