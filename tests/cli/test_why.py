"""`tfenv why`: chains and what holds back, read off a lock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.snapshots import check

if TYPE_CHECKING:
    from tests.support.commands import Tfenv
    from tests.support.index_server import FakeIndex

SNAPSHOTS = Path(__file__).parent / "snapshots"


def _locked(tfenv: Tfenv, index: FakeIndex, *options: str) -> None:
    index.add_wheel("helper", "1.0", requires=["numpy<2.1"])
    index.add_wheel("helper", "0.9", requires=["numpy"])
    index.add_wheel("frozen", "1.0")
    ran = tfenv("lock", "--tf", "2.20", "--with", "helper<1.1", "--with", "frozen", "--index-url", index.url, *options)
    assert ran.code == 0, ran.err


def test_chains_and_what_holds_back(tfenv: Tfenv, index: FakeIndex) -> None:
    """Whoever requires a package is named with the way there, and so is what stands against the next release."""
    _locked(tfenv, index, "--gpu", "v100", "--python", "3.12")
    asked = len(index.requests)
    told = []
    for name in ("numpy", "NVIDIA_cudnn.cu12", "helper", "frozen", "tensorflow"):
        ran = tfenv("why", name)
        assert (ran.code, ran.err) == (0, "")
        told.append(ran.out)
    assert len(index.requests) == asked, "nothing is asked but the lock"
    check("".join(told), SNAPSHOTS / "why.txt")


def test_json(tfenv: Tfenv, index: FakeIndex) -> None:
    """The same as one document."""
    _locked(tfenv, index, "--gpu", "none", "--target", "small")
    told = json.loads(tfenv("why", "numpy", "--target", "small", "--json").out)
    assert told["version"] == "1.26.4"
    assert told["chains"] == [["helper==1.0", "numpy==1.26.4"], ["tensorflow-cpu==2.20.0", "numpy==1.26.4"]]
    assert told["held"] == {"before": "2.1.0", "because": "helper 1.0 requires numpy<2.1"}


def test_what_is_not_there(tfenv: Tfenv, index: FakeIndex) -> None:
    """A name that the lock does not hold is an error with the nearest that it does; so is a lock that is not there."""
    assert tfenv("why", "numpy").code == 2
    _locked(tfenv, index)
    ran = tfenv("why", "nunpy")
    assert (ran.code, ran.err) == (2, "error: `nunpy` is not in the lock\nhint: is it `numpy`?\n")


def test_why_tensorflow_is_not_newer(tfenv: Tfenv, index: FakeIndex) -> None:
    """What stands against the next TensorFlow is told while locking: a wheel, a machine, or a chain of requirements."""

    def note(*options: str) -> str:
        ran = tfenv("lock", "--dry-run", "--index-url", index.url, *options)
        assert ran.code == 0, ran.err
        return next((line.strip() for line in ran.err.splitlines() if "tensorflow-cpu held" in line), "")

    assert not note()
    assert not note("--tf", "2.19")
    assert note("--python", "3.11") == (
        "tensorflow-cpu held at 2.19.1: tensorflow 2.20.0 has wheels for linux-x86_64 and cp312 and cp313 only, "
        "not for Python 3.11"
    )
    index.add_wheel("heavy", "1.0", requires=["tensorflow<2.20"])
    assert note("--with", "heavy") == "tensorflow-cpu held at 2.19.1: heavy 1.0 requires tensorflow<2.20"


def test_a_chain_holds_tensorflow_back(tfenv: Tfenv, index: FakeIndex) -> None:
    """Where no single requirement forbids the next TensorFlow, the smallest set that does is told."""
    for name in ("tensorflow", "tensorflow-cpu"):
        index.add_wheel(name, "2.20.1", requires=["numpy>=3"], tags="cp313-cp313-manylinux_2_27_x86_64")
    ran = tfenv("lock", "--dry-run", "--index-url", index.url)
    assert ran.code == 0
    assert (
        "tensorflow-cpu held at 2.20.0: tensorflow-cpu stands in for tensorflow on this target; "
        "tensorflow-cpu 2.20.1 requires numpy>=3; numpy has no release >=3; its newest is 2.1.0"
    ) in ran.err
