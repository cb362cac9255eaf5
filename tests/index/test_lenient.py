"""Old requirements, put right where they have one meaning."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.index.lenient import UNREADABLE, requirements, specifier
from tfenv.model.late import late
from tfenv.model.package import Requirement


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


PLAIN = (
    "six",
    "six ()",
    "Foo.Bar_baz[A_b, c] (>=1.0,<2)",
    "protobuf!=4.21.0,!=4.21.1,<5,>=3.20.3",
    "jax==0.4.*",
    "numpy~=1.4; python_version < '3.10' and (sys_platform == 'linux' or os_name == \"nt\")",
    'etils[dev, all] ; extra == "Docs_x"',
    'a>=1.0rc1.post2; (python_version >= "3.9") and extra == "b"',
    'a; extra == "b" or extra == "c"',
    "a>1,<=2,!=1.5.*;platform_system!='Darwin'",
)


@pytest.mark.parametrize("line", PLAIN)
def test_plain_requirements_wait(line: str) -> None:
    """A requirement that is parsed when it is looked at is the one that packaging reads, both ways round."""
    waiting = late(line, "x.whl")
    whole = Requirement.of(PackagingRequirement(line), source="x.whl")
    assert waiting is not None
    assert waiting == whole
    assert whole == waiting
    assert hash(waiting) == hash(whole)
    assert str(waiting) == str(whole)
    for extra in ("", "b", "c", "docs-x"):
        if whole.marker is None or whole.marker.evaluate({"python_version": "3.9", "extra": extra}):
            assert waiting.may_hold(extra)
    assert replace(waiting, because="so") == replace(whole, because="so")


@pytest.mark.parametrize(
    "line",
    [
        "a @ https://example.com/a.zip",
        "a>=1.*",
        "a~=1",
        "a==1.0rc1.*",
        "a>=1.0dev",
        "a; extra",
        "a; (extra == 'b'",
        "a; extra == 'b') and (extra == 'c'",
        "a; nonsense == 'b'",
        "a; 'b' in extra",
        "a (>=1",
    ],
)
def test_everything_else_is_judged_at_once(line: str) -> None:
    """Whatever might not be a requirement is not put off."""
    assert late(line, "x.whl") is None


def test_most_extras_are_ruled_out_by_their_text() -> None:
    """What is for another extra is known to be so without a marker being parsed."""
    waiting = late("a>=1; python_version >= '3.9' and extra == 'dev'", "x.whl")
    assert waiting is not None
    assert not waiting.may_hold("")
    assert not waiting.may_hold("docs")
    assert waiting.may_hold("dev")
