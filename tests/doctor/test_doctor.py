"""What `doctor` says of recorded machines, with and without an environment."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from tests.support.recorded_host import RecordedHost
from tfenv.check.knowledge import Knowledge
from tfenv.errors import UsageError
from tfenv.facts.database import load
from tfenv.inputs import configuration
from tfenv.machine.detect import detect
from tfenv.machine.installed import environment_of, installed
from tfenv.model.report import Answer
from tfenv.workflow.doctor import Diagnosis, diagnose, runnable, summary
from tfenv.workflow.profile import read_profile, save, target_of

HOSTS = Path(__file__).parent.parent / "machine" / "hosts"
_AVX = {"/proc/cpuinfo": "flags\t\t: sse2 fxsr avx avx2\n"}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """The facts that come with tfenv, without an index."""
    return Knowledge(load())


def _diagnose(name: str, knowledge: Knowledge, *, venv: str | None = None, **files: str) -> Diagnosis:
    host = RecordedHost.load(HOSTS / f"{name}.toml")
    host = RecordedHost({**host.recording, "files": {**host.recording.get("files", {}), **files}})
    machine = detect(host, nvml=host.nvml)
    return diagnose(machine, installed(host, venv) if venv is not None else None, knowledge)


def _venv(*packages: str, python: str = "3.11.4") -> dict[str, str]:
    place = f"/venv/lib/python{python.rpartition('.')[0]}/site-packages"
    files = {f"{place}/{package}.dist-info/METADATA": "" for package in packages}
    return {**files, "/venv/pyvenv.cfg": f"home = /usr/bin\nversion = {python}\n"}


def test_machine_with_one_gpu(knowledge: Knowledge) -> None:
    """Some release runs on its GPU, an old one does not, and locking is what to do."""
    found = _diagnose("one_gpu", knowledge)
    assert found.verdict.answer is Answer.WORKS
    assert any(runs.gpu is None for runs in found.releases)
    assert any("tfenv lock --gpu auto" in line for line in found.todo)
    assert any(heading == "driver" for heading, _ in summary(found.machine))


def test_releases_whose_cuda_comes_as_wheels(knowledge: Knowledge) -> None:
    """2.5 to 2.13 are judged with the cuDNN that `tfenv lock` would bring, not with the oldest they accept."""
    h200 = configuration.loads(json.dumps({"gpu": "H200", "driver": "580.159.04", "glibc": "2.39"}), "it")
    here = replace(h200.on(cpu=frozenset({"avx", "avx2"})), accelerated=True)
    found = {str(runs.version): runs.gpu for runs in runnable(here, knowledge)}
    assert (found["2.10.1"], found["2.13.1"]) == (None, None)
    assert (found["2.4.4"] or "").startswith("gpu-too-new")


def test_machine_with_nothing(knowledge: Knowledge) -> None:
    """Without a GPU the answer is about the CPU, and there is still something to do."""
    found = _diagnose("no_gpu", knowledge)
    assert found.verdict.answer is Answer.WORKS
    assert {runs.gpu for runs in found.releases} == {""}
    assert any("tfenv lock --gpu none" in line for line in found.todo)


def test_gpu_without_driver(knowledge: Knowledge) -> None:
    """An NVIDIA GPU that no driver serves is broken, and installing one is the fix."""
    found = _diagnose("device_without_driver", knowledge)
    assert found.verdict.answer is Answer.BROKEN
    assert "driver" in found.verdict.problems[0].fixes[0].command
    assert "driver" in found.todo[0]


def test_driver_that_is_too_old(knowledge: Knowledge) -> None:
    """The newest releases do not run on an old GPU with an old driver, older ones do."""
    found = _diagnose("old_driver", knowledge, **_AVX)
    by_minor = {f"{runs.version.major}.{runs.version.minor}": runs for runs in found.releases}
    assert (by_minor["2.20"].gpu or "").startswith("gpu-too-old")
    assert any(runs.gpu is None for runs in found.releases)


def test_jetson(knowledge: Knowledge) -> None:
    """No wheel of TensorFlow has CUDA for a Jetson, and who has is said."""
    found = _diagnose("jetson", knowledge)
    assert any("JetPack" in line for line in found.todo)


def test_driver_without_a_gpu(knowledge: Knowledge) -> None:
    """A driver that sees no GPU is said, and the CPU is what is left."""
    found = _diagnose("driver_without_gpu", knowledge)
    assert found.verdict.answer is Answer.WORKS
    assert "sees no GPU" in found.todo[0]


def test_every_gpu_counts(knowledge: Knowledge) -> None:
    """What runs on an A100 and not on an L4 does not run on a machine with both."""
    found = _diagnose("two_kinds", knowledge)
    by_minor = {f"{runs.version.major}.{runs.version.minor}": runs for runs in found.releases}
    assert "L4" in (by_minor["1.15"].gpu or "")
    assert by_minor["2.20"].gpu is None


def test_amd(knowledge: Knowledge) -> None:
    """Who uses a GPU of AMD is said; for TensorFlow's own wheels it counts as none."""
    found = _diagnose("amd", knowledge)
    assert {runs.gpu for runs in found.releases} == {""}
    assert any("tensorflow-rocm" in line for line in found.todo)


_FAST = {"macos", "windows", "wsl"}
"""Hosts without a test of their own; CI asks of all."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(path.stem, marks=() if path.stem in _FAST else (pytest.mark.ci,))
        for path in sorted(HOSTS.glob("*.toml"))
    ],
)
def test_every_recorded_host_gets_an_answer(name: str, knowledge: Knowledge) -> None:
    """Whatever the machine, there is a table of releases, newest first, and a summary."""
    found = _diagnose(name, knowledge)
    versions = [runs.version for runs in found.releases]
    assert versions == sorted(versions, reverse=True)
    assert dict(summary(found.machine))["system"]


def test_what_is_installed_is_judged(knowledge: Knowledge) -> None:
    """NumPy 2 beside TensorFlow 2.15 is a problem, whatever the machine, and so is what is not installed at all."""
    files = {**_venv("tensorflow-2.15.1", "numpy-2.0.2", "keras-2.15.0"), **_AVX}
    found = _diagnose("no_gpu", knowledge, venv="/venv", **files)
    assert found.verdict.answer is Answer.BROKEN
    problems = {problem.subject: problem.code for problem in found.verdict.problems}
    assert (problems["numpy"], problems["protobuf"]) == ("package-incompatible", "package-missing")
    assert found.installed is not None
    assert found.installed.python == Version("3.11.4")


def test_environment_without_tensorflow_says_so(knowledge: Knowledge) -> None:
    """An environment without TensorFlow is looked at as if there were none."""
    found = _diagnose("no_gpu", knowledge, venv="/venv", **_venv("numpy-2.0.2"))
    assert found.verdict.answer is Answer.WORKS


def test_conda_environment() -> None:
    """The Python of a conda environment stands in its records."""
    host = RecordedHost(
        {
            "environment": {"CONDA_PREFIX": "/opt/env"},
            "files": {
                "/opt/env/conda-meta/python-3.9.18-h955ad1f_0.json": "{}",
                "/opt/env/lib/python3.9/site-packages/tensorflow-2.10.1.dist-info/METADATA": "",
                "/opt/env/lib/python3.9/site-packages/nvidia/cudnn/lib/libcudnn.so.8": "",
            },
        }
    )
    assert environment_of(host) == "/opt/env"
    found = installed(host, "/opt/env/")
    assert found is not None
    assert found.python == Version("3.9.18")
    assert dict(found.packages) == {"tensorflow": Version("2.10.1")}
    assert [library.soname for library in found.libraries] == ["libcudnn.so.8"]
    assert installed(host, "/nowhere") is None


def test_a_second_cudnn_on_the_loader_path_has_a_name(knowledge: Knowledge) -> None:
    """A cuDNN in `LD_LIBRARY_PATH` hides the one of the wheel."""
    place = "/venv/lib/python3.11/site-packages"
    recording = {
        "environment": {"LD_LIBRARY_PATH": "/opt/cudnn"},
        "files": {
            **_venv("tensorflow-2.18.1", "nvidia_cudnn_cu12-9.3.0.75"),
            "/opt/cudnn/libcudnn.so.9": "",
            "/opt/cudnn/libcudnn.so.9.1.0": "",
            f"{place}/nvidia/cudnn/lib/libcudnn.so.9": "",
        },
        "nvml": {
            "driver": "550.54.14",
            "cuda": 12040,
            "devices": [{"name": "NVIDIA A100", "capability": [8, 0], "memory": 1 << 35}],
        },
    }
    host = RecordedHost(recording)
    machine = detect(host, nvml=host.nvml)
    assert machine.libraries[0].version == Version("9.1.0")
    found = diagnose(machine, installed(host, "/venv"), knowledge)
    assert "loader-path" in {problem.code for problem in found.verdict.problems}


def test_a_profile_is_read_back(tmp_path: Path, knowledge: Knowledge) -> None:
    """What `--save` writes, `--target-file` reads as the same target."""
    host = RecordedHost.load(HOSTS / "one_gpu.toml")
    machine = detect(host, nvml=host.nvml)
    path = tmp_path / "profile.toml"
    save(machine, path)
    assert read_profile(path) == target_of(machine)


def test_a_profile_with_faults_is_refused(tmp_path: Path) -> None:
    """All faults of a profile are told at once."""
    path = tmp_path / "profile.toml"
    path.write_text('platform = "amiga"\ndriver = 5\nspeed = "high"\n', encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_profile(path)
    assert len(caught.value.faults) == 3
    path.write_text("platform", encoding="utf-8")
    with pytest.raises(UsageError, match="TOML"):
        read_profile(path)
