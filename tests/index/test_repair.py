"""Old requirements, put right where they have one meaning."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.index.repair import UNREADABLE, requirements, specifier


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("six", "six"),
        ("six (>=1.0)", "six>=1.0"),
        ("six (>=1.0,)", "six>=1.0"),
        ("numpy>=1.0.*", "numpy>=1.0"),
        ("numpy ~=1.4.*", "numpy~=1.4"),
        ("numpy2<2.*,>=1", "numpy2<2,>=1"),
        ("py2foo>=1.0<2", "py2foo<2,>=1.0"),
        ("foo[a]==1.0*", "foo[a]==1.0.*"),
        ("foo!=~1.0", "foo!=1.0"),
        ("foo>=1.0,,<2", "foo<2,>=1.0"),
        ('foo>=1.*; python_version < "3"', 'foo>=1; python_version < "3"'),
        ("enum34 ; extra == 'test'", 'enum34; extra == "test"'),
    ],
)
def test_well_known_slips(line: str, meaning: str) -> None:
    """Each slip is read as what its author meant."""
    (requirement,) = requirements([line], source="x.whl")
    assert str(requirement) == meaning
    assert requirement.source == "x.whl"


@pytest.mark.parametrize(
    ("line", "because", "marker"),
    [
        ("foo >=", "`foo >=`, which is not a requirement", None),
        ("foo bar", "`foo bar`, which is not a requirement", None),
        ("foo bar; python_version < '3'", "which is not a requirement", 'python_version < "3"'),
        ("foo bar; nonsense", "which is not a requirement", None),
        ("foo @ https://example.com/foo.zip ; extra == 'x'", "asks for a URL", 'extra == "x"'),
    ],
)
def test_what_cannot_be_read_is_said(line: str, because: str, marker: str | None) -> None:
    """A line without a meaning becomes a requirement that nothing can meet, under the same condition."""
    (requirement,) = requirements([line, ""], source="x.whl")
    assert requirement.name == UNREADABLE
    assert not requirement.allows(Version("1"))
    assert because in requirement.because
    assert (str(requirement.marker) if requirement.marker else None) == marker


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (">=3.9", ">=3.9"),
        (">=3.6.*", ">=3.6"),
        (">=2.7,!=3.0.*,!=3.1*", ">=2.7,!=3.0.*,!=3.1.*"),
        ("'>=3.5'", ">=3.5"),
        (">=2.6 <3", ">=2.6,<3"),
    ],
)
def test_python_versions(text: str, meaning: str) -> None:
    """The same slips occur in Requires-Python."""
    assert specifier(text) == SpecifierSet(meaning)


@pytest.mark.parametrize("text", ["", "  ", "three"])
def test_no_python_version(text: str) -> None:
    """What says nothing limits nothing."""
    assert specifier(text) is None
