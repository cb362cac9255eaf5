"""Targets that are not Linux with a GPU of NVIDIA, locked against the real index."""

from __future__ import annotations

import pytest

from tfenv.errors import NoSolution
from tfenv.facts.database import load
from tfenv.inputs.request import Request
from tfenv.model.lock import Lock, Origin
from tfenv.workflow.lock.solve import solve
from tfenv.workflow.lock.wanted import gather

pytestmark = pytest.mark.index
DATABASE = load()


def locked(tensorflow: str, gpu: str = "", platform: str | None = None) -> Lock:
    request = Request(tf=tensorflow or None, gpus=[gpu] if gpu else [], platform=platform)
    return solve(gather(request, detect=lambda: ((), None)).goal, database=DATABASE)


@pytest.mark.parametrize(
    ("tensorflow", "gpu", "platform", "expected"),
    [
        ("==2.9.*", "", "macos-arm64", {"tensorflow-macos": "2.9.2"}),
        ("==2.9.*", "metal", None, {"tensorflow-macos": "2.9.2", "tensorflow-metal": "0.5.1"}),
        ("==2.15.*", "metal", None, {"tensorflow": "2.15.1", "tensorflow-metal": "1.1.0"}),
        ("==2.18.*", "metal", "macos-arm64", {"tensorflow": "2.18.1", "tensorflow-metal": "1.2.0"}),
        ("", "directml", None, {"tensorflow-cpu": "2.10.0", "tensorflow-directml-plugin": "0.4.0.dev230202"}),
        ("", "directml", "wsl", {"tensorflow-cpu": "2.10.0", "tensorflow-directml-plugin": "0.4.0.dev230202"}),
        ("==2.14.*", "rocm6", None, {"tensorflow-rocm": "2.14.0.600"}),
        ("==2.10.*", "rocm5.2", None, {"tensorflow-rocm": "2.10.0.520"}),
        ("==2.19.*", "tpu", None, {"tensorflow-tpu": "2.19.1", "libtpu": "0.0.10"}),
        ("==2.10.*", "rtx 3090", "windows-x86_64", {"tensorflow": "2.10.1"}),
        ("==2.12.*", "", "linux-aarch64", {"tensorflow": "2.12.1", "tensorflow-cpu-aws": "2.12.1"}),
        ("==2.17.*", "rtx 4090", "wsl", {"tensorflow": "2.17.1"}),
    ],
)
def test_locks(tensorflow: str, gpu: str, platform: str | None, expected: dict[str, str]) -> None:
    """The right distribution and its pair, each with a hash; files are for the platform."""
    answer = locked(tensorflow, gpu, platform)
    found = {package.name: str(package.version) for package in answer.packages}
    assert expected.items() <= found.items()
    assert all(package.file.sha256 for package in answer.packages)


def test_stacks() -> None:
    """What no wheel brings is of the system, and said."""
    rocm = locked("==2.13.*", "rocm5.7")
    assert (rocm.stack.origin, str(rocm.stack.rocm)) == (Origin.SYSTEM, "5.7")
    assert any("ROCm 5.7" in warning and "rocm/tensorflow" in warning for warning in rocm.warnings)
    windows = locked("==2.10.*", "cuda11", "windows-x86_64")
    assert (windows.stack.origin, str(windows.stack.cuda)) == (Origin.SYSTEM, "11.2")


@pytest.mark.parametrize(
    ("tensorflow", "gpu", "platform", "named"),
    [
        ("==2.17.*", "h100", "linux-aarch64", "nvcr.io/nvidia/tensorflow"),
        ("==2.15.*", "rtx 3090", "windows-x86_64", "--platform wsl"),
        ("==2.15.*", "cuda12", "macos-arm64", "--gpu metal"),
        ("", "v100", "macos-arm64", "--gpu metal"),
        ("==2.16.*", "rocm6", None, "repo.radeon.com"),
        ("==2.18.*", "tpu", None, "libtpu"),
    ],
)
def test_refused_with_the_alternative(tensorflow: str, gpu: str, platform: str | None, named: str) -> None:
    """What would run on the CPU is refused, and what else there is named."""
    with pytest.raises(NoSolution) as caught:
        locked(tensorflow, gpu, platform)
    assert named in (caught.value.hint or "")
