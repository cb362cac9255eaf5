"""`tfenv compat`: the table is what the facts say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.commands import Tfenv


def test_one_line_a_minor(tfenv: Tfenv) -> None:
    """Without a specifier, the newest patch of every minor, newest first."""
    ran = tfenv("compat", "--json")
    assert ran.code == 0
    told = json.loads(ran.out)
    minors = [tuple(map(int, row["version"].split(".")[:2])) for row in told]
    assert minors == sorted(set(minors), reverse=True)
    assert (1, 4) in minors


def test_rows_of_one_minor(tfenv: Tfenv) -> None:
    """With a specifier, every release it allows; figures are those of the wheel and of the toolkit's driver table."""
    ran = tfenv("compat", "2.15", "--json")
    told = json.loads(ran.out)
    assert [row["version"] for row in told] == ["2.15.1", "2.15.0.post1", "2.15.0"]
    assert told[0]["cuda"] == "12.2"
    assert told[0]["sass"] == ["5.0", "6.0", "7.0", "7.5", "8.0"]
    assert (told[0]["driver"], told[0]["driver_ptx"]) == ("525.60.13", "530.30.02")
    assert told[0]["pythons"] == ["3.9", "3.10", "3.11"]
    assert told[0]["glibc"] == "2.17"


def test_releases_whose_cuda_build_is_another_distribution(tfenv: Tfenv) -> None:
    """Before 2.1 the CUDA build is `tensorflow-gpu`; CUDA 8 has no driver of its own major to fall back to."""
    row = json.loads(tfenv("compat", "1.14.0", "--json").out)[0]
    assert row["distribution"] == "tensorflow-gpu"
    assert row["cuda"] == "10.0"


def test_as_text_and_markdown(tfenv: Tfenv) -> None:
    """Aligned columns for people, a table for a README; a release that is not known is a usage error."""
    text = tfenv("compat", "2.17.1").out
    assert text.splitlines()[0].startswith("TensorFlow  Python")
    assert "≥ 545.23.06" in text
    assert tfenv("compat", "2.17.1", "--markdown").out.splitlines()[1].startswith("| --- |")
    assert tfenv("compat", "99").code == 2


def test_what_other_packages_a_release_takes(tfenv: Tfenv) -> None:
    """NumPy, protobuf and Keras as its wheels require them, with the repairs of the facts."""
    (old,) = json.loads(tfenv("compat", "2.9.3", "--json").out)
    assert old["numpy"] == "<2,>=1.20"
    assert old["protobuf"].startswith("<3.20")
    assert old["keras"] == "<2.10.0,>=2.9.0rc0"
    (text,) = tfenv("compat", "2.19.1").out.splitlines()[1:]
    assert "!=" not in text


def test_on_a_machine(tfenv: Tfenv) -> None:
    """The judge of `check` is asked for each release; what it says is the second column, with the first problem."""
    machine = ("--gpu", "RTX 3090", "--driver", "470.82", "--python", "3.10", "--platform", "linux-x86_64")
    told = {row["version"]: row for row in json.loads(tfenv("compat", ">=2.3,<2.22", "--json", *machine).out)}
    assert (told["2.20.0"]["verdict"], told["2.20.0"]["problems"]) == ("broken", ["driver-too-old"])
    assert told["2.11.1"]["verdict"] != "broken"
    assert told["2.3.4"]["problems"][0] == "python-no-wheel"
    blackwell = json.loads(tfenv("compat", "2.20", "--gpu", "RTX 5090", "--json").out)
    assert (blackwell[0]["verdict"], blackwell[0]["problems"]) == ("broken", ["gpu-too-new"])
    head, row = tfenv("compat", "2.20", "--gpu", "RTX 5090").out.splitlines()
    assert head.split("  ")[1] == "on this machine"
    assert "broken, gpu-too-new" in row
    arm = json.loads(tfenv("compat", "2.20", "--platform", "linux-aarch64", "--json").out)
    assert arm[0]["cuda"] is None


def test_options_that_cannot_be_understood(tfenv: Tfenv) -> None:
    """A platform or a driver that is none is a usage error."""
    assert tfenv("compat", "2.20", "--platform", "beos").code == 2
    assert tfenv("compat", "2.20", "--driver", "new").code == 2
