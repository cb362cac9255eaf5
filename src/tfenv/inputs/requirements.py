"""Requirements files as pip reads them, for a lock of releases on an index.

Source of the format: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.errors import TfenvError, UsageError
from tfenv.model.package import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_OPTIONS = re.compile(r"\s+(?=-)")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|[./~\\]|.*\.(whl|zip|tar\.gz|tgz|tar\.bz2)$|[^\[;@]*[/\\]", re.IGNORECASE)
_INDEX = ("-i", "--index-url", "--pypi-url")
_IGNORED = (
    "--pre",
    "--prefer-binary",
    "--require-hashes",
    "--trusted-host",
    "--use-feature",
    "--no-binary",
    "--only-binary",
    "--config-settings",
    "--config-setting",
    "-C",
    "--global-option",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What requirements files ask for, all includes followed.

    Attributes:
        requirements: each with its file and line as `source`.
        constraints: likewise; they bound what is taken, and ask for nothing.
        index_url: the last `--index-url`, credentials and all; ``None`` if there is none.
        extra_index_urls: in order.
        notes: one line for each thing that was left out of account.
    """

    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read(
    files: Sequence[Path],
    read_text: Callable[[Path], str],
    *,
    constraints: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
) -> Requirements:
    """Read requirements files and all that they include.

    Args:
        files: as given by `-r`.
        read_text: gives the text of a file, or raises ``OSError`` or a `TfenvError`.
        constraints: as given by `-c`.
        environment: values for `${NAME}`.

    Raises:
        UsageError: with every line that cannot be read or honoured, as `file:line`.
    """
    reader = _Reader(read_text, environment or {})
    for path in files:
        reader.file(path, Path(path.name), constraint=False, asked_by=None)
    for path in constraints:
        reader.file(path, Path(path.name), constraint=True, asked_by=None)
    if reader.faults:
        raise UsageError(
            f"the requirements have {'one fault' if len(reader.faults) == 1 else f'{len(reader.faults)} faults'}",
            faults=tuple(reader.faults),
            hint="a lock holds releases of an index only; publish anything else to one, and name it with `--index-url`",
        )
    return Requirements(
        requirements=tuple(reader.requirements),
        constraints=tuple(reader.constraints),
        index_url=reader.index_url,
        extra_index_urls=tuple(dict.fromkeys(reader.extra_index_urls)),
        notes=tuple(reader.notes),
    )


class _Reader:
    """Follows the includes, and gathers."""

    def __init__(self, read_text: Callable[[Path], str], environment: Mapping[str, str]) -> None:
        self._read_text = read_text
        self._environment = environment
        self._seen: set[tuple[str, bool]] = set()
        self.requirements: list[Requirement] = []
        self.constraints: list[Requirement] = []
        self.index_url: str | None = None
        self.extra_index_urls: list[str] = []
        self.notes: dict[str, None] = {}
        self.faults: list[str] = []

    def file(self, path: Path, shown: Path, *, constraint: bool, asked_by: str | None) -> None:
        """Read one file; one that is included again, even by itself, has been read already.

        `shown` names it in the lock, relative to the first file, so that a lock does not tell where it was made.
        """
        if (key := (os.path.normpath(path), constraint)) in self._seen:
            return
        self._seen.add(key)
        try:
            content = self._read_text(path)
        except (OSError, TfenvError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            self.faults.append(f"{asked_by or path}: `{path}` cannot be read: {reason}")
            return
        for number, line in _logical_lines(content):
            where = f"{path}:{number}"
            self._line(self._expanded(line, where), path, shown, number, constraint=constraint)

    def _expanded(self, line: str, where: str) -> str:
        for name in _VARIABLE.findall(line):
            if name not in self._environment:
                self.faults.append(f"{where}: the environment variable `{name}` is not set")
        return _VARIABLE.sub(lambda match: self._environment.get(match[1], "unset"), line)

    def _line(self, line: str, path: Path, shown: Path, number: int, *, constraint: bool) -> None:
        from packaging.requirements import InvalidRequirement
        from packaging.requirements import Requirement as PackagingRequirement

        where = f"{path}:{number}"
        if line.startswith("-"):
            self._option(line, path, shown, where)
            return
        wanted, *options = _OPTIONS.split(line)
        for option in options:
            self._requirement_option(option, shown, where)
        try:
            requirement = Requirement.of(PackagingRequirement(wanted), source=f"{shown.as_posix()}:{number}")
        except (InvalidRequirement, RecursionError) as error:
            fault = (
                "is a path or URL, not a release of an index"
                if _ELSEWHERE.match(wanted)
                else f"is no requirement: {str(error).splitlines()[0]}"
            )
            self.faults.append(f"{where}: `{_hidden(wanted)}` {fault}")
        except ValueError:
            self.faults.append(f"{where}: `{_hidden(wanted)}` asks for a URL, not a release of an index")
        else:
            if constraint and requirement.extras:
                self.faults.append(f"{where}: `{wanted}` is a constraint, which cannot have extras")
            (self.constraints if constraint else self.requirements).append(requirement)

    def _requirement_option(self, option: str, shown: Path, where: str) -> None:
        if option.startswith("--hash"):
            self.notes[f"{shown.as_posix()}: its hashes are not looked at; the lock has those of the index"] = None
        elif _name_and_value(option)[0] in _IGNORED:
            self.notes[f"{shown.as_posix()}: `{_name_and_value(option)[0]}` is not looked at"] = None
        else:
            self.faults.append(f"{where}: the option `{option}` is not known")

    def _option(self, line: str, path: Path, shown: Path, where: str) -> None:
        name, value = _name_and_value(line)
        value = value.strip("\"'")
        if name in ("-r", "--requirement", "-c", "--constraint"):
            if not value or "://" in value:
                self.faults.append(f"{where}: `{_hidden(line)}` names no file that is here")
                return
            self.file(
                path.parent / value,
                Path(os.path.normpath(shown.parent / value)),
                # as in pip, what `-r` includes is wanted, even out of a constraints file
                constraint=name in ("-c", "--constraint"),
                asked_by=where,
            )
        elif name in _INDEX and value:
            self.index_url = value
        elif name == "--extra-index-url" and value:
            self.extra_index_urls.append(value)
        elif name in ("-e", "--editable"):
            self.faults.append(f"{where}: `{_hidden(line)}` is editable, not a release of an index")
        elif name in _IGNORED:
            self.notes[f"{shown.as_posix()}: `{name}` is not looked at"] = None
        else:
            self.faults.append(f"{where}: `{_hidden(line)}` cannot be honoured in a lock")


def _logical_lines(content: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, joined where they continue, each with the number of the first; blank ones left out."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(content.removeprefix("\ufeff").splitlines(), 1):
        first = first if parts else number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            parts.append(line.removesuffix("\\"))
            continue
        # a comment ends a continued line, and is no part of it
        parts.append(" " + line if is_comment and parts else line)
        joined = _COMMENT.sub("", "".join(parts)).strip()
        parts = []
        if joined:
            yield first, joined
    if joined := _COMMENT.sub("", "".join(parts)).strip():
        yield first, joined


def _name_and_value(option: str) -> tuple[str, str]:
    """`--name value`, `--name=value`, `-r value` or `-rvalue`, taken apart."""
    if option.startswith("--"):
        name, value = re.split(r"[\s=]+|$", option, maxsplit=1)
        return name, value
    return option[:2], option[2:].strip().removeprefix("=")


def _hidden(text: str) -> str:
    """The text without user names and passwords in its URLs."""
    return re.sub(r"(?<=://)[^/?#@\s\"]+@", "", text)
