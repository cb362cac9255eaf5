"""Known errors in a log, by the patterns of `signatures.toml`, and facts that a log mentions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from tfenv.facts.rows import finish, read
from tfenv.model.evidence import Symptom
from tfenv.model.package import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tfenv.facts.rows import Row

_GROUP = re.compile(r"\{(\w+)\}")
_PRIVATE = re.compile(r"\._api\.v[12](?:\.compat\.v2)?")
"""Internal modules of the public names, which user code does not write."""
_ERROR = re.compile(
    r"(?:Error|Exception)\b|^\W*(?:E|F)\d{4} |: [EF] |"
    r"\b(?:error(?! rate)|fatal|failed|failure|fails|abort(?:ed|ing)?|core dumped|OOM|killed|segmentation"
    r"|bus error|panic"
    r"|mismatch(?:ed|es)?|cannot|can't|could not|couldn't|unable|undefined|unsatisfi\w+|incompatible|unsupported"
    r"|invalid|missing|corrupt\w*|conflict\w*|insufficient|exhausted|out of memory|refused|denied|no such"
    r"|not (?:found|detected|available|supported|compatible|installed|recognized)|terminate called|traceback)\b",
    re.IGNORECASE,
)
"""Marks of a line that reports an error."""
_INFORMATION = re.compile(r"^\W*(?:\d{4}-\d\d-\d\d[ T][\d:.,]+: )?I(?:\d{4} | (?:tensorflow|external|xla|tsl)/)")
_VARIANT = re.compile(r"_[b-z]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One known error message.

    Attributes:
        name: name of the row.
        pattern: pattern of the line; its named groups are facts (`x_b` is another place for `x`).
        code: code of the problem.
        subject: thing that the problem is about; `{group}` is filled in.
        cause: cause in one sentence; `{group}` is filled in.
        package: package that has to change, or ``None``; `{group}` is filled in.
        wanted: versions of the package that repair the problem; `{group}` is filled in.
        tf: release of TensorFlow that repairs this, or ``None``; `{group}` is filled in.
        python: Python that repairs this, or ``None``; `{group}` is filled in.
        cudnn: release of cuDNN that repairs this; `{group}` is filled in.
        advice: what to do if changing versions does not help.
        general: whether the line follows from any of several causes.
        sample: line that the pattern matches.
        source: thread that reports the error.
    """

    name: str
    pattern: re.Pattern[str]
    code: str
    subject: str
    cause: str
    package: str | None
    wanted: str | None
    tf: str | None
    python: str | None
    cudnn: str | None
    advice: str | None
    general: bool
    sample: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A signature that was found in a log.

    Attributes:
        symptom: symptom that the row describes, with the groups of the line filled in.
        facts: named groups of the match, by the keys of the configuration.
    """

    symptom: Symptom
    facts: Mapping[str, str]


class SignatureTable:
    """All signatures, specific ones before general ones.

    Attributes:
        all: in the order of the file.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/signatures.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        root = read(path)
        self.all = root.rows("signature", _signature)
        self._facts = root.rows("fact", _pattern)
        self._noise = root.rows("noise", _noise)
        finish(root, path)

    def sightings(self, log: str) -> tuple[Sighting, ...]:
        """The signatures in a log, each once (its first match), in the order of the file."""
        return tuple(
            Sighting(symptom=_symptom(signature, _line(log, match), facts), facts=facts)
            for signature in self.all
            if (match := signature.pattern.search(log)) is not None and (facts := _groups(match)) is not None
        )

    def strangers(self, log: str) -> tuple[str, ...]:
        """The lines that report an error, in order, without those that are known to be harmless."""
        found: dict[str, None] = {}
        for line in log.split("\n"):
            if _ERROR.search(line) is None or _INFORMATION.match(line) is not None:
                continue
            if not any(pattern.search(line) for pattern in self._noise):
                found.setdefault(line.strip())
        return tuple(found)

    def facts(self, log: str) -> Mapping[str, str]:
        """Facts that a log mentions, by the keys of the configuration; the first mention of each counts.

        The key of a package is `packages.NAME`.
        """
        found: dict[str, str] = {}
        for pattern in self._facts:
            for match in pattern.finditer(log):
                groups = _groups(match)
                if (package := groups.pop("package", None)) is not None:
                    groups = {f"packages.{normalize(package)}": groups["version"]}
                for name, value in groups.items():
                    found.setdefault(name, value)
        return found


def _line(log: str, match: re.Match[str]) -> str:
    """The last line of the match: if a pattern spans several lines, the error is in the last one."""
    end = log.find("\n", match.end())
    start = log.rfind("\n", 0, match.end() - 1) + 1
    return log[start : end if end >= 0 else len(log)].strip()


def _groups(match: re.Match[str]) -> dict[str, str]:
    groups = {_VARIANT.sub("", name): value.strip() for name, value in match.groupdict().items() if value}
    return {name: _dotted(value) if name.endswith("cudnn") else value for name, value in groups.items()}


def _dotted(number: str) -> str:
    """CuDNN 5110 is 5.1.10, and 90300 is 9.3.0 (`cudnn.h`, CUDNN_VERSION)."""
    if not re.fullmatch(r"\d{4,5}", number):
        return number
    major, rest = divmod(int(number), 1000 if len(number) == 4 else 10000)
    return f"{major}.{rest // 100}.{rest % 100}"


def _symptom(signature: Signature, line: str, facts: Mapping[str, str]) -> Symptom:
    """The symptom of a row for one line."""

    def filled(text: str | None) -> str | None:
        return None if text is None else _filled(text, facts) or None

    code, built = signature.code, facts.get("built_cudnn")
    if code == "cudnn-too-old" and built and Version(facts.get("cudnn", built)).major != Version(built).major:
        code = "cudnn-mismatch"
    package, wanted, python = filled(signature.package), signature.wanted, filled(signature.python)
    named = facts.get("distribution")
    return Symptom(
        code=code,
        subject=_filled(signature.subject, facts).strip(" .") or signature.code.partition("-")[0],
        cause=_filled(signature.cause, facts),
        line=line,
        sources=(signature.source,),
        general=signature.general,
        package=None if package is None else normalize(package),
        wanted=None if wanted is None or "{tf_minor}" in wanted else _specifier(_filled(wanted, facts)),
        same_minor=wanted is not None and "{tf_minor}" in wanted,
        tf=filled(signature.tf),
        python=Version(python) if python and re.fullmatch(r"\d\.\d+", python) else None,
        cudnn=_short(built) if signature.cudnn is not None and built else None,
        symbol=_symbol(facts) if code == "api-removed" else None,
        distribution=None if named is None else normalize(named),
        offered=facts.get("offered"),
        installing=code in ("python-no-wheel", "platform-no-wheel") or "companion" in facts,
        advice=filled(signature.advice),
    )


def _symbol(facts: Mapping[str, str]) -> str | None:
    """The missing name of TensorFlow, as code writes it; ``None`` if the line has none."""
    name = facts.get("name")
    if name is None:
        return None
    module = _PRIVATE.sub("", facts.get("module", "tensorflow"))
    full = name if name.startswith("tensorflow.") else f"{module}.{name}"
    return re.sub(r"^tensorflow(?:_core)?", "tf", full)


def _short(version: str) -> Version:
    return Version(".".join(version.split(".")[:2]))


def _specifier(text: str) -> SpecifierSet | None:
    try:
        return SpecifierSet("" if text == ">=0" else text)
    except InvalidSpecifier:
        return None


def _filled(template: str, facts: Mapping[str, str]) -> str:
    return _GROUP.sub(lambda match: facts.get(match[1], ""), template)


def _signature(row: Row) -> Signature:
    pattern = _pattern(row)
    signature = Signature(
        name=row.text("name"),
        pattern=pattern,
        code=row.text("code"),
        subject=row.text("subject"),
        cause=row.text("cause"),
        package=row.maybe_text("package"),
        wanted=row.maybe_text("wanted"),
        tf=row.maybe_text("tf"),
        python=row.maybe_text("python"),
        cudnn=row.maybe_text("cudnn"),
        advice=row.maybe_text("advice"),
        general=row.flag("general"),
        sample=row.text("sample"),
        source=row.text("source"),
    )
    if pattern.search(signature.sample) is None:
        row.fault("sample", "the pattern does not match it")
    known = {_VARIANT.sub("", name) for name in pattern.groupindex}
    for key in ("subject", "cause", "package", "wanted", "tf", "python", "cudnn"):
        for name in _names(getattr(signature, key) or ""):
            if name not in {*known, "tf_minor"}:
                row.fault(key, f"the pattern has no group `{name}`")
    return signature


def _noise(row: Row) -> re.Pattern[str]:
    row.source()
    return _pattern(row)


def _pattern(row: Row) -> re.Pattern[str]:
    try:
        return re.compile(row.text("pattern"), re.MULTILINE)
    except re.error as error:
        row.fault("pattern", str(error))
        return re.compile("")


def _names(template: str) -> Iterator[str]:
    yield from _GROUP.findall(template)
