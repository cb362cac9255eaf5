"""Every threat in the documentation has a test that exists."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import ROOT

ROWS = [
    line
    for line in (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| threat")
]


@pytest.mark.parametrize("row", ROWS)
def test_a_threat_names_its_test(row: str) -> None:
    """The last column names at least one test function, in the file that has it."""
    tests = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row.split("|")[-2])
    assert tests
    for path, name in tests:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
