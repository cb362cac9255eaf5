"""`tfenv facts` as a user sees it: exit code, standard output, standard error."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.index_server import FakeIndex
from tfenv.cli.facts import show, update
from tfenv.errors import IndexUnavailable, UsageError
from tfenv.facts.database import load
from tfenv.facts.digest import LOCK, digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for people: build, wheels, where from."""
    show("tensorflow==2.20")
    out = capsys.readouterr().out
    assert out.startswith("tensorflow 2.20.0, uploaded 2025-08-13T")
    assert "  linux-aarch64: CPU only\n" in out
    assert (
        "  linux-x86_64: CUDA 12.5.1, cuDNN 9 (at least 9.3.0.75), machine code for 6.0, 7.0, 8.0, 8.9, 9.0 (in part),"
        " PTX for 9.0; not from build_info.py: cudnn_floor\n"
    ) in out
    assert "win_amd64.whl" in out
    assert "metadata not read" in out


def test_show_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints the document of the contract and nothing else."""
    show("Tensorflow_GPU==1.12.3", json_output=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["version"]) == ("tensorflow-gpu", "1.12.3")
    assert {build["platform"]: build["sass"] for build in told["builds"]} == {
        "linux-x86_64": ["3.7"],
        "windows-x86_64": [],
    }


@pytest.mark.parametrize("text", ["tensorflow", "tensorflow==", "==2.17", "tensorflow==2.x", "tensorflow>=2.17"])
def test_what_is_no_release(text: str) -> None:
    """A release is a name and a version."""
    with pytest.raises(UsageError, match="is not a release"):
        show(text)


@pytest.fixture(name="gpu_index")
def _gpu_index() -> Iterator[FakeIndex]:
    """An index with one release of `tensorflow-gpu`."""
    with FakeIndex() as index:
        index.add_wheel("tensorflow-gpu", "9.1.0", tags="cp39-cp39-manylinux2014_x86_64")
        yield index


def test_show_the_facts(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a release: which facts are in use, from when, and their digests."""
    show(json_output=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["source"], found["unused"]) == ("tfenv", None)
    assert found["facts"] == digest(load().root, LOCK)
    show()
    assert f"rows {found['facts']}, symbols {found['symbols']}" in capsys.readouterr().out


def test_update_shows_a_diff(gpu_index: FakeIndex, capsys: pytest.CaptureFixture[str]) -> None:
    """Without `--write` the diff is on standard output, the report on standard error, and no file changes."""
    update(["releases"], only=["tensorflow_gpu"], index_url=gpu_index.url)
    captured = capsys.readouterr()
    assert "+++ b/constraints/facts/tensorflow/9.1.toml\n" in captured.out
    assert re.search(r"^releases: 1 checked, 0 kept, 1 read \(0 MB\), \d+ files changed$", captured.err, re.MULTILINE)
    assert captured.err.endswith("files would change; `--write` writes to a checkout, `--user` to your data folder\n")
    assert "9.1" not in load().releases.minors


def test_update_in_json(gpu_index: FakeIndex, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints one document, with the report of each table in one shape, the diffs in it."""
    update(["releases"], only=["tensorflow_gpu"], index_url=gpu_index.url, json_output=True)
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    (report,) = document["tables"]
    assert (report["table"], report["checked"], report["read"], report["kept"]) == ("releases", 1, 1, 0)
    assert (document["written"], captured.err) == (None, "")
    change = next(one for one in report["changes"] if one["file"] == "facts/tensorflow/9.1.toml")
    assert '+version = "9.1.0"' in change["diff"]
    assert change["added"] > 10
    assert change["removed"] == 0


def test_update_for_the_user(
    gpu_index: FakeIndex, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--user` writes facts that count from then on; `facts show` names them."""
    monkeypatch.setenv("TFENV_DATA_DIR", str(tmp_path / "data"))
    update(["releases"], only=["tensorflow_gpu"], index_url=gpu_index.url, user=True, quiet=True)
    capsys.readouterr()
    show(json_output=True)
    found = json.loads(capsys.readouterr().out)
    assert found["source"] == "user"
    assert found["folder"].startswith(str(tmp_path / "data"))
    assert "9.1" in load().releases.minors
    show()
    assert "read by `tfenv facts update --user`" in capsys.readouterr().out


def test_update_without_an_index() -> None:
    """An index that answers nothing is exit 4, and names the URL."""
    with FakeIndex() as index:
        index.add_wheel("tensorflow", "9.1.0")
        index.fault("simple/tensorflow", status=403, times=9)
        with pytest.raises(IndexUnavailable, match="403"):
            update(["releases"], only=["tensorflow"], index_url=index.url)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"tables": ["numpy"]}, "there is no table `numpy`"),
        ({"tables": ["releases"], "only": ["numpy"]}, "the facts do not cover releases of `numpy`"),
        ({"tables": ["modules"], "only": ["2.17.1"]}, "goes with one table"),
        ({"tables": ["releases", "symbols"], "only": ["2.17.1"]}, "goes with one table"),
        ({"only": ["tensorflow"]}, "goes with one table"),
        ({"write": True, "user": True}, "exclude each other"),
    ],
)
def test_wrong_usage(arguments: dict[str, Any], fault: str) -> None:
    """What cannot be updated so is refused before anything is asked."""
    with pytest.raises(UsageError, match=fault):
        update(**arguments)
