"""The comparison itself, and one release a day compared with the real thing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.api_agreement.__main__ import BAR, agreements, differences, line
from tests.api_agreement.compare import compare

RELEASES = ("2.3.4", "2.15.1", "2.16.2", "2.20.0")


def test_compare() -> None:
    """Names on either side, and signatures where both know them."""
    found = compare(
        {"a": ("x", "y"), "b": None, "c": (), "gone": ()},
        {"a": ("f", ("x", "z")), "b": ("f", ("x",)), "c": ("f", ()), "new": ("m", None)},
    )
    assert [sorted(names) for names in (found.both, found.told, found.real)] == [["a", "b", "c"], ["gone"], ["new"]]
    assert sorted(found.signatures) == ["a", "c"]
    assert differences(found, 9) == ["only told: gone", "only real: new", "signature: a: told ['y'], real ['z']"]
    assert line(found) == "60.00% of the names (3 both, 1 only told, 1 only real), 50.00% of 2 signatures"


@pytest.mark.slow
@pytest.mark.index
@pytest.mark.interpreters
def test_one_release() -> None:
    """Installed, imported and walked: the table says the same. Each day it is another release's turn."""
    release = RELEASES[datetime.now(UTC).toordinal() % len(RELEASES)]
    for package, agreement in agreements(release).items():
        assert min(agreement.names, agreement.parameters) >= BAR, (release, package, differences(agreement, 20))
