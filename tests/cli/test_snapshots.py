"""Every command's whole answer: exit code, standard output and standard error, at 80 columns and as JSON."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.snapshots import check

if TYPE_CHECKING:
    from tests.support.commands import Tfenv
    from tests.support.index_server import FakeIndex

HERE = Path(__file__).parent
CASES = tomllib.loads((HERE / "snapshots.toml").read_text(encoding="utf-8"))["case"]
_CHANGING = (
    (re.compile(r"\bin \d+(\.\d+)? s\b"), "in T s"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "SHA256"),
    (re.compile(r'"(facts|rows|symbols)": "[0-9a-f]{12}"'), r'"\1": "DIGEST"'),
)
"""what differs from one run to the next, or with any change of the data"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"].replace(" ", "_"))
def test_whole_answers(case: dict[str, Any], tfenv: Tfenv, index: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of what a command prints is seen, and looked at, in the diff of its snapshot."""
    monkeypatch.setenv("COLUMNS", "80")
    for name, text in case.get("files", {}).items():
        Path(name).write_text(text, encoding="utf-8")
    parts = [_answer(tfenv, command, index.url) for command in case["run"]]
    parts += [f"# {name}\n{Path(name).read_text(encoding='utf-8')}" for name in case.get("shows", ())]
    check("\n".join(parts), HERE / "snapshots" / f"{case['name'].replace(' ', '_')}.txt")


def _answer(tfenv: Tfenv, command: str, url: str) -> str:
    ran = tfenv(*(url if word == "INDEX" else word for word in shlex.split(command)))
    text = f"$ tfenv {command}\n{ran.out}"
    text += "".join(f"! {line}\n" for line in ran.err.splitlines())
    text = text.replace(url, "INDEX").replace(str(Path.cwd()), "FOLDER") + f"= {ran.code}\n"
    for pattern, steady in _CHANGING:
        text = pattern.sub(steady, text)
    return text
