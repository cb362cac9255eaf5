"""`facts update --api`, `--exports`, `--modules` against an index on this machine: what is read, kept, read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.support.index_server import FakeIndex
from tfenv.cli.facts import update as command
from tfenv.errors import IndexUnavailable, UsageError
from tfenv.harvest import update_modules as lying
from tfenv.harvest import update_symbols
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


def test_update(index: FakeIndex, tmp_path: Path) -> None:
    """Every release that is no candidate is read once; the second run reads nothing, and changes nothing."""
    told: list[update_symbols.Changed] = []
    tally = update_symbols.update(tmp_path, told.append, index=index.url, write=True)
    assert (tally.releases, tally.kept, tally.read) == (7, 0, 7)
    table = ApiTable(tmp_path)
    assert [str(one) for one in table.releases] == ["9.0.0", "9.0.1", "9.1.0", "9.1.1rc0"]
    plus = table.symbol("tf.plus")
    assert plus is not None
    assert [parameter.name for parameter in plus.parameters or ()] == ["x", "y"]
    assert plus.versions == (Version("9.1.0"),)
    became = table.became("tf.old") if (tmp_path / "became.toml").exists() else None
    assert became is None
    assert (tmp_path / "renames.txt").read_text(encoding="utf-8").endswith("tf.old\ttf.compat.v1.old\n")
    told.clear()
    again = update_symbols.update(tmp_path, told.append, index=index.url, write=True)
    assert (again.kept, again.read, told) == (7, 0, [])


def test_without_write(index: FakeIndex, tmp_path: Path) -> None:
    """Nothing is written, and the changes are told by file."""
    told: list[update_symbols.Changed] = []
    update_symbols.update(tmp_path, told.append, index=index.url)
    assert not list(tmp_path.iterdir())
    assert {change.path.name for change in told} >= {"_.txt", "releases.txt", "renames.txt"}


def test_named_releases_are_read_again(index: FakeIndex, tmp_path: Path) -> None:
    """Of all releases only those named are read, also if they are known."""
    tally = update_symbols.update(tmp_path, lambda _: None, only=[Version("9.1.0")], index=index.url, write=True)
    assert (tally.releases, tally.read) == (1, 1)
    tally = update_symbols.update(tmp_path, lambda _: None, only=[Version("9.1.0")], index=index.url, write=True)
    assert (tally.kept, tally.read) == (0, 1)
    assert [str(one) for one in ApiTable(tmp_path).releases] == ["9.1.0"]


def test_a_patch_release_reads_what_differs(index: FakeIndex, tmp_path: Path) -> None:
    """Members with the checksum that the release before had do not travel again."""
    both = update_symbols.update(tmp_path, lambda _: None, only=[Version("9.0.0"), Version("9.0.1")], index=index.url)
    ranges = [seen for seen in index.requests if ".whl" in seen.path and seen.status == 206]
    assert both.total < sum(seen.sent for seen in ranges) + 1
    assert len(ranges) <= 8


@pytest.mark.slow  # it reads and writes the whole table of the repository
def test_the_command(index: FakeIndex, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each file, then what was done; names that are no releases are refused."""
    command(["9.1.0"], api=True, index_url=index.url)
    captured = capsys.readouterr()
    assert "tensorflow/_.txt: " in captured.out
    assert "1 releases: 0 kept, 1 read" in captured.err
    with pytest.raises(UsageError, match="Invalid version"):
        command(["tensorflow"], api=True, index_url=index.url)


def test_exports_of_no_library(index: FakeIndex) -> None:
    """A wheel whose library cannot be read is named; the command takes no names."""
    with pytest.raises(
        IndexUnavailable, match=r"tensorflow_cpu-9\.0\.0.*cannot be read|tensorflow-9\.\d.*cannot be read"
    ):
        command(exports=True, index_url=index.url)
    with pytest.raises(UsageError, match="takes no names"):
        command(["9.1.0"], exports=True, index_url=index.url)


def test_modules(index: FakeIndex, tmp_path: Path) -> None:
    """The newest of each minor release is read once; without `write` nothing is written."""
    path, told = tmp_path / "modules.txt", list[str]()
    assert lying.update(path, told.append, index=index.url) == 2
    assert not path.exists()
    assert lying.update(path, told.append, index=index.url, write=True) == 2
    assert told[0] == "9.0.1: 6 modules"  # three files in three packages
    ops = ModuleRanges(path).having("tensorflow.python.ops")
    assert [str(one) for one in ops or ()] == ["9.0.1", "9.1.1rc0"]
    assert lying.update(path, told.append, index=index.url, write=True) == 0


def test_modules_take_no_names(index: FakeIndex) -> None:
    """Releases cannot be named."""
    with pytest.raises(UsageError, match="takes no names"):
        command(["9.1.0"], modules=True, index_url=index.url)
