"""L1 and L2: can TensorFlow be imported, and is it the build that the lock was made for?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from tfenv.model.hardware import Architecture
from tfenv.model.report import Level, Outcome
from tfenv.model.target import Accelerator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tfenv.model.builds import Build
    from tfenv.model.lock import Lock
    from tfenv.smoke.exchange import Document

_SIGNATURES = (
    (r"Descriptors cannot(?: not)? be created directly|google\.protobuf|'MessageFactory'", "protobuf"),
    (
        r"_ARRAY_API not found|using NumPy 1\.x|Unable to convert function return value|'numpy' has no attribute|ml_dtypes",  # noqa: E501
        "numpy",
    ),
    (r"No module named 'pkg_resources'", "setuptools"),
    (r"GLIBC_|GLIBCXX_", "the C library"),
    (r"SIGILL", "the processor"),
)
"""Patterns in the messages of failed imports, each with its known cause."""


def judge_import(document: Document, installed: Sequence[str], title: str) -> Level:
    """Judge the import of TensorFlow and Keras (L1).

    Args:
        document: answer of the probe.
        installed: faults of level 0; one about the package that broke the import is named as the cause.
        title: title of the level.
    """
    steps = document["import"]["steps"]
    # a process that could not start leaves no step
    load: Mapping[str, Any] = steps.get("load", {"outcome": "crashed", "reason": "the interpreter did not start"})
    log = str(document["import"].get("log", ""))
    failed = load["outcome"] != "done"
    reason = load.get("reason", "") if failed else steps.get("import", {}).get("keras_error", "")
    if not failed and not reason and steps.get("import", {}).get("outcome") != "done":
        reason = steps.get("import", {}).get("reason", "no answer")
    if not reason:
        seconds = f"{load['seconds']:.1f} s"
        keras = steps["import"].get("keras")
        return Level(
            number=1, title=title, outcome=Outcome.PASSED, detail=seconds + (f", Keras {keras}" if keras else "")
        )
    what = "`import tensorflow`" if failed else "`tf.keras`"
    findings = (
        f"{what} {_how(load['outcome'] if failed else 'error')}: {reason}",
        *_causes(document, reason, log, installed),
    )
    return Level(number=1, title=title, outcome=Outcome.FAILED, detail=findings[-1], findings=findings)


def _how(outcome: str) -> str:
    return {"hung": "hangs", "crashed": "crashes"}.get(outcome, "fails")


def _causes(document: Document, reason: str, log: str, installed: Sequence[str]) -> Iterator[str]:
    """The known cause of a message, with the fault of that package on level 0."""
    versions = {entry["name"]: entry["version"] for entry in document["installed"]["distributions"]}
    for pattern, culprit in _SIGNATURES:
        if not re.search(pattern, reason + "\n" + log, re.DOTALL):
            continue
        fault = next((line for line in installed if line.startswith(f"{culprit} ")), None)
        if fault is not None:
            yield f"because {fault}"
        elif culprit in versions:
            yield f"the usual cause of this message is {culprit}; {versions[culprit]} is installed"
        elif culprit.startswith("the "):
            yield f"the usual cause of this message is {culprit}: it is older than this wheel requires"
        return


def judge_build(lock: Lock, document: Document, title: str) -> Level:
    """Compare the description that the build has of itself with the facts in the lock (L2)."""
    steps = document["import"]["steps"]
    version = steps["import"].get("version", "")
    findings = [*_version(lock, version), *_keras(lock, steps["import"].get("keras"))]
    build = steps.get("build", {})
    if build.get("outcome") != "done" or "error" in build:
        findings.append(f"the build has no description of itself: {build.get('error') or build.get('reason')}")
    else:
        wants = lock.target.accelerator is Accelerator.CUDA
        if wants and not build["is_cuda_build"]:
            cuda = f"CUDA {lock.build.cuda}" if lock.build is not None and lock.build.cuda else "CUDA"
            findings.append(
                f"this build of TensorFlow {version} has no CUDA, but the lock is for {cuda}: "
                "it would silently run on the CPU"
            )
        elif lock.build is not None:
            findings += _differences(lock.build, build["is_cuda_build"], build["info"])
    if findings:
        return Level(number=2, title=title, outcome=Outcome.FAILED, detail=findings[0], findings=tuple(findings))
    if lock.build is None:
        return Level(number=2, title=title, outcome=Outcome.NOT_TRIED, detail="the lock has no facts about this build")
    if not lock.build.is_cuda:
        return Level(number=2, title=title, outcome=Outcome.PASSED, detail=f"TensorFlow {version}, no CUDA")
    detail = f"TensorFlow {version}, CUDA {lock.build.cuda}, cuDNN {lock.build.cudnn}"
    return Level(number=2, title=title, outcome=Outcome.PASSED, detail=detail)


def _version(lock: Lock, text: str) -> Iterator[str]:
    try:
        same = Version(text) == lock.tensorflow.version
    except InvalidVersion:
        same = False
    if not same:
        yield f"TensorFlow {text or '(no version)'} was imported, but the lock has {lock.tensorflow.version}"


def _keras(lock: Lock, found: str | None) -> Iterator[str]:
    """A fault if `tf.keras` does not have the requested major version."""
    wanted, major = lock.request.keras, re.match(r"\d+", found or "")
    if wanted is not None and major is not None and int(major[0]) != wanted:
        settings = "".join(f"; is {name}={value} set?" for name, value in lock.environment)
        yield f"`tf.keras` is Keras {found}, but the lock is for Keras {wanted}{settings}"


def _differences(build: Build, is_cuda: bool, info: Mapping[str, Any]) -> Iterator[str]:
    if is_cuda != build.is_cuda:
        yield f"is_cuda_build is {is_cuda}, but {build.is_cuda} in the facts"
    for field, keys, expected in (
        ("cuda", ("cuda_version", "cuda_version_number"), build.cuda),
        ("cudnn", ("cudnn_version", "cudnn_version_number"), build.cudnn),
    ):
        recorded = next((str(info[key]) for key in keys if info.get(key)), None)
        if recorded and expected is not None and not _agree(recorded, expected):
            name = "CUDA" if field == "cuda" else "cuDNN"
            yield f"the build reports {name} {recorded}, but the facts have {expected}"
    architectures = info.get("cuda_compute_capabilities")
    if architectures and not {"sass", "ptx"} & set(build.inferred):
        ptx = {Architecture.parse(item) for item in architectures if item.startswith("compute_")}
        sass = {Architecture.parse(item) for item in architectures}
        if sass != set(build.sass) or ptx != set(build.ptx):
            yield f"the build reports {', '.join(architectures)}, but the facts have other architectures"


def _agree(recorded: str, expected: Version) -> bool:
    """Whether two versions agree in the parts that both have: a wheel may record `8` where a page has `8.1`."""
    try:
        left = Version(recorded).release
    except InvalidVersion:
        return False
    length = min(len(left), len(expected.release))
    return left[:length] == expected.release[:length]
