"""What a newcomer types (`newcomers.toml`), and what it must give."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tfenv.inputs.request import Request
from tfenv.model.inventory import GpuDevice
from tfenv.workflow.lock.wanted import gather

if TYPE_CHECKING:
    from tests.support.commands import Tfenv
    from tests.support.index_server import FakeIndex

CASES = tomllib.loads((Path(__file__).parent / "newcomers.toml").read_text(encoding="utf-8"))["case"]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case["name"].replace(" ", "_"), marks=[pytest.mark.index] if case.get("index") else [])
        for case in CASES
    ],
)
def test_newcomers(case: dict[str, Any], tfenv: Tfenv, index: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last command ends as it must, and says what it must."""
    if case.get("index"):
        monkeypatch.delenv("HTTPS_PROXY")
    for name, text in case.get("files", {}).items():
        Path(name).write_text(text, encoding="utf-8")
    for command in case["run"]:
        words = shlex.split(command)
        own = [] if case.get("index") or words[0] != "lock" else ["--index-url", index.url]
        ran = tfenv(*words, *own)
    output = ran.out + ran.err
    assert ran.code == case["code"], output
    assert [text for text in case["says"] if text not in output] == [], output
    assert [text for text in case.get("not", ()) if text in output] == [], output


def test_no_gpu_is_seen() -> None:
    """`--gpu auto` on a machine without a GPU of NVIDIA is a lock for the CPU, and says so before the search."""
    request = Request(gpus=["auto"])
    (note,) = gather(request, detect=lambda: ((), None)).notes
    assert note.startswith("no NVIDIA GPU was seen on this machine, so the lock is for the CPU")
    (note,) = gather(request, detect=lambda: ((GpuDevice(name="1002:744c", vendor="amd"),), None)).notes
    assert "`1002:744c` (amd)" in note
    assert "`--gpu rocm`" in note
