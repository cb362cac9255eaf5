"""Tracebacks of a log: the frames, with the package and the Python that their paths name, and what was raised."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.model.package import Name, normalize

if TYPE_CHECKING:
    from collections.abc import Iterator

_FRAME = re.compile(
    r'^\W{0,12}(?:File "(?P<path>[^"\n]{1,400})", line \d+'
    r"|(?:File )?(?P<path_b>[~/.\w][^\s:\"]{0,400}\.py)[:,](?: line )?\d+(?=[,:]? in |: )"
    r"|\[?(?P<path_c>[^\s\]]{1,400}\.pyx?)(?:\]\(\S{1,400}\))? in \S)"
)
"""A frame as Python, pytest and IPython print it."""
_ARROW = re.compile(r"^-{2,}>\s{0,4}\d+ (?P<code>.*)")
"""The line of a frame that IPython points at."""
_RAISED = re.compile(
    r"^(?:E\s{2,8}|[\w.]{1,60}:[\w.]{1,60}:)?\s{0,4}"
    r"(?P<kind>(?:[A-Za-z_]\w{0,60}\.){0,6}[A-Z]\w{0,60}(?:Error|Exception|Conflict|Interrupt|Impossible|Exit)|\w*\.?Exception)"
    r"(?:: (?P<message>.*))?$"
)
_BARE = re.compile(
    r"^(?:[A-Z]{4,8}:[\w.]{1,40}:)?\s{0,8}"
    r"(?P<message>(?:cannot import name |No module named |module '[\w.]{1,100}' has no attribute ).{1,400})$"
)
"""A message of an exception that was printed without its class."""
_PACKAGE = re.compile(r"(?:site|dist)-packages[\\/]+(?P<file>[\w.-]+)")
_PYTHON = re.compile(
    r"python(?P<version>[23]\.\d{1,2})[\\/]|[Pp]ython(?P<digits>3\d{1,2})(?:-\d\d)?[\\/](?:[Ll]ib|site-packages)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One line of a traceback.

    Attributes:
        path: file, as printed.
        package: distribution named like the folder under `site-packages`; ``None`` for a program's own file.
        code: source line below it, empty if there is none.
    """

    path: str
    package: Name | None
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An exception that was printed.

    Attributes:
        kind: its class, without the module (`ImportError`); empty if it was not printed.
        message: its text, empty if it has none.
        line: the whole line.
        frames: calls that led to it, innermost last; empty if they were not printed.
        number: number of the line.
    """

    kind: str
    message: str
    line: str
    frames: tuple[Frame, ...]
    number: int

    @property
    def package(self) -> Name | None:
        """The distribution whose code raised it; ``None`` for a program's own code, or if no frames were printed."""
        return self.frames[-1].package if self.frames else None

    def importer(self, module: str) -> Name | None:
        """The distribution that asked for a module: the innermost frame whose line names it, else the innermost."""
        top = module.partition(".")[0]
        asked = [frame for frame in self.frames if re.search(rf"\b{re.escape(top)}\b", frame.code)]
        return (asked[-1] if asked else self.frames[-1]).package if self.frames else None


def raised(text: str) -> tuple[Raised, ...]:
    """Every exception of a log, in its order."""
    return tuple(_raised(text))


def python_of(text: str) -> Version | None:
    """The Python that the first path of a library names."""
    match = _PYTHON.search(text)
    if match is None:
        return None
    digits = match["digits"]
    return Version(match["version"] if digits is None else f"{digits[0]}.{digits[1:]}")


def package_of(path: str) -> Name | None:
    """The distribution named like the folder under `site-packages` that a path leads to."""
    match = _PACKAGE.search(path)
    if match is None:
        return None
    file = re.sub(r"\.(?:py|so|pyd)$", "", match["file"])
    return normalize("tensorflow" if file == "tensorflow_core" else file)


def _raised(text: str) -> Iterator[Raised]:
    frames: list[Frame] = []
    pending: tuple[str, Name | None] | None = None
    for number, line in enumerate(text.split("\n")):
        if pending is not None:
            # the source line, or what stands in its place
            path, package = pending
            frames.append(Frame(path=path, package=package, code=line.strip()))
            pending = None
            if all(pattern.match(line) is None for pattern in (_FRAME, _RAISED, _ARROW)):
                continue
        if (match := _FRAME.match(line)) is not None:
            path = match["path"] or match["path_b"] or match["path_c"]
            pending = path, package_of(path)
        elif (match := _ARROW.match(line)) is not None:
            last = frames.pop() if frames else Frame(path="", package=None)
            frames.append(replace(last, code=match["code"].strip()))
        elif (match := _RAISED.match(line)) is not None:
            yield Raised(
                kind=match["kind"].rpartition(".")[2],
                message=(match["message"] or "").strip(),
                line=line.strip(),
                frames=tuple(frames[-60:]),
                number=number,
            )
            frames = []
        elif (match := _BARE.match(line)) is not None:
            yield Raised(
                kind="", message=match["message"], line=line.strip(), frames=tuple(frames[-60:]), number=number
            )
        elif line.startswith("Traceback (most recent call last)"):
            frames = []
