"""Python source of any age as a syntax tree, and the bounds on Python that its syntax sets.

Code of Python 2 is rewritten line by line where Python 3 cannot parse it. A line that still cannot be parsed is skipped
and reported. Which syntax came with which Python: https://docs.python.org/3/whatsnew/.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import Final

from tfenv.infer.uses import Syntax

_TRIES: Final = 40

_TWO: Final = (
    # (name, pattern, replacement); a statement may follow `if x:` or `;`
    ("print statement", re.compile(r"(^|[:;])([ \t]*)print[ \t]*>>[ \t]*"), r"\1\2"),
    ("print statement", re.compile(r"(^|[:;])([ \t]*)print[ \t]+(?=[^\s=.,):\]])(?!\()"), r"\1\2"),
    ("print statement", re.compile(r"(^|[:;])([ \t]*)print(?=[\"'`])"), r"\1\2"),
    ("`except E, e`", re.compile(r"^(\s*except\s+(?:[\w.]+|\([^()]*\)))\s*,\s*(\w+)\s*:"), r"\1 as \2:"),
    ("`raise E, message`", re.compile(r"(^|[:;])([ \t]*)raise[ \t]+(?=[\w.]+[ \t]*,)"), r"\1\2"),
    ("exec statement", re.compile(r"(^|[:;])([ \t]*)exec[ \t]+(?=[\w\"'])"), r"\1\2"),
    ("`<>`", re.compile(r"<>"), "!="),
    ("backquotes", re.compile(r"`([^`]*)`"), r"(\1)"),
    ("octal number", re.compile(r"(?<![\w.])0([0-7]+)(?![\w.])"), r"0o\1"),
    ("long number", re.compile(r"(?<![\w.])(0[xX][0-9a-fA-F]+|\d+)[lL]\b"), r"\1"),
    ("`ur` string", re.compile(r"\b[uU][rR](?=[\"'])"), "r"),
)
_ASYNC: Final = re.compile(r"\basync\b(?!\s+(?:def|for|with)\b)")
_PRINT: Final = re.compile(r"^[ \t]*print[ \t]*$")


def parse(source: str, name: str = "<code>") -> tuple[ast.Module, list[Syntax], list[str]]:
    """The syntax tree, the syntax that not every Python has, and sentences about lines that could not be parsed."""
    found: list[Syntax] = []
    try:
        return _parse(source), found, []
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if not isinstance(error, SyntaxError):
            return _parse(""), [], [f"`{name}` cannot be read as Python: {error}"]
    text = source.replace("\f", " ")
    if "\t" in text:
        text = "\n".join(line.expandtabs(8) for line in text.split("\n"))
    lines = text.split("\n")
    skipped: list[int] = []
    for _ in range(_TRIES):
        try:
            tree = _parse("\n".join(lines))
        except SyntaxError as error:
            at = min(max(error.lineno or 1, 1), len(lines))
            if not _mend(lines, at, found):
                skipped.append(_drop(lines, at))
        except (ValueError, RecursionError, MemoryError) as error:
            return _parse(""), [], [f"`{name}` cannot be read as Python: {error}"]
        else:
            break
    else:
        return _parse(""), found, [f"`{name}` cannot be read as Python, from line {skipped[0] if skipped else 1} on"]
    if skipped:
        shown = ", ".join(map(str, skipped[:5])) + (" …" if len(skipped) > 5 else "")
        return tree, found, [f"`{name}` cannot be parsed as Python at line {shown}; the rest was read"]
    return tree, found, []


def _parse(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "invalid escape sequence" in the code that is read
        return ast.parse(source)


def _mend(lines: list[str], at: int, found: list[Syntax]) -> bool:
    """Rewrite Python 2 in the whole text (once), or `async` as a name in one line; returns whether anything changed."""
    if not any(one.python == "<3" for one in found):
        changed = False
        for number, line in enumerate(lines, 1):
            if not line or line.lstrip().startswith("#"):
                continue
            new = "pass".rjust(len(line) - len(line.lstrip()) + 4) if _PRINT.match(line) else line
            for what, pattern, replacement in _TWO:
                text = pattern.sub(replacement, new)
                if text != new and what not in ("octal number", "backquotes"):
                    found.append(Syntax(line=number, text=what, python="<3"))
                new = text
            if new != line:
                lines[number - 1] = new
                changed = True
        if changed:
            if not any(one.python == "<3" for one in found):
                found.append(Syntax(line=at, text="syntax of Python 2", python="<3"))
            return True
    if _ASYNC.search(lines[at - 1]):
        lines[at - 1] = _ASYNC.sub("async_", lines[at - 1])
        found.append(Syntax(line=at, text="`async` as a name", python="<3.7"))
        return True
    return False


def _drop(lines: list[str], at: int) -> int:
    """Replace a line that cannot be parsed, or the nearest line of code before it, by `pass`; returns its number."""
    while at > 1 and lines[at - 1].strip() in ("", "pass"):
        at -= 1
    line = lines[at - 1]
    lines[at - 1] = line[: len(line) - len(line.lstrip())] + "pass"
    return at


NEWER: Final[dict[str, tuple[str, str]]] = {
    "JoinedStr": ("f-string", ">=3.6"),
    "AnnAssign": ("annotation of a variable", ">=3.6"),
    "NamedExpr": ("assignment expression", ">=3.8"),
    "Match": ("match statement", ">=3.10"),
    "TryStar": ("`except*`", ">=3.11"),
    "TypeAlias": ("type statement", ">=3.12"),
    "TemplateStr": ("t-string", ">=3.14"),
}
"""Nodes of the syntax tree that not every Python has: name of the syntax, and specifier of the Pythons."""
