"""Companions of TensorFlow: every row for releases that exist, the right pair found, the wrong one refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.memory import MemorySource
from tfenv.errors import UsageError
from tfenv.facts.companions import Companion, CompanionTable
from tfenv.facts.database import load
from tfenv.model.goal import Goal
from tfenv.model.package import Name, Requirement
from tfenv.model.target import Target
from tfenv.overlay.overlay import FactsOverlay
from tfenv.resolver import Conflict, Resolution, resolve

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = load()
RELEASES = {
    "keras": "2.4.3 2.6.0 2.7.0 2.8.0 2.9.0 2.10.0 2.11.0 2.12.0 2.13.1 2.14.0 2.15.0 3.12.0",
    "keras-cv": "0.8.2 0.9.0",
    "keras-hub": "0.16.1 0.17.0",
    "tensorflow-addons": "0.5.2 0.6.0 0.7.1 0.8.3 0.9.1 0.10.0 0.11.2 0.12.1 0.13.0 0.14.0 0.15.0 0.16.1 0.17.1 0.18.0 "
    "0.19.0 0.20.0 0.21.0 0.22.0 0.23.0",
    "tensorflow-decision-forests": "0.1.8 0.2.0 1.12.0",
    "tensorflow-federated": "0.1.0 0.2.0 0.87.0",
    "tensorflow-io": "0.22.0 0.23.1 0.25.0 0.26.0 0.27.0 0.31.0 0.32.0 0.34.0 0.35.0 0.36.0 0.37.1",
    "tensorflow-metal": "1.0.1 1.1.0 1.2.0",
    "tensorflow-probability": "0.4.0 0.5.0 0.6.0 0.7.0 0.8.0 0.9.0 0.10.1 0.11.1 0.12.2 0.13.0 0.14.1 0.15.0 0.16.0 "
    "0.17.0 0.18.0 0.19.0 0.20.1 0.21.0 0.22.1 0.23.0 0.24.0 0.25.0",
    "tensorflow-recommenders": "0.7.3 0.7.7",
    "tensorflow-text": "2.20.1 2.21.0 2.21.1",
    "tensorflow-transform": "0.14.0 0.21.2 0.22.0 1.21.0",
    "tf-agents": "0.3.0 0.4.0 0.5.0 0.6.0 0.7.1 0.8.0 0.9.0 0.10.0 0.11.0 0.12.1 0.13.0 0.14.0 0.15.0 0.16.0 0.17.0 "
    "0.18.0 0.19.0",
    "tf2onnx": "1.16.1 1.17.0",
    "tf-keras": "2.14.1 2.15.0 2.15.1",
}
"""Published releases of each."""


def needs(name: str, version: str) -> set[str]:
    return {str(one) for one in DATABASE.companions.requires(Name(name), Version(version))}


@pytest.mark.parametrize("row", DATABASE.companions.all, ids=lambda row: f"{row.package}{row.versions}")
def test_every_row_is_for_releases_that_exist(row: Companion) -> None:
    """It matches a published release and leaves another one out, and the TensorFlow it asks for exists."""
    known = [Version(text) for text in RELEASES[row.package].split()]
    matched = [version for version in known if row.versions.contains(version)]
    assert matched
    assert len(matched) < len(known)
    assert all(one.because and one.source for one in row.requires)
    for one in row.requires:
        if one.name == "tensorflow":
            assert any(one.specifier.contains(version) for version in DATABASE.releases.versions(Name("tensorflow")))


@pytest.mark.parametrize(
    ("name", "version", "tensorflow", "other", "newest"),
    [
        ("tensorflow-text", "2.8.2", "2.8.4", "2.9.3", "==2.8.*"),
        ("tf-keras", "2.17.0", "2.17.1", "2.16.2", "==2.17.*"),
        ("tensorflow-decision-forests", "1.8.1", "2.15.1", "2.14.1", "==1.8.*"),
        ("tensorflow-addons", "0.19.0", "2.11.1", "2.12.1", "==0.19.*"),
        ("tensorflow-directml-plugin", "0.4.0.dev230202", "2.10.1", "2.12.1", ">=0.0.1.dev0"),
    ],
)
def test_which_release_goes_with_which_tensorflow(
    name: str, version: str, tensorflow: str, other: str, newest: str
) -> None:
    """What metadata says is known without an index, in both directions."""
    asked = [one for one in DATABASE.companions.asks(Name(name), Version(version)) if one.name == "tensorflow"]
    assert asked
    assert all(one.because and one.source and one.allows(Version(tensorflow)) for one in asked)
    assert not all(one.allows(Version(other)) for one in asked)
    assert DATABASE.companions.made_for(Name(name), Version(tensorflow)) == SpecifierSet(newest)


@pytest.mark.parametrize(
    ("name", "version", "what", "other"),
    [
        ("tensorflow-addons", "0.19.0", "tensorflow<2.12,>=2.11", "0.20.0"),
        ("tensorflow-addons", "0.5.2", "tensorflow<2.1,>=2.0", "0.7.1"),
        ("tensorflow-io", "0.36.0", "tensorflow<2.16,>=2.15", "0.37.1"),
        ("tensorflow-decision-forests", "0.2.0", "tensorflow<2.7,>=2.6", "1.12.0"),
        ("tensorflow-probability", "0.23.0", "tensorflow<2.16", "0.24.0"),
        ("tf-agents", "0.19.0", "tensorflow<2.16,>=2.15", "0.18.0"),
        ("tensorflow-recommenders", "0.7.3", "tensorflow<2.16", "0.7.7"),
        ("keras-cv", "0.9.0", "tensorflow>=2.12", "0.8.2"),
        ("tensorflow-federated", "0.1.0", "tensorflow<2,>=1.13", "0.2.0"),
        ("tensorflow-transform", "0.14.0", "tensorflow<2.3", "0.22.0"),
        ("tf-keras", "2.15.0", "tensorflow<2.16,>=2.15", "2.15.1"),
        ("keras", "3.12.0", "tensorflow>=2.16.1", "2.15.0"),
        ("keras", "2.10.0", "tensorflow<2.11,>=2.10", "2.11.0"),
    ],
)
def test_row_fires_where_it_should(name: str, version: str, what: str, other: str) -> None:
    """It adds to the release it is for, and not to another one."""
    assert what in needs(name, version)
    assert what not in needs(name, other)


def source(*rows: dict[str, Any]) -> MemorySource:
    tensorflow: list[dict[str, Any]] = [
        {"file": f"tensorflow_cpu-{version}-cp310-cp310-manylinux_2_17_x86_64.whl", "requires": requires}
        for version, requires in (("2.11.1", []), ("2.15.1", ["keras<2.16,>=2.15"]), ("2.16.2", ["keras>=3"]))
    ]
    pointers = [{**row, "file": row["file"].replace("_cpu", "")} for row in tensorflow]
    files = [
        *(f"tensorflow_addons-{version}-cp310-cp310-manylinux_2_17_x86_64.whl" for version in ("0.19.0", "0.23.0")),
        *(f"{name}-py3-none-any.whl" for name in ("keras-3.12.0", "keras-2.15.0", "numpy-1.26.4", "h5py-3.10.0")),
        *(f"{name}-py3-none-any.whl" for name in ("protobuf-3.20.3", "protobuf-4.25.8", "setuptools-80.0.0")),
    ]
    text = [
        {"file": f"tensorflow_text-{v}.0-cp310-cp310-manylinux_2_17_x86_64.whl", "requires": [f"tensorflow~={v}.0"]}
        for v in ("2.11", "2.15")
    ]
    keras = {"file": "tf_keras-2.16.0-py3-none-any.whl", "requires": ["tensorflow<2.17,>=2.16"]}
    return MemorySource([*tensorflow, *pointers, *({"file": file} for file in files), *text, keras, *rows])


def locked(tensorflow: str, *wanted: str, keras: int | None = None) -> Resolution:
    from packaging.requirements import Requirement as PackagingRequirement

    target = Target()
    request = Goal(
        tensorflow=SpecifierSet(tensorflow),
        target=target,
        requirements=tuple(Requirement.of(PackagingRequirement(text)) for text in wanted),
        keras=keras,
    )
    facts = FactsOverlay(source(), DATABASE, target, keras=keras)
    return resolve(request, facts, pythons=(Version("3.10.19"),))


def test_the_right_pair() -> None:
    """With a CPU target the companions of `tensorflow` go with `tensorflow-cpu`, and `tensorflow` is not installed."""
    found: dict[str, str] = {
        name: str(pin.version) for name, pin in locked("==2.11.*", "tensorflow-text", "tensorflow-addons").pins.items()
    }
    assert found["tensorflow-addons"] == "0.19.0"
    assert found["tensorflow-text"] == "2.11.0"
    assert found["tensorflow-cpu"] == "2.11.1"
    assert "tensorflow" not in found


@pytest.mark.parametrize(
    ("tensorflow", "wanted"), [("==2.15.*", "tensorflow-text==2.11.0"), ("==2.16.*", "tensorflow-addons")]
)
def test_the_wrong_pair(tensorflow: str, wanted: str) -> None:
    """A companion of another minor is refused, with the reason; so is one that has no release for this TensorFlow."""
    with pytest.raises(Conflict) as caught:
        locked(tensorflow, wanted)
    assert any(link.requirement.name == "tensorflow" for link in caught.value.links)


def test_reason_names_the_release() -> None:
    """What is added says of which release it is."""
    (one,) = DATABASE.companions.requires(Name("tensorflow-addons"), Version("0.19.0"))
    assert one.because.startswith("tensorflow-addons 0.19.0 requires tensorflow<2.12,>=2.11: ")


def test_keras_2_on_a_release_with_keras_3() -> None:
    """`tf-keras` comes in, of the minor of TensorFlow; a release that has Keras 2 itself needs nothing."""
    assert "tf-keras" in locked("==2.16.*", keras=2).pins
    assert "tf-keras" not in locked("==2.16.*").pins
    assert "tf-keras" not in locked("==2.15.*", keras=2).pins
    assert DATABASE.companions.keras_of(Version("2.15.1"), 2) is None
    row = DATABASE.companions.keras_of(Version("2.16.2"), 2)
    assert row is not None
    assert row.environment == (("TF_USE_LEGACY_KERAS", "1"),)


def test_keras_3_before_it_was() -> None:
    """`tf.keras` of 2.15 cannot be Keras 3; that of 2.16 is."""
    with pytest.raises(Conflict, match="__known_bad"):
        locked("==2.15.*", keras=3)
    assert str(locked("==2.16.*", keras=3).pins[Name("keras")].version) == "3.12.0"


def test_every_fault_is_told(tmp_path: Path) -> None:
    """A table with faults is refused with all of them."""
    path = tmp_path / "companions.toml"
    path.write_text(
        'companion = [{package = "a", versions = ">=1", because = "b", source = "s", tier = "t"},'
        '{package = "a", versions = ">=1", requires = ["!"], because = "b", source = "s", tier = "declared"}]\n'
        'keras = [{versions = ">=1", keras = "2", because = "b", source = "s", tier = "declared", never = true}]',
        encoding="utf-8",
    )
    with pytest.raises(UsageError) as caught:
        CompanionTable(path)
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "`companion[0].tier`",
        "`companion[0].requires`",
        "`companion[1].requires[0]`",
        "`keras[0].keras`",
        "`keras[0].never`",
    ]
