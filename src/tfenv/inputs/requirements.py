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
from tfenv.model.package import Elsewhere, Requirement, normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_COMMENT = re.compile(r"(^|(?<!\s)\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_OPTIONS = re.compile(r"(?<!\s)\s+(?=-)")
_ELSEWHERE = re.compile(
    r"([a-z][a-z0-9+.-]*://|file:|[./~\\]|[a-z]:[/\\]).*|.*\.(whl|zip|tar\.gz|tgz|tar\.bz2)|[\w.-]+([/\\][\w.-]+)+[/\\]?",
    re.IGNORECASE,
)
"""A path or a URL."""
_EGG = re.compile(r"#(?:.*&)?egg=(?P<name>[A-Za-z0-9][\w.-]*)")
_NAME = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)")
_CONDA_BUILD = re.compile(r"file:///.*(croot|feedstock_root|conda-bld|tmp/build)/")
"""Folders in which conda built a package that `pip freeze` names by its path."""
_INDEX = ("-i", "--index-url", "--pypi-url")
_IGNORED = (
    "-f",
    "--find-links",
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
    """Contents of requirements files and of all files that they include.

    Attributes:
        requirements: requirements, each with its file and line as `source`.
        constraints: bounds on packages that are not required themselves, likewise with their source.
        index_url: last `--index-url`, with its credentials; ``None`` without one.
        extra_index_urls: fallback indexes, in order.
        elsewhere: dependencies that do not come from an index: paths, URLs, editable projects.
        notes: one line for each option or line that was ignored.
    """

    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    notes: tuple[str, ...] = ()


def read(
    files: Sequence[Path],
    read_text: Callable[[Path], str],
    *,
    constraints: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
) -> Requirements:
    """Read requirements files and all files that they include.

    Args:
        files: files given by `-r`.
        read_text: gives the text of a file, or raises ``OSError`` or a `TfenvError`.
        constraints: files given by `-c`.
        environment: values for `${NAME}`.

    Raises:
        UsageError: lines that cannot be read or honoured; all of them, as `file:line`.
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
        )
    return Requirements(
        requirements=tuple(reader.requirements),
        constraints=tuple(reader.constraints),
        index_url=reader.index_url,
        extra_index_urls=tuple(dict.fromkeys(reader.extra_index_urls)),
        elsewhere=tuple(reader.elsewhere),
        notes=tuple(reader.notes),
    )


class _Reader:
    """Reads files, follows includes and collects the contents."""

    def __init__(self, read_text: Callable[[Path], str], environment: Mapping[str, str]) -> None:
        self._read_text = read_text
        self._environment = environment
        self._seen: set[tuple[str, bool]] = set()
        self.requirements: list[Requirement] = []
        self.constraints: list[Requirement] = []
        self.index_url: str | None = None
        self.extra_index_urls: list[str] = []
        self.elsewhere: list[Elsewhere] = []
        self.notes: dict[str, None] = {}
        self.faults: list[str] = []

    def file(self, path: Path, shown: Path, *, constraint: bool, asked_by: str | None) -> None:
        """Read one file, unless it was read before; a file may include itself.

        `shown` is its name in the lock, relative to the first file: a lock must not depend on the folder it is made in.
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
            self._option(line, path, shown, number)
            return
        wanted, *options = _OPTIONS.split(line)
        if (index := _index_of(options)) is not None:
            self._away(_NAME.match(wanted), index, shown, number)
            return
        for option in options:
            self._requirement_option(option, shown, where)
        try:
            parsed = PackagingRequirement(wanted)
        except (InvalidRequirement, RecursionError) as error:
            if _ELSEWHERE.fullmatch(wanted):
                self._away(_EGG.search(wanted), wanted, shown, number)
            else:
                self.faults.append(f"{where}: `{hidden(wanted)}` is not a requirement: {str(error).splitlines()[0]}")
            return
        if parsed.url is not None and _CONDA_BUILD.match(parsed.url):
            self.notes[f"{shown.as_posix()}:{number}: conda installed `{parsed.name}`, of an unknown version"] = None
        elif parsed.url is not None:
            self._away(_NAME.match(wanted), parsed.url, shown, number)
        elif constraint and parsed.extras:
            self.faults.append(f"{where}: `{wanted}` is a constraint, which cannot have extras")
        else:
            requirement = Requirement.of(parsed, source=f"{shown.as_posix()}:{number}")
            (self.constraints if constraint else self.requirements).append(requirement)

    def _away(self, name: re.Match[str] | None, place: str, shown: Path, number: int) -> None:
        """A dependency that does not come from an index."""
        project = None if name is None else normalize(name["name"])
        self.elsewhere.append(Elsewhere(name=project, place=hidden(place), where=f"{shown.as_posix()}:{number}"))

    def _requirement_option(self, option: str, shown: Path, where: str) -> None:
        if option.startswith("--hash"):
            self.notes[f"{shown.as_posix()}: its hashes are not looked at; the lock has those of the index"] = None
        elif _name_and_value(option)[0] in _IGNORED:
            self.notes[f"{shown.as_posix()}: `{_name_and_value(option)[0]}` is not looked at"] = None
        else:
            self.faults.append(f"{where}: the option `{_name_and_value(option)[0]}` is not known")

    def _option(self, line: str, path: Path, shown: Path, number: int) -> None:
        where = f"{path}:{number}"
        name, value = _name_and_value(line)
        value = value.strip("\"'")
        if name in ("-r", "--requirement", "-c", "--constraint"):
            if not value or "://" in value:
                self.faults.append(f"{where}: `{hidden(line)}` names no file that is here")
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
            self._away(_EGG.search(value), value, shown, number)
        elif name in _IGNORED:
            self.notes[f"{shown.as_posix()}: `{name}` is not looked at"] = None
        else:
            self.faults.append(f"{where}: the option `{name}` cannot be honoured in a lock")


def _logical_lines(content: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, with continued lines joined and blank lines dropped, each with its line number."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(content.removeprefix("\ufeff").splitlines(), 1):
        first = first if parts else number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            parts.append(line.removesuffix("\\"))
            continue
        # a comment ends a continued line, and does not belong to it
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


def _index_of(options: Iterable[str]) -> str | None:
    """The index that a single line names for its requirement."""
    for option in options:
        name, value = _name_and_value(option)
        if name in (*_INDEX, "--extra-index-url"):
            return value
    return None


def hidden(text: str) -> str:
    """The text without user names and passwords in its URLs, whatever characters a password has."""
    return re.sub(r"(?<=://)[^\s\"]*:[^\s\"]*@|(?<=://)[^/?#\s\"]+@", "", text)
