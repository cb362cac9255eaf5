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
    assert (told[0]["driver"], told[0]["driver_ptx"]) == ("525.60.13", "535.54.03")
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
