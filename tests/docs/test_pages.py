"""Every link leads somewhere, every command line can be parsed, the README is short."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import typer

from tests.docs.pages import PAGES, ROOT, anchors, commands, links
from tfenv.cli._commands import SUMMARIES
from tfenv.cli.app import INTERRUPTED, app, spell_out
from tfenv.errors import TfenvError

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=_NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    """Files that are linked exist, with the heading that is named."""
    for link in links(page):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def _of_tfenv(command: str) -> list[list[str]]:
    """The arguments of each call of tfenv in a command line."""
    found: list[list[str]] = []
    for part in re.split(r"&&|\|\||(?<!\|)\|(?!\|)", command):
        words = shlex.split(part, comments=True)
        if "tfenv" in words:
            found.append(words[words.index("tfenv") + 1 :])
    return [words for words in found if words and "install" not in command.split()[:3]]


@pytest.mark.parametrize("page", PAGES, ids=_NAMES)
def test_commands_can_be_parsed(page: Path) -> None:
    """A command line in a page names commands and options that exist."""
    group: Any = typer.main.get_command(app)
    for command in commands(page):
        for words in _of_tfenv(command):
            if words[0].startswith("-"):
                assert words[0] in {option for param in group.params for option in param.opts} | {"--help"}, command
                continue
            group.get_command(None, words[0]).make_context(words[0], spell_out(words[1:]))


def test_every_page_is_one_click_away() -> None:
    """The README links every page of `docs/`."""
    linked = {link.partition("#")[0] for link in links(ROOT / "README.md")}
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= linked


def test_the_readme_is_short() -> None:
    """At most 120 lines, and every command is in its table."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    assert [name for name in SUMMARIES if f"| `tfenv {name}" not in text] == []


def test_every_exit_code_is_explained() -> None:
    """The page of messages lists each exit code of `errors.py` once."""
    text = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]
    classes = {error.exit_code for error in _errors(TfenvError)}
    assert listed == sorted({0, INTERRUPTED} | classes)


def _errors(root: type[TfenvError]) -> set[type[TfenvError]]:
    return {root}.union(*(_errors(error) for error in root.__subclasses__()))
