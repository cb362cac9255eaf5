"""A request is written into a `pyproject.toml`, and all else stays as it was."""

from __future__ import annotations

import pytest
import tomli

from tests.support.hostile import HOSTILE
from tfenv.errors import UsageError
from tfenv.inputs.edit import edit

STYLED = """\
# mine
[project]
name="x"     # dense
dependencies = [
  'numpy',   # sums
]

[tool.ruff]
line-length = 120

[tool.tfenv]
# the cluster has these
gpu = [
    "v100",  # old
    "a100",  # new
]
driver = '535.54.03'   # as ops says

[dependency-groups]
dev = []

[tool.black]
"""


def test_only_what_changes_changes() -> None:
    """New keys come after the old, replaced ones stay in place, comments stay; every other line is untouched."""
    assert edit(STYLED, {"gpu": ("v100", "a100", "h100"), "driver": "550.1", "tf": "2.17"}) == STYLED.replace(
        '    "a100",  # new\n', '    "a100",  # new\n    "h100",\n'
    ).replace("'535.54.03'", '"550.1"').replace("# as ops says\n", '# as ops says\ntf = "2.17"\n')


def test_the_same_again_changes_nothing() -> None:
    """Writing is idempotent, on values that stood there already and on those just written."""
    assert edit(STYLED, {"gpu": ("v100", "a100"), "driver": "535.54.03"}) == STYLED
    values = {"gpu": ("h100",), "with": ("six", "numpy<3"), "prereleases": True, "cpu": "avx"}
    once = edit(STYLED, values)
    assert once != STYLED
    assert edit(once, values) == once


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[tool.tfenv]\ngpu = ["v100"]\n'),
        ("a = 1", 'a = 1\n\n[tool.tfenv]\ngpu = ["v100"]\n'),
        ("[tool.a]\n[b]\n[tool.c]\n\n\n", '[tool.a]\n[b]\n[tool.c]\n\n[tool.tfenv]\ngpu = ["v100"]\n'),
        ('[tool.tfenv]\ngpu = "a"\n[b]\n', '[tool.tfenv]\ngpu = ["v100"]\n[b]\n'),
        ('[tool]\ntfenv = {gpu = ["a"]}\n', '[tool]\ntfenv = {gpu = ["v100"]}\n'),
        ("[tool]\ntfenv.gpu = 'a'\n", '[tool]\ntfenv.gpu = ["v100"]\n'),
        ("[tool.tfenv]\r\n# x\r\ntf = '2'\r\n", "[tool.tfenv]\r\n# x\r\ntf = '2'\r\ngpu = [\"v100\"]\r\n"),
        ('[tool.tfenv]\ngpu = ["b", "v100"]\n', '[tool.tfenv]\ngpu = ["v100"]\n'),
    ],
)
def test_every_way_to_write_a_table(before: str, after: str) -> None:
    """No table, a table somewhere, an inline one, dotted keys, other line ends."""
    assert edit(before, {"gpu": ("v100",)}) == after


def test_another_order_is_another_value() -> None:
    """The order of GPUs is kept as it was asked."""
    assert edit('[tool.tfenv]\ngpu = ["a", "b"]\n', {"gpu": ("b", "a")}) == '[tool.tfenv]\ngpu = ["b", "a"]\n'


def test_long_lists_get_a_line_each() -> None:
    """A list that does not fit on a line is written one item a line."""
    text = edit("", {"with": tuple(f"package-{number}>=1.{number}" for number in range(9))})
    assert text.count("\n") == 12


def test_targets_have_tables_of_their_own() -> None:
    """A target's keys go into its table; the shared ones stay."""
    text = edit(STYLED, {"gpu": ("none",)}, target="laptop")
    assert text == f'{STYLED.rstrip()}\n\n[tool.tfenv.targets.laptop]\ngpu = ["none"]\n'
    assert edit(text, {"gpu": ("none",)}, target="laptop") == text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_stay_strings(text: str) -> None:
    """A value cannot end its string, whatever is in it."""
    written = edit(STYLED, {"gpu": (text, "b"), "cpu": text})
    before, after = tomli.loads(STYLED), tomli.loads(written)
    before["tool"]["tfenv"] |= {"gpu": [text, "b"], "cpu": text}
    assert after == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("tool = 1", "`tool` must be a table"),
        ("tool.tfenv = 1", "`tool.tfenv` must be a table"),
        ("[tool\n", "is not TOML: .*line 1"),
    ],
)
def test_what_cannot_be_edited_is_refused(content: str, message: str) -> None:
    """A file that is broken, or means something else, is not written over."""
    with pytest.raises(UsageError, match=message):
        edit(content, {"gpu": ("v100",)})


def test_a_closed_table_is_refused() -> None:
    """A table within braces cannot get tables of its own from outside, and is told how to."""
    with pytest.raises(UsageError, match="cannot be edited") as caught:
        edit('[tool]\ntfenv = {gpu = ["a"]}\n', {"gpu": ("v100",)}, target="laptop")
    assert "[tool.tfenv.targets.laptop]" in (caught.value.hint or "")
