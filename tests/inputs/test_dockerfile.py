"""Dockerfiles that were written by hand, each with what its last stage holds."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.specifiers import SpecifierSet

from tfenv.facts.database import load
from tfenv.inputs import compose, dockerfile

if TYPE_CHECKING:
    from tfenv.model.configuration import Configuration

IMAGES = load().images
CASES = tomllib.loads(Path(__file__).with_name("dockerfiles.toml").read_text("utf-8"))["dockerfile"]


def _held(configuration: Configuration, key: str) -> str:
    """A value in the words of the cases: `unknown` if nothing is known, `none` if it is known not to be there."""
    if key.startswith("packages."):
        specifier = configuration.package(key.removeprefix("packages."))
        return "none" if specifier is None else str(specifier)
    value = getattr(configuration.machine if hasattr(configuration.machine, key) else configuration, key)
    if key == "accelerated":
        return "unknown" if value is None else "yes" if value else "no"
    return "unknown" if value is None else "none" if str(value) == "0" else str(value)


def _same(held: str, wanted: str, key: str) -> bool:
    if key.startswith("packages.") and wanted not in ("none", ""):
        return held != "none" and SpecifierSet(held) == SpecifierSet(wanted)
    return held == wanted or (key in ("python", "cuda") and held.startswith(f"{wanted}."))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["says"])
def test_what_the_last_stage_holds(case: dict[str, Any]) -> None:
    """Each value that the case names is found."""
    files = case.get("files", {})
    text = case["text"].lstrip()
    found = dockerfile.loads(text, IMAGES, read=lambda path: files.get(path.rpartition("/")[2]))
    held = {key: _held(found, key) for key in case["holds"]}
    assert {key: held[key] for key, wanted in case["holds"].items() if not _same(held[key], wanted, key)} == {}


def test_a_compose_file_names_arguments_and_the_stage() -> None:
    """Build arguments override the defaults of a Dockerfile, and stages after the target are not built."""
    text = (
        "ARG PY=3.8\nFROM python:${PY} AS base\nRUN pip install tensorflow==2.12.0\nFROM base\nRUN pip install keras\n"
    )
    service = "services:\n  a:\n    build:\n      context: .\n      target: base\n      args:\n        PY: '3.10'\n"
    found = compose.loads(service, "compose.yml", IMAGES, read=lambda _path: text)
    assert str(found.machine.python) == "3.10"
    assert [name for name, _ in found.packages] == ["tensorflow"]


def test_another_escape_character() -> None:
    """A directive replaces the backslash; without it a backtick continues nothing."""
    text = "# escape=`\nFROM python:3.10\nRUN pip install `\n    tensorflow==2.9.0\n"
    assert dockerfile.loads(text, IMAGES).package("tensorflow") == SpecifierSet("==2.9.0")


def test_words_without_a_meaning_are_read_over() -> None:
    """Quotation marks without an end, unknown instructions and empty stages do no harm."""
    text = "FROM\nMAINTAINER 'x\nRUN echo 'a && pip install tensorflow==2.9.0\nFROM python:3.10\nRUN\nCOPY --from=\n"
    assert str(dockerfile.loads(text, IMAGES).machine.python) == "3.10"
