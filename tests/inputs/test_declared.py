"""Files of other tools, each read as what it is."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import tomli

from tfenv.errors import TfenvError, UsageError
from tfenv.inputs import project
from tfenv.inputs.declared import constraints
from tfenv.inputs.declared.read import format_of, read

CASES: list[dict[str, Any]] = tomli.loads(Path(__file__).with_name("declared.toml").read_text())["case"]
NAMES = [f"{case['name']}: {case['says']}" for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_what_a_file_declares(case: dict[str, Any]) -> None:
    """Requirements, Python, pins, and what does not come from an index."""
    found: Any
    if case["name"] == "pyproject.toml":
        found = project.loads(case["file"])
        wanted, python = found.dependencies, None if found.python is None else found.python.specifier
    else:
        found = read(case["name"], case["file"])
        wanted, python = found.requirements, found.python
        assert [f"{name} {version}" for name, version in found.pins] == case.get("pins", [])
    assert [str(each) for each in wanted] == case["requires"]
    assert (None if python is None else str(python)) == case.get("python")
    assert [f"{each.name or ''} {each.place}" for each in found.elsewhere] == case.get("elsewhere", [])
    assert list(found.files) == case.get("files", [])
    assert [url for url in (found.index_url, *found.extra_index_urls) if url] == case.get("indexes", [])
    for part in case.get("notes", ()):
        assert part in "\n".join(found.notes)
    assert "secret" not in str(found)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_format_is_told_by_content_too(case: dict[str, Any]) -> None:
    """Under another name it is recognized by its content, where that is its own."""
    told = format_of(case["name"], case["file"])
    assert told is not None
    assert format_of("file", case["file"]) in (told, None)


def test_requirements_files_have_no_other_format() -> None:
    """Whatever their lines, and a text of nothing."""
    for text in ("", "tensorflow==2.15\n# package:\n-r other.txt\n", "numpy\n[x]\n"):
        assert format_of("requirements.txt", text) is None


@pytest.mark.parametrize("name", sorted({case["name"] for case in CASES} - {"spec.txt", "spec-file.txt"}))
@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "[",
        "{",
        "[[package]]\nname = 3",
        '[[package]]\nname = "p"\nsource = {virtual = "."}',
        "package: 3",
        "a: [",
        "(" * 500,
        "[1]",
        "3",
    ],
)
def test_damaged_files(name: str, text: str) -> None:
    """A damaged file is an error of ours or nothing at all, never an exception."""
    with suppress(TfenvError):
        _ = project.loads(text) if name == "pyproject.toml" else read(name, text)


def test_values_of_a_wrong_type() -> None:
    """A number where a table or a text belongs costs that value only."""
    for text in (
        "[tool.poetry.dependencies]\ntensorflow = 3\nnumpy = {version = 4, extras = 5}\npython = 3\n",
        "[tool.poetry]\ndependencies = 3\nextras = 4\ngroup = 5\n",
        "[tool]\nuv = 3\npoetry = 4\n",
        "[tool.uv]\nsources = 3\nindex = 4\nconstraint-dependencies = 5\n",
    ):
        assert project.loads(text).python is None
        assert all(not each.specifier for each in project.loads(text).dependencies)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("^1.2.3", ["<2,>=1.2.3"]),
        ("^0", ["<1,>=0"]),
        ("^0.0", ["<0.1,>=0.0"]),
        ("~1", ["<2,>=1"]),
        ("~1.2", ["<1.3,>=1.2"]),
        ("1.2.*", ["==1.2.*"]),
        (">=1.2 <2", ["<2,>=1.2"]),
        ("^1 || ^2", ["<2,>=1", "<3,>=2"]),
        ("*", [""]),
        ("~=1.4", ["~=1.4"]),
    ],
)
def test_constraints_of_poetry(text: str, wanted: list[str]) -> None:
    """As its documentation lists them."""
    assert [str(each) for each in constraints.alternatives(text)] == wanted


def test_what_is_no_constraint() -> None:
    """It is refused, and never read as any version."""
    for text in ("", "^", "latest", ">=", "^x"):
        with pytest.raises(ValueError, match="constraint"):
            constraints.alternatives(text)


def test_a_program_without_a_block() -> None:
    """The message names what such a file is for."""
    with pytest.raises(UsageError, match="PEP 723"):
        read("train.py", "import tensorflow")
