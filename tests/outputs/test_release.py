"""`facts show` of a release: the JSON document of the contract."""

from __future__ import annotations

import json

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.database import load
from tfenv.model.package import Name
from tfenv.outputs.release import document

TENSORFLOW = Name("tensorflow")
RELEASES = load().releases


def test_show_has_the_keys_of_the_contract() -> None:
    """The JSON document holds what users rely on."""
    told = document(TENSORFLOW, Version("2.17.1"), RELEASES)
    assert (told["name"], told["version"], told["requires_python"]) == ("tensorflow", "2.17.1", ">=3.9")
    assert told["uploaded"].startswith("2024-")
    assert told["tier"] == "declared"
    assert told["sources"]
    wheel = next(one for one in told["wheels"] if one["python"] == "cp312" and "x86_64" in one["platform"])
    assert wheel["platform"] == "manylinux_2_17_x86_64"
    assert wheel["size"] > 600_000_000
    assert "nvidia-cudnn-cu12 ==8.9.7.29 ; extra == 'and-cuda'" in wheel["requires_dist"]
    arm, x86 = told["builds"]
    assert (arm["platform"], arm["cuda"], arm["cudnn"], arm["sass"], arm["ptx"]) == (
        "linux-aarch64",
        None,
        None,
        [],
        [],
    )
    assert {key: x86[key] for key in ("platform", "cuda", "cudnn", "sass", "ptx", "compiler", "tensorrt")} == {
        "platform": "linux-x86_64",
        "cuda": "12.3",
        "cudnn": "8",
        "sass": ["6.0", "7.0", "8.0", "8.9", "9.0"],
        "ptx": ["9.0"],
        "compiler": "/usr/lib/llvm-17/bin/clang",
        "tensorrt": True,
    }
    json.dumps(told)


def test_show_of_an_unknown_release() -> None:
    """What the database lacks is an error that names what it has."""
    with pytest.raises(UsageError, match=r"no facts on `tensorflow==2\.17\.9`") as caught:
        document(TENSORFLOW, Version("2.17.9"), RELEASES)
    assert "2.21.0" in (caught.value.hint or "")
    with pytest.raises(UsageError) as caught:
        document(Name("keras"), Version("3.0"), RELEASES)
    assert caught.value.hint is None
