"""The comparison itself, and one release a day compared with the real thing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from packaging.version import Version

from tfenv.symbols.database import load
from tools.api_agreement import explained
from tools.api_agreement.__main__ import BAR, agreements, differences, line
from tools.api_agreement.compare import compare
from tools.api_agreement.explained import unexplained

RELEASES = ("1.15.5", "2.3.4", "2.6.5", "2.10.1", "2.15.1", "2.16.2", "2.20.0", "2.21.0")


def test_compare() -> None:
    """Names on either side, and signatures where both know them."""
    found = compare(
        {"a": ("x", "y"), "b": None, "c": (), "gone": ()},
        {"a": ("f", ("x", "z")), "b": ("f", ("x",)), "c": ("f", ()), "new": ("m", None)},
    )
    assert [sorted(names) for names in (found.both, found.told, found.real)] == [["a", "b", "c"], ["gone"], ["new"]]
    assert sorted(found.signatures) == ["a", "c"]
    assert differences(found, 9, found.differences) == [
        "only told: gone",
        "only real: new",
        "signature: a: told ['y'], real ['z']",
    ]
    assert line(found) == "60.00% of the names (3 both, 1 only told, 1 only real), 50.00% of 2 signatures"


def test_explanations() -> None:
    """Each is about releases that there are, and gives a reason; a name that none is about stays unexplained."""
    releases = {"tensorflow": load().api.releases, "keras": load().api.keras.releases.all}
    for row in explained.load():
        assert any(row.releases.contains(one) for one in releases[row.package]), row
        assert row.names, row
        assert row.why, row
    release = Version("1.15.5")
    assert unexplained("tensorflow", release, ["contrib.specs.acos", "nn.relu"]) == {"nn.relu"}
    assert unexplained("tensorflow", Version("2.0.0"), ["contrib.specs.acos"]) == {"contrib.specs.acos"}


@pytest.mark.slow
@pytest.mark.index
@pytest.mark.interpreters
def test_one_release() -> None:
    """Installed, imported and walked: the table says the same. Each day it is another release's turn."""
    release = RELEASES[datetime.now(UTC).toordinal() % len(RELEASES)]
    for (package, version), agreement in agreements(release).items():
        rest = unexplained(package, version, agreement.differences)
        assert min(agreement.names, agreement.parameters) >= BAR, (package, version, differences(agreement, 20, rest))
