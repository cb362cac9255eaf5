"""The pass over requirements: complete environments, two owners of files, stacks of CUDA, repairs as a whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tfenv.check.knowledge import Knowledge
from tfenv.facts.database import load
from tfenv.inputs import configuration
from tfenv.model.report import Answer
from tfenv.workflow.check import judged
from tfenv.workflow.gather import gather

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.model.report import Verdict

KNOWLEDGE = Knowledge(load())
CPU = {"python": "3.11", "os": "linux", "arch": "x86_64", "gpu": "none"}


def verdict(**said: object) -> Verdict:
    """The answer without an index."""
    return judged(configuration.loads(json.dumps({**CPU, **said}), "said"), KNOWLEDGE)


def test_every_clash_is_found_and_one_fix_mends_all() -> None:
    """Two packages that TensorFlow refuses are two problems, and the first fix changes both."""
    found = verdict(tf="2.17.1", packages={"numpy": "2.2.0", "protobuf": "5.28.0", "six": "1.16.0"})
    assert {problem.subject for problem in found.problems} == {"numpy", "protobuf"}
    change = dict(found.problems[0].fixes[0].change)
    assert change.keys() == {"packages.numpy", "packages.protobuf"}
    assert found.problems[0].fixes[0].solved
    mended = {name.removeprefix("packages."): version for name, version in change.items()}
    assert verdict(tf="2.17.1", packages={**mended, "six": "1.16.0"}).answer is Answer.WORKS


def test_what_only_a_fact_requires_is_missing_in_a_few_pins() -> None:
    """TensorFlow Probability imports `tf_keras`, which its metadata does not name: no installer brings it."""
    found = verdict(tf="2.16.1", packages={"tensorflow-probability": "0.24.0"})
    assert [(problem.code, problem.subject) for problem in found.problems] == [("keras-mismatch", "tf-keras")]
    assert dict(found.problems[0].fixes[0].change).keys() == {"packages.tf-keras"}
    there = {"tensorflow-probability": "0.24.0", "tf-keras": "2.16.0"}
    assert verdict(tf="2.16.1", packages=there).answer is Answer.WORKS


def test_files_of_any_package() -> None:
    """A release without a wheel for this Python is a problem of that release; another of the series mends it."""
    found = verdict(tf="2.18.0", python="3.12", packages={"tensorflow-text": "2.18.0"})
    assert (found.problems[0].code, found.problems[0].subject) == ("python-no-wheel", "tensorflow-text 2.18.0")
    assert dict(found.problems[0].fixes[0].change) == {"packages.tensorflow-text": "2.18.1"}


def test_a_release_that_does_not_exist() -> None:
    """A version between known ones that nobody published is missing; one that is newer than the rows is unknown."""
    (problem,) = verdict(tf="2.17.1", packages={"numpy": "1.26.99"}).problems
    assert (problem.code, problem.subject) == ("package-missing", "numpy")
    found = verdict(tf="2.17.1", packages={"werkzeug": "99.0"})
    assert found.answer is Answer.UNKNOWN
    assert any("werkzeug" in line for line in found.unknown)


def test_nobody_knows_the_package() -> None:
    """A project that neither the rows nor an index know makes the answer unknown, never broken."""
    found = verdict(tf="2.17.1", packages={"no-such-project-of-ours": "1.0"})
    assert found.answer is Answer.UNKNOWN
    assert any("no-such-project-of-ours" in line for line in found.unknown)


def test_two_owners_of_one_file() -> None:
    """Two distributions that write the same files overwrite each other."""
    packages = {"opencv-python": "4.10.0.84", "opencv-python-headless": "4.10.0.84"}
    codes = [problem.code for problem in verdict(tf="2.17.1", packages=packages).problems]
    assert codes == ["package-broken"]
    assert verdict(tf="2.17.1", packages={"opencv-python": "4.10.0.84"}).answer is Answer.WORKS


def test_of_two_cuda_stacks_tensorflow_opens_its_own() -> None:
    """Wheels of CUDA 11 that another package brings do not hide those of CUDA 12."""
    own = {"nvidia-cuda-runtime-cu12": "12.3.101", "nvidia-cudnn-cu12": "8.9.7.29"}
    other = {"nvidia-cuda-runtime-cu11": "11.8.89", "nvidia-cudnn-cu11": "8.7.0.84"}
    machine = {"gpu": "A100", "driver": "550.54.15"}
    assert verdict(tf="2.17.1", **machine, packages={**other, **own}).answer is Answer.WORKS
    assert verdict(tf="2.17.1", **machine, packages=other).problems[0].code == "cuda-mismatch"


def test_a_freeze_lacks_what_it_lacks(tmp_path: Path) -> None:
    """What a list of all packages does not name is not installed; a few pins say nothing of the rest."""
    names = {
        "absl-py": "2.1.0",
        "astunparse": "1.6.3",
        "flatbuffers": "24.3.25",
        "gast": "0.6.0",
        "google-pasta": "0.2.0",
        "h5py": "3.11.0",
        "libclang": "18.1.1",
        "ml-dtypes": "0.4.1",
        "opt-einsum": "3.4.0",
        "packaging": "24.1",
        "protobuf": "4.25.5",
        "requests": "2.32.3",
        "setuptools": "75.1.0",
        "six": "1.16.0",
        "termcolor": "2.4.0",
        "typing-extensions": "4.12.2",
        "wrapt": "1.16.0",
        "grpcio": "1.66.1",
        "tensorboard": "2.17.1",
        "keras": "3.5.0",
        "numpy": "1.26.4",
        "wheel": "0.44.0",
        "certifi": "2024.8.30",
        "idna": "3.10",
        "urllib3": "2.2.3",
        "charset-normalizer": "3.3.2",
        "markdown": "3.7",
        "tensorboard-data-server": "0.7.2",
        "werkzeug": "3.0.4",
        "markupsafe": "2.1.5",
        "rich": "13.8.1",
        "namex": "0.0.8",
        "optree": "0.12.1",
        "markdown-it-py": "3.0.0",
        "pygments": "2.18.0",
        "mdurl": "0.1.2",
        "tensorflow-io-gcs-filesystem": "0.37.1",
        "tensorflow": "2.17.0",
    }
    file = tmp_path / "freeze.txt"
    machine = configuration.loads(json.dumps(CPU), "machine")

    def of(packages: dict[str, str]) -> Verdict:
        file.write_text("".join(f"{name}=={version}\n" for name, version in packages.items()), encoding="utf-8")
        return judged(configuration.merge(machine, gather([file], KNOWLEDGE.database)), KNOWLEDGE)

    assert of(names).answer is Answer.WORKS, of(names)
    del names["flatbuffers"]
    assert [(one.code, one.subject) for one in of(names).problems] == [("package-missing", "flatbuffers")]
    assert verdict(tf="2.17.0", packages={"numpy": "1.26.4"}).answer is Answer.WORKS


def test_works_is_earned_by_a_whole_environment() -> None:
    """A conflict that only packages in between have is found by completing the few that are fixed."""
    found = verdict(tf="2.10.1", python="3.10", packages={"tensorflow-datasets": "4.9.9"})
    assert [problem.code for problem in found.problems] == ["package-incompatible"]
    assert any("tensorflow-datasets 4.9.9 requires protobuf>=3.20" in reason for reason in found.problems[0].because)
    change = dict(found.problems[0].fixes[0].change)
    assert change.keys() == {"packages.tensorflow-datasets"}
    mended = {"tensorflow-datasets": change["packages.tensorflow-datasets"]}
    assert verdict(tf="2.10.1", python="3.10", packages=mended).answer is Answer.WORKS


def test_builds_for_the_gpus_of_amd() -> None:
    """AMD's build is judged by the kernels that it holds, and is never said to work."""
    rocm = {"tensorflow-rocm": "2.14.0.600"}
    (problem,) = verdict(tf="2.14", gpu="RX 7600", packages=rocm).problems
    assert (problem.code, problem.subject) == ("gpu-too-new", "gfx1102")
    assert verdict(tf="2.14", gpu="MI250", packages=rocm).answer is Answer.UNKNOWN
