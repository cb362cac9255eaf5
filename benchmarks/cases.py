"""The six cases to be locked, and what makes each of them hard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request.

    Attributes:
        key: letter of the case.
        says: description of one line.
        tensorflow: release of TensorFlow.
        requires: all requirements in the notation of PEP 508, including TensorFlow.
        cuda: whether the CUDA libraries are locked too.
        python: minor release of Python.
        upgraded: package to upgrade, which an earlier lock holds back (`held`).
    """

    key: str
    says: str
    tensorflow: str
    requires: tuple[str, ...]
    cuda: bool = False
    python: str = "3.11"
    check: bool = False
    held: str = ""
    upgraded: str = ""


_A = ("tensorflow[and-cuda]==2.17.1",)
_B = (
    *_A,
    "tensorflow-text",
    "tensorflow-probability",
    "tf-keras",
    "tensorflow-hub",
    "tensorflow-datasets",
    "pandas",
    "scikit-learn",
    "matplotlib",
    "jupyterlab",
    "opencv-python-headless",
)
_C = (
    "tensorflow==2.15.1",
    "tensorflow-text",
    "tf-models-official",
    "tensorflow-datasets",
    "protobuf<4",
    "numpy<1.25",
    "pandas",
)

CASES = (
    Case(key="A", says="TensorFlow with its CUDA wheels, 50 packages", tensorflow="2.17.1", requires=_A, cuda=True),
    Case(key="B", says="A and ten packages of a usual project, 167", tensorflow="2.17.1", requires=_B, cuda=True),
    Case(key="C", says="bounds that fit old releases only: backtracking", tensorflow="2.15.1", requires=_C),
    Case(
        key="D",
        says="an old release on Python 3.8, source-only packages",
        tensorflow="2.4.4",
        requires=("tensorflow==2.4.4", "pandas", "matplotlib"),
        python="3.8",
    ),
    Case(
        key="E",
        says="nothing changed: is the lock of B up to date?",
        tensorflow="2.17.1",
        requires=_B,
        cuda=True,
        check=True,
    ),
    Case(
        key="F",
        says="one package of B upgraded",
        tensorflow="2.17.1",
        requires=_B,
        cuda=True,
        held="keras==3.5.0",
        upgraded="keras",
    ),
)
