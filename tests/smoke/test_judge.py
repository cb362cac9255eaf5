"""The judge on what probes really said, and on what they would say of other faults."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from tests.smoke.environments import lock_of, recorded
from tests.support.locks import architectures
from tfenv.model.lock import Origin
from tfenv.model.package import normalize
from tfenv.model.report import Level, Outcome, Report
from tfenv.model.target import Platform
from tfenv.smoke.judge import judge

if TYPE_CHECKING:
    from tfenv.model.lock import Lock
    from tfenv.smoke.exchange import Document

P, F, N = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_TRIED
SILENTLY = "it would silently run on the CPU"
NO_NCCL = "TensorFlow does not find libnccl.so.2, although it is installed: it is not on the loader's path"
FOREIGN_CUPTI = "libcupti is /usr/local/cuda-13.0/lib/libcupti.so.13, which is not a file of the lock"
GPU = "/job:localhost/replica:0/task:0/device:GPU:0"


def outcomes(report: Report) -> list[Outcome]:
    return [level.outcome for level in report.levels]


@pytest.fixture
def cpu() -> Document:
    return recorded("healthy-cpu")


@pytest.fixture
def gpu() -> Document:
    return recorded("healthy-gpu")


def on_gpu(document: Document) -> Document:
    """The same, as it would be told by a host with one GPU."""
    document["driver"] = {"cuda": "12.2", "init": 0, "gpus": 1, "version": "535.104.05"}
    for level in ("compute", "train"):
        for step in document[level]["steps"].values():
            if "device" in step:
                step["device"] = GPU
    return document


def test_healthy_cpu_environment(cpu: Document) -> None:
    """An environment without GPU, under a lock without GPU, passes every level."""
    report = judge(lock_of(cpu), cpu, subject="venv")
    assert outcomes(report) == [P] * 6
    assert not report.failed
    assert not report.gpu_wanted
    assert report.levels[3].detail == "none in this lock (CPU)"
    assert "max error 5e-7" in report.levels[4].detail


def test_gpu_environment_without_gpu(gpu: Document) -> None:
    """A lock with GPU on a host without one passes up to the libraries, and says what could not be tried and why."""
    report = judge(lock_of(gpu), gpu, subject="venv")
    assert outcomes(report) == [P, P, P, P, N, N]
    assert (report.failed, report.gpu_wanted, report.gpu_tried) == (False, True, False)
    assert report.levels[3].detail == "28 libraries, cuDNN 8.9.7"
    assert report.levels[4].detail.startswith("on GPU: no NVIDIA driver here (CPU passed, float32 max error 5e-7")


def test_optional_libraries_are_remarks(gpu: Document) -> None:
    """NCCL out of the loader's sight, and a profiler library of the host, are told and fail nothing."""
    remarks = judge(lock_of(gpu), gpu, subject="venv").levels[3].findings
    assert remarks == (
        f"{NO_NCCL} (only several GPUs together needs it)",
        f"{FOREIGN_CUPTI} (only the profiler needs it)",
    )


def test_gpu_environment_with_gpu(gpu: Document) -> None:
    """With a GPU that was used, nothing is left untried."""
    report = judge(lock_of(gpu), on_gpu(gpu), subject="venv")
    assert outcomes(report) == [P] * 6
    assert report.gpu_tried
    assert report.levels[4].detail.startswith("GPU, ")


@pytest.mark.parametrize(
    ("environment", "healthy", "expected", "level", "reason"),
    [
        ("numpy2", "healthy-2.14", [F, F, N, N, N, N], 0, "numpy 2.1.3 is installed, but the lock has 1.26.4"),
        ("numpy2", "healthy-2.14", [F, F, N, N, N, N], 1, "because numpy 2.1.3 is installed, but the lock has 1.26.4"),
        ("protobuf6", "healthy-2.9", [F, F, N, N, N, N], 0, "protobuf 6.33.0 is installed, but the lock has 3.19.6"),
        (
            "protobuf6",
            "healthy-2.9",
            [F, F, N, N, N, N],
            1,
            "because protobuf 6.33.0 is installed, but the lock has 3.19.6",
        ),
        (
            "cudnn-removed",
            "healthy-gpu",
            [F, P, P, F, N, N],
            0,
            "nvidia-cudnn-cu12 8.9.7.29 is locked but not installed",
        ),
        (
            "cudnn-removed",
            "healthy-gpu",
            [F, P, P, F, N, N],
            3,
            "TensorFlow cannot open libcudnn: nvidia-cudnn-cu12 8.9.7.29 is locked, but does not contain it",
        ),
        (
            "cudnn9",
            "healthy-gpu",
            [F, P, P, F, N, N],
            0,
            "nvidia-cudnn-cu12 9.3.0.75 is installed, but the lock has 8.9.7.29",
        ),
        (
            "cudnn9",
            "healthy-gpu",
            [F, P, P, F, N, N],
            3,
            "cuDNN 9 (9.3.0) is installed, but TensorFlow 2.17.1 was compiled for 8",
        ),
        (
            "cpu-wheel",
            "healthy-gpu",
            [F, P, F, F, N, N],
            0,
            f"the CPU wheel tensorflow-cpu 2.17.1 is installed, but the lock is for CUDA 12.3: {SILENTLY}",
        ),
        (
            "cpu-wheel",
            "healthy-gpu",
            [F, P, F, F, N, N],
            2,
            (
                "this build of TensorFlow 2.17.1 has no CUDA, but the lock is for CUDA 12.3: "
                "it would silently run on the CPU"
            ),
        ),
    ],
)
def test_broken_environments(environment: str, healthy: str, expected: list[Outcome], level: int, reason: str) -> None:
    """Environments that were broken on purpose are caught at the right levels, with the reason."""
    report = judge(lock_of(recorded(healthy)), recorded(environment), subject="venv")
    assert outcomes(report) == expected
    assert report.levels[level].detail == reason


def test_import_failure_under_a_wrong_lock() -> None:
    """A lock that itself holds numpy 2 passes level 0; the import then names the usual cause of the message."""
    document = recorded("numpy2")
    lock = lock_of(recorded("healthy-2.14"))
    packages = tuple(
        replace(each, version=Version("2.1.3")) if each.name == "numpy" else each for each in lock.packages
    )
    report = judge(replace(lock, packages=packages), document, subject="venv")
    assert outcomes(report)[:2] == [P, F]
    assert report.levels[1].detail == "the usual cause of this message is numpy; 2.1.3 is installed"


def change(name: str, **values: Any) -> Any:
    def apply(document: Document) -> None:
        entry = next(each for each in document["installed"]["distributions"] if each["name"] == name)
        entry.update(values)

    return apply


def add(name: str, version: str = "1.0") -> Any:
    def apply(document: Document) -> None:
        document["installed"]["distributions"].append({"name": name, "version": version})

    return apply


def put(*path: str, value: Any) -> Any:
    def apply(document: Document) -> None:
        place: Any = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return apply


def level_of(lock: Lock, document: Document, number: int, **more: Any) -> Level:
    return judge(lock, document, subject="venv", **more).levels[number]


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (change("keras", changed_count=1, changed=["keras/a.py"]), "keras 3.15.1: a file of it is changed since"),
        (
            change("keras", missing_count=3, missing=["keras/a.py"]),
            "keras 3.15.1: 3 of its files are missing: keras/a.py",
        ),
        (change("keras", record=False), "keras 3.15.1 has no RECORD, so its files cannot be checked"),
        (change("keras", version="not a version"), "keras not a version is installed, but the lock has 3.15.1"),
        (put("installed", "duplicates", value=["keras"]), "keras is installed more than once"),
        (add("tensorflow", "2.21.0"), "tensorflow 2.21.0 is installed but not locked; it also contains the module"),
        (put("python", value="3.9.18"), "this is Python 3.9.18, but the lock is for 3.12"),
        (put("machine", value="aarch64"), "this is linux on aarch64, but the lock is for linux-x86_64"),
    ],
)
def test_installation_faults(cpu: Document, alter: Any, reason: str) -> None:
    """Level 0 names each way in which an installation is not what is locked."""
    lock = lock_of(cpu)
    alter(cpu)
    level = level_of(lock, cpu, 0)
    assert level.outcome is F
    assert any(finding.startswith(reason) for finding in level.findings), level.findings


def test_what_is_more_than_locked(cpu: Document) -> None:
    """Packages that meddle with nothing may be there, also twice; those that bring CUDA libraries may not."""
    lock = lock_of(cpu)
    add("ipython")(cpu)
    cpu["installed"]["duplicates"] = ["ipython"]
    add("nvidia-cudnn-cu12", "9.3.0.75")(cpu)
    assert level_of(lock, cpu, 0).outcome is P
    document = recorded("healthy-gpu")
    lock = lock_of(document)
    add("nvidia-cudnn-cu11", "8.6.0.163")(document)
    assert level_of(lock, document, 0).detail.startswith("nvidia-cudnn-cu11 8.6.0.163 is installed but not locked")


def test_environment_variables(cpu: Document) -> None:
    """A variable that the lock sets and the environment does not is a fault."""
    lock = replace(lock_of(cpu), environment=(("TF_USE_LEGACY_KERAS", "1"),))
    level = level_of(lock, cpu, 0)
    assert level.detail == "the environment variable TF_USE_LEGACY_KERAS is not set, but 1 in the lock"
    cpu["installed"]["environment"] = {"TF_USE_LEGACY_KERAS": "1"}
    assert level_of(lock, cpu, 0).outcome is P


def test_contents_of_the_locked_wheel(cpu: Document) -> None:
    """A file of the right version that is not the locked one is told by the digest of its RECORD."""
    entry = next(each for each in cpu["installed"]["distributions"] if each["name"] == "keras")
    lock = lock_of(cpu)
    assert "1 against the locked wheel" in level_of(lock, cpu, 0, contents={"keras": entry["contents"]}).detail
    level = level_of(lock, cpu, 0, contents={"keras": "0" * 64})
    assert level.detail == "keras 3.15.1 was not installed from keras-3.15.1-py3-none-any.whl"


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        ({"outcome": "crashed", "reason": "killed by SIGSEGV"}, "`import tensorflow` crashes: killed by SIGSEGV"),
        (
            {"outcome": "crashed", "reason": "killed by SIGILL"},
            "the usual cause of this message is the processor: it is older",
        ),
        ({"outcome": "hung", "reason": "no answer in 300 s"}, "`import tensorflow` hangs: no answer in 300 s"),
        (
            {"outcome": "error", "reason": "ModuleNotFoundError: No module named 'tensorflow'"},
            "`import tensorflow` fails: ModuleNotFoundError: No module named 'tensorflow'",
        ),
        (
            {"outcome": "error", "reason": "ModuleNotFoundError: No module named 'pkg_resources'"},
            "the usual cause of this message is",
        ),
    ],
)
def test_ways_an_import_fails(cpu: Document, load: dict[str, str], reason: str) -> None:
    """A crash, a hang and an error are told apart, and nothing above is tried."""
    lock = lock_of(cpu)
    add("setuptools", "84.2.1")(cpu)
    cpu["import"] = {"steps": {"load": load}, "log": ""}
    report = judge(lock, cpu, subject="venv")
    assert outcomes(report) == [P, F, N, N, N, N]
    assert report.levels[1].detail.startswith(reason)


def test_a_probe_that_could_not_start_a_child(cpu: Document) -> None:
    """No answer at all from the child is a failed import."""
    lock = lock_of(cpu)
    cpu["import"] = {"steps": {}}
    assert level_of(lock, cpu, 1).detail == "`import tensorflow` crashes: the interpreter did not start"


def test_keras_that_fails_lazily(cpu: Document) -> None:
    """TensorFlow that imports and Keras that does not is a failed import."""
    lock = lock_of(cpu)
    steps = cpu["import"]["steps"]
    del steps["import"]["keras"]
    steps["import"]["keras_error"] = "ImportError: `keras` is missing"
    level = level_of(lock, cpu, 1)
    assert (level.outcome, level.detail) == (F, "`tf.keras` fails: ImportError: `keras` is missing")
    steps["import"] = {"outcome": "error", "reason": "AttributeError: __version__"}
    assert level_of(lock, cpu, 1).detail == "`tf.keras` fails: AttributeError: __version__"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("cuda_version", "11.8", "the build reports CUDA 11.8, but the facts have 12.3"),
        ("cudnn_version", "9", "the build reports cuDNN 9, but the facts have 8"),
        ("cudnn_version", "nine", "the build reports cuDNN nine, but the facts have 8"),
        ("cuda_compute_capabilities", ["sm_80"], "the build reports sm_80, but the facts have other architectures"),
    ],
)
def test_build_that_is_not_as_the_facts_say(gpu: Document, key: str, value: Any, reason: str) -> None:
    """Level 2 compares toolkit, cuDNN and architectures."""
    lock = lock_of(gpu)
    gpu["import"]["steps"]["build"]["info"][key] = value
    level = level_of(lock, gpu, 2)
    assert (level.outcome, level.detail) == (F, reason)


def test_build_facts_agree_as_far_as_the_wheel_says(gpu: Document) -> None:
    """A wheel that says CUDA 12 agrees with 12.3.1, and one that is silent contradicts nothing."""
    lock = lock_of(gpu)
    assert lock.build is not None
    lock = replace(
        lock, build=replace(lock.build, cuda=Version("12.3.1"), sass=architectures("5.0"), inferred=("sass",))
    )
    gpu["import"]["steps"]["build"]["info"].update(cuda_version="12", cudnn_version="")
    assert level_of(lock, gpu, 2).outcome is P


def test_another_keras_than_asked_for(cpu: Document) -> None:
    """A lock made with `--keras 2` is not met by Keras 3, and the variable is named."""
    lock = lock_of(cpu)
    asked = replace(lock, request=replace(lock.request, keras=2), environment=(("TF_USE_LEGACY_KERAS", "1"),))
    cpu["import"]["steps"]["import"]["keras"] = "3.12.0"
    level = judge(asked, cpu, subject="venv").levels[2]
    assert level.detail == "`tf.keras` is Keras 3.12.0, but the lock is for Keras 2; is TF_USE_LEGACY_KERAS=1 set?"
    cpu["import"]["steps"]["import"]["keras"] = "2.19.0"
    assert judge(asked, cpu, subject="venv").levels[2].outcome is P


def test_build_faults(cpu: Document) -> None:
    """Another version, a build that does not describe itself, and CUDA where none was locked are faults."""
    lock = lock_of(cpu)
    step = cpu["import"]["steps"]
    other = copy.deepcopy(cpu)
    other["import"]["steps"]["import"]["version"] = "2.20.0"
    assert level_of(lock, other, 2).detail == "TensorFlow 2.20.0 was imported, but the lock has 2.21.0"
    other["import"]["steps"]["import"]["version"] = ""
    assert level_of(lock, other, 2).detail == "TensorFlow (no version) was imported, but the lock has 2.21.0"
    step["build"]["is_cuda_build"] = True
    assert level_of(lock, cpu, 2).detail == "is_cuda_build is True, but False in the facts"
    step["build"]["error"] = "KeyError: x"
    assert level_of(lock, cpu, 2).detail == "the build has no description of itself: KeyError: x"


def test_a_lock_without_facts_of_the_build(cpu: Document) -> None:
    """What the lock does not know is said, and no failure."""
    level = level_of(replace(lock_of(cpu), build=None), cpu, 2)
    assert (level.outcome, level.detail) == (N, "the lock has no facts about this build")


def test_library_of_the_host(gpu: Document) -> None:
    """A library that is not of the lock is a fault where the lock brings its own, and right where the system does."""
    lock = lock_of(gpu)
    gpu["libraries"]["steps"]["asked cublas"].update(file="/usr/lib/libcublas.so.12", owner=None)
    level = level_of(lock, gpu, 3)
    assert (level.outcome, level.detail) == (
        F,
        "libcublas is /usr/lib/libcublas.so.12, which is not a file of the lock",
    )
    system = replace(lock, stack=replace(lock.stack, origin=Origin.SYSTEM))
    assert level_of(system, gpu, 3).outcome is P


def test_libraries_that_do_not_open(gpu: Document) -> None:
    """Not found, crashing, of no locked package, and broken wheels are told apart."""
    lock = lock_of(gpu)
    steps = gpu["libraries"]["steps"]
    steps["asked cublas"] = {"outcome": "error", "reason": "OSError"}
    steps["asked cufft"] = {"outcome": "crashed", "reason": "killed by SIGSEGV"}
    steps["asked cusolver"] = {"outcome": "error", "reason": "OSError"}
    del steps["brought libcusolver.so.11"]
    steps["brought libcurand.so.10"] = {"outcome": "error", "reason": "OSError: invalid ELF header"}
    level = level_of(replace(lock, packages=tuple(p for p in lock.packages if "cusolver" not in p.name)), gpu, 3)
    assert level.outcome is F
    assert set(level.findings) >= {
        "TensorFlow does not find libcublas.so.12, although it is installed: it is not on the loader's path",
        "libcufft cannot be opened: killed by SIGSEGV",
        "TensorFlow cannot open libcusolver: neither a locked package nor the system has it",
        "libcurand.so.10 of a locked wheel cannot be opened: OSError: invalid ELF header",
    }


def test_libraries_that_need_the_driver(gpu: Document) -> None:
    """A library that is linked with the driver's can only be opened where there is one."""
    lock = lock_of(gpu)
    reason = "OSError: libcuda.so.1: cannot open shared object file: No such file or directory"
    gpu["libraries"]["steps"]["brought libcudnn.so.8"] = {"outcome": "error", "reason": reason}
    level = level_of(lock, gpu, 3)
    assert level.outcome is P
    assert "libcudnn.so.8 was not tried: it can be opened only where an NVIDIA driver is installed" in level.findings
    gpu["driver"] = {"cuda": "12.2", "init": 0, "gpus": 1, "version": "535.1"}
    assert level_of(lock, gpu, 3).detail == f"libcudnn.so.8 of a locked wheel cannot be opened: {reason}"


def test_versions_that_libraries_tell(gpu: Document) -> None:
    """CuDNN of another major that was loaded, and versions other than the stack's, are faults."""
    lock = lock_of(gpu)
    gpu["libraries"]["steps"]["asked cudnn"]["version"] = "9.3.0"
    gpu["libraries"]["steps"]["asked cudart"]["version"] = "12.9"
    assert level_of(lock, gpu, 3).findings[:3] == (
        "cuDNN 9 is loaded, but TensorFlow 2.17.1 was compiled for 8",
        "cuDNN reports version 9.3.0, but the lock has 8.9.7.29",
        "CUDA runtime reports version 12.9, but the lock has 12.3",
    )


def test_libraries_elsewhere(gpu: Document) -> None:
    """Where nothing can be told of loaded libraries (no Linux), the level is not tried."""
    lock = lock_of(gpu)
    del gpu["libraries"]
    assert level_of(lock, gpu, 3).outcome is N


@pytest.mark.parametrize(
    ("level", "step", "values", "reason"),
    [
        (4, "matmul float32", {"error": 0.5}, "matmul float32 has an error of 5.0e-01, more than 1e-04"),
        (4, "matmul float16", {"error": float("nan")}, "matmul float16 has an error of nan, more than 2e-02"),
        (
            4,
            "matmul float32",
            {"outcome": "crashed", "reason": "killed by SIGABRT"},
            "matmul float32 crashed: killed by",
        ),
        (
            4,
            "matmul float32",
            {"outcome": "hung", "reason": "no answer in 300 s"},
            "matmul float32 hung: no answer in 300 s",
        ),
        (5, "model.fit", {"loss": [0.5, 0.7]}, "model.fit does not learn: the loss went from 0.500 to 0.700"),
        (5, ".h5", {"outcome": "error", "reason": "AttributeError: decode"}, ".h5 fails: AttributeError: decode"),
        (5, "SavedModel", {"error": 0.1}, "SavedModel has an error of 1.0e-01, more than 1e-05"),
    ],
)
def test_wrong_results(cpu: Document, level: int, step: str, values: dict[str, Any], reason: str) -> None:
    """Numbers are checked, and a step that ends badly is a finding of its level."""
    lock = lock_of(cpu)
    cpu["compute" if level == 4 else "train"]["steps"][step].update(values)
    found = level_of(lock, cpu, level)
    assert found.outcome is F
    assert found.detail.startswith(reason)


def test_results_on_a_gpu(gpu: Document) -> None:
    """On a GPU a step that ran elsewhere is a fault, and convolutions may round to TensorFloat-32."""
    lock = lock_of(gpu)
    on_gpu(gpu)
    gpu["train"]["steps"]["Conv2D"]["error"] = 1e-3
    assert level_of(lock, gpu, 5).outcome is P
    gpu["train"]["steps"]["XLA"]["device"] = "/device:CPU:0"
    assert level_of(lock, gpu, 5).detail == "XLA ran on /device:CPU:0 instead of the GPU"


def test_skipped_steps(cpu: Document) -> None:
    """What a release does not have is named and no fault."""
    lock = lock_of(cpu)
    cpu["train"]["steps"][".keras"] = {"outcome": "skipped", "reason": "the .keras format begins with 2.12"}
    level = level_of(lock, cpu, 5)
    assert (level.outcome, level.detail) == (P, "CPU, 7 parts; this release has no .keras")


@pytest.mark.parametrize(
    ("driver", "outcome", "reason"),
    [
        (
            {"cuda": "12.2", "init": 0, "gpus": 2, "version": "535.1"},
            F,
            "TensorFlow finds no GPU, although the driver 535.1 finds 2",
        ),
        (
            {"cuda": "12.2", "init": 0, "gpus": 1, "version": None},
            F,
            "TensorFlow finds no GPU, although the driver for CUDA 12.2 finds 1",
        ),
        (
            {"cuda": "12.2", "init": 100, "gpus": 0, "version": None},
            N,
            "on GPU: the NVIDIA driver here finds no GPU (cuInit returns 100)",
        ),
    ],
)
def test_drivers(gpu: Document, driver: dict[str, Any], outcome: Outcome, reason: str) -> None:
    """A GPU that the driver offers and TensorFlow does not see is a failure, not a lack of hardware."""
    lock = lock_of(gpu)
    gpu["driver"] = driver
    level = level_of(lock, gpu, 4)
    assert level.outcome is outcome
    assert level.detail.startswith(reason)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "W gpu_device.cc:2432] CUDA kernels will be jit-compiled from PTX, which could take 30 minutes or longer.",
            True,
        ),
        ("W gpu_device.cc:1956] Cannot dlopen some GPU libraries. Please make sure they are installed", True),
        ("W dso_loader.cc:64] Could not load dynamic library 'libcudnn.so.8'; dlerror: not found", True),
        ("Could not load library libcudnn_ops.so.9. Error: undefined symbol", True),
        ("W dso_loader.cc:64] Could not load dynamic library 'libnvinfer.so.7'; dlerror: not found", False),
        ("W dso_loader.cc:64] Could not load dynamic library 'libcuda.so.1'; dlerror: not found", False),
    ],
)
def test_complaints_in_the_log(gpu: Document, line: str, told: bool) -> None:
    """Lines that mean a GPU is not used, or used badly, fail the level; what is optional or absent with it not."""
    lock = lock_of(gpu)
    gpu["compute"]["log"] += "\n2026-11-22 11:26:26.645142: " + line
    level = level_of(lock, gpu, 4)
    assert (level.outcome is F) == told
    if told:
        assert level.detail.startswith("in the log: ")


def test_complaints_do_not_count_without_gpu(cpu: Document) -> None:
    """A lock without GPU does not care which CUDA libraries a build looks for."""
    lock = lock_of(cpu)
    cpu["compute"]["log"] = "W dso_loader.cc:64] Could not load dynamic library 'libcudart.so.11.0'"
    assert level_of(lock, cpu, 4).outcome is P


def test_nothing_computed(cpu: Document) -> None:
    """A child that dies while it looks for devices fails the level with that reason."""
    lock = lock_of(cpu)
    cpu["compute"]["steps"] = {
        "load": {"outcome": "done"},
        "prepare": {"outcome": "crashed", "reason": "killed by SIGSEGV"},
    }
    level = level_of(lock, cpu, 4)
    assert (level.outcome, level.detail) == (F, "killed by SIGSEGV")


def test_wsl_runs_what_linux_runs(cpu: Document) -> None:
    """A lock for WSL is proven on its Linux."""
    lock = lock_of(cpu)
    lock = replace(lock, target=replace(lock.target, platform=Platform.WSL))
    assert level_of(lock, cpu, 0).outcome is P


def test_lock_of_is_true_to_the_document(gpu: Document) -> None:
    """The lock these tests compare with names what the recorded environment really held."""
    lock = lock_of(gpu)
    assert lock.package(normalize("nvidia-cudnn-cu12")) is not None
    assert str(lock.stack.cuda) == "12.3"
