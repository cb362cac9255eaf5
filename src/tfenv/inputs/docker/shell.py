"""The commands of a shell script, as far as an image's content follows from them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfenv.inputs.docker.instructions import expand

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENDS = frozenset({";", "&&", "||", "|", "&", "(", ")", ";;", "\n"})
_SUBSTITUTED = re.compile(r"\$\([^()]*(?:\([^()]*\)[^()]*)*\)|`[^`]*`")
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_BEFORE = ("sudo", "exec", "time", "command", "nice", "env", "then", "do", "!", "{")
"""Words before a command that change nothing of what it installs."""
_TAKES = {"sudo": ("-u", "-g"), "nice": ("-n",)}
_INSIDE = ("conda", "mamba", "micromamba", "poetry", "uv", "pipenv", "pdm", "hatch")
_SHELLS = ("sh", "bash", "/bin/sh", "/bin/bash", "zsh", "dash", "ash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command.

    Attributes:
        words: the command and its arguments, variables expanded, redirections left out.
        written: file that its output is written to; empty if there is none.
        piped: command that reads its output; empty if there is none.
    """

    words: list[str]
    written: str = ""
    piped: tuple[str, ...] = ()


def commands(script: str, variables: dict[str, str]) -> Iterator[Command]:
    """The commands of a script that are run; where a condition is not known, those of every branch.

    Args:
        script: text of `RUN`.
        variables: known values, by name; assignments of the script are added.
    """
    branches: list[bool | None] = []
    skipped = False
    chains = _chains(script)
    for position, (parts, before) in enumerate(chains):
        words, written = _redirected(parts)
        if before not in ("&&", "||"):
            skipped = False
        if not words:
            continue
        if _branch(words, branches, variables):
            continue
        words = [word for part in _without_prefix(words, variables) for word in _expanded(part, variables)]
        if not words or skipped or False in branches:
            continue
        if words[0] in ("[", "test", "[["):
            true = _holds(words, variables)
            following = chains[position + 1][1] if position + 1 < len(chains) else ""
            skipped = (following == "&&" and true is False) or (following == "||" and true is True)
            continue
        if words[0] in _SHELLS and any(word.startswith("-") and word.endswith("c") for word in words[1:-1]):
            yield from commands(words[-1], variables)
            continue
        piped = chains[position + 1] if position + 1 < len(chains) and chains[position + 1][1] == "|" else ([], "")
        yield Command(words=_inside(words), written=written, piped=tuple(_without_prefix(piped[0], {})))


def split(text: str) -> list[str]:
    """The words of a command."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _chains(script: str) -> list[tuple[list[str], str]]:
    """The simple commands of a script as parts, each with the operator before it."""
    text = _SUBSTITUTED.sub("$__", script)
    lexer = shlex.shlex(text.replace("\n", " ; "), posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        parts = list(lexer)
    except ValueError:  # a quotation mark without its other half
        parts = re.sub(r"(&&|\|\||;)", r" \1 ", text).split()
    found: list[tuple[list[str], str]] = []
    current: list[str] = []
    operator = ""
    for part in parts:
        if part in _ENDS:
            found.append((current, operator))
            current, operator = [], part
        else:
            current.append(part)
    return [*found, (current, operator)]


def _redirected(parts: list[str]) -> tuple[list[str], str]:
    """The parts without redirections, and the file that standard output goes to."""
    words: list[str] = []
    written, position = "", 0
    while position < len(parts):
        part = parts[position]
        if part in (">", ">>", "<", ">&", "&>", "<<", "<<<"):
            if part in (">", ">>") and position + 1 < len(parts):
                written = parts[position + 1]
            if words and words[-1] in ("1", "2") and part != "<":
                words.pop()
            position += 2
            continue
        words.append(part)
        position += 1
    return words, written


def _branch(words: list[str], branches: list[bool | None], variables: dict[str, str]) -> bool:
    """Whether the words are control flow alone; `branches` holds for each open `if` whether its branch is run."""
    match words[0]:
        case "if":
            branches.append(_holds([word for one in words[1:] for word in _expanded(one, variables)], variables))
            return True
        case "elif" if branches:
            taken = branches[-1]
            condition = _holds([word for one in words[1:] for word in _expanded(one, variables)], variables)
            branches[-1] = False if taken else condition if taken is False else None
            return True
        case "else" if branches:
            branches[-1] = None if branches[-1] is None else not branches[-1]
            del words[0]
            return not words
        case "fi":
            if branches:
                branches.pop()
            return True
        case "done" | "esac" | "}" | "for" | "while" | "case" | "set":
            return True
    return False


def _holds(words: list[str], variables: dict[str, str]) -> bool | None:
    """Whether a test of `[` is true; ``None`` if a value is not known."""
    words = [expand(word, variables) for word in words if word not in ("[", "[[", "test", "]", "]]")]
    if any("$" in word for word in words):
        return None
    match words:
        case [first, "=" | "==", second]:
            return first == second
        case [first, "!=", second]:
            return first != second
        case ["-n", text]:
            return bool(text)
        case ["-z", text]:
            return not text
        case ["-z"]:
            return True
    return None


def _without_prefix(words: list[str], variables: dict[str, str]) -> list[str]:
    """The command without `sudo`, `env` and assignments; those of the whole script are remembered."""
    position = 0
    set_alone: dict[str, str] = {}
    while position < len(words):
        word = words[position]
        if (match := _ASSIGNED.fullmatch(word)) is not None:
            set_alone[match[1]] = expand(match[2], {**variables, **set_alone})
        elif word in ("export", "declare"):
            for one in words[position + 1 :]:
                if (match := _ASSIGNED.fullmatch(one)) is not None:
                    variables[match[1]] = expand(match[2], variables)
            return []
        elif word in _BEFORE:
            while position + 1 < len(words) and words[position + 1].startswith("-"):
                position += 2 if words[position + 1] in _TAKES.get(word, ()) else 1
        else:
            return words[position:]
        position += 1
    variables.update(set_alone)
    return []


def _expanded(part: str, variables: dict[str, str]) -> list[str]:
    """A word with its variables; one that is nothing but a variable may become several."""
    if "$" not in part:
        return [part]
    text = expand(part, variables)
    return text.split() if re.fullmatch(r"\$\{?\w+\}?", part) is not None else [text]


def _inside(words: list[str]) -> list[str]:
    """The command that `conda run -n tf`, `poetry run` or `uv run` starts."""
    if words[0] not in _INSIDE or len(words) < 3 or words[1] != "run":
        return words
    position = 2
    while position < len(words) and words[position].startswith("-"):
        position += 2 if words[position] in ("-n", "--name", "-p", "--prefix") else 1
    return words[position:] or words
