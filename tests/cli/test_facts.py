"""`tfenv facts` as a user sees it: exit code, standard output, standard error."""

from __future__ import annotations

import json

import pytest

from tests.support.index_server import FakeIndex
from tfenv.cli.facts import _summary, show, update
from tfenv.errors import IndexUnavailable, UsageError
from tfenv.harvest.update_releases import Tally


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for people: build, wheels, where from."""
    show("tensorflow==2.20")
    out = capsys.readouterr().out
    assert out.startswith("tensorflow 2.20.0, uploaded 2025-08-13T")
    assert "  linux-aarch64: CPU only\n" in out
    assert (
        "  linux-x86_64: CUDA 12.5.1, cuDNN 9 (at least 9.3.0.75), machine code for 6.0, 7.0, 8.0, 8.9, 9.0 (in part),"
        " PTX for 9.0; not from build_info.py: cudnn_floor, partial\n"
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
    with pytest.raises(UsageError, match="is no release"):
        show(text)


def test_update_shows_a_diff(capsys: pytest.CaptureFixture[str]) -> None:
    """Without `--write` the diff is on standard output, the summary on standard error, and no file changes."""
    with FakeIndex() as index:
        index.add_wheel("tensorflow-gpu", "9.1.0", tags="cp39-cp39-manylinux2014_x86_64")
        update(["tensorflow_gpu"], index_url=index.url)
    captured = capsys.readouterr()
    assert "+++ b/constraints/facts/tensorflow/9.1.toml\n" in captured.out
    assert captured.err.startswith("1 releases: 0 kept, 1 wheels read (0 MB in all, at most 0.0 MB for one)\n")
    assert captured.err.endswith("files would change; `--write` writes them\n")


def test_update_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints one document, the diffs in it."""
    with FakeIndex() as index:
        index.add_wheel("tensorflow-gpu", "9.1.0", tags="cp39-cp39-manylinux2014_x86_64")
        update(["tensorflow_gpu"], index_url=index.url, json_output=True)
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert (told["releases"], told["wheels"], told["written"], captured.err) == (1, 1, False, "")
    assert '+version = "9.1.0"' in next(one["diff"] for one in told["changes"] if one["file"] == "9.1.toml")


def test_update_without_an_index() -> None:
    """An index that answers nothing is exit 4, and names the URL."""
    with FakeIndex() as index:
        index.add_wheel("tensorflow", "9.1.0")
        index.fault("simple/tensorflow", status=403, times=9)
        with pytest.raises(IndexUnavailable, match="403"):
            update(["tensorflow"], index_url=index.url)


def test_summary() -> None:
    """What an update did is told in a few lines, whether it wrote, would write, or had nothing to do."""
    tally = Tally(releases=3, kept=2, wheels=4, most=2_600_000, total=9_000_000, without_build=["a.whl", "b.whl"])
    assert list(_summary(tally, ["9.1.toml"], "facts")) == [
        "3 releases: 2 kept, 4 wheels read (9 MB in all, at most 2.6 MB for one)",
        "2 wheels say nothing of their build, such as a.whl",
        "wrote 9.1.toml in facts",
    ]
    assert list(_summary(Tally(), ["9.1.toml"], ""))[-1] == "1 file would change; `--write` writes them"
    assert list(_summary(Tally(), [], "facts"))[-1] == "nothing has changed"


def test_update_of_something_else() -> None:
    """Distributions that are no TensorFlow have no rows."""
    with pytest.raises(UsageError, match="`numpy` is not in the database"):
        update(["numpy"])
