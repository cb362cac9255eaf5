"""Contents of published images (`contents.toml`): Python, TensorFlow, CUDA, cuDNN and system, by repository and tag."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from tfenv.facts.rows import load

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.facts.rows import Row

_DEFAULT_REGISTRY, _OFFICIAL = "docker.io", "library"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageContents:
    """Contents of an image; ``None`` means not known.

    Attributes:
        os: distribution and release, as `images.toml` names it.
        libc: `musl`, if the image has no glibc.
        python: version of `python`, `X.Y` or `X.Y.Z`.
        tensorflow: release of TensorFlow.
        distribution: project that brings it, perhaps with an extra.
        vendor: who built this TensorFlow, if it is not a published wheel.
        accelerator: `cuda` or `cpu`.
        cuda: release of the toolkit.
        cudnn: release, as precise as is known.
        driver: lowest driver for NVIDIA's own images.
        conda: release of conda.
        without: what is known to be missing (`cudnn`, `python`, `system cuda`, `system cudnn`).
        sources: URLs.
    """

    os: str | None = None
    libc: str | None = None
    python: Version | None = None
    tensorflow: Version | None = None
    distribution: str | None = None
    vendor: str | None = None
    accelerator: str | None = None
    cuda: Version | None = None
    cudnn: Version | None = None
    driver: Version | None = None
    conda: Version | None = None
    without: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """Contents of those images of a repository whose tag is listed or matches a pattern."""

    repository: str
    tags: frozenset[str]
    pattern: re.Pattern[str] | None
    since: str
    until: str
    holds: ImageContents

    def of(self, tag: str) -> ImageContents | None:
        """Contents of the image with a tag; ``None`` if the rule is not about it."""
        if tag in self.tags:
            return self.holds
        match = None if self.pattern is None else self.pattern.fullmatch(tag)
        if match is None:
            return None
        groups = {name.removesuffix("_b"): text for name, text in match.groupdict().items() if text is not None}
        if (day := groups.pop("day", "")) and not self.since <= day <= self.until:
            return None
        found: dict[str, Any] = {
            name: Version(text) for name, text in groups.items() if name in ("python", "tensorflow")
        }
        found |= {"os": f"ubuntu {groups['ubuntu']}"} if "ubuntu" in groups else {}
        return replace(self.holds, **found)


class ContentsTable:
    """All images that are known."""

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/contents.toml`.

        Raises:
            UsageError: it has faults.
        """
        self._rules = load(path, "contents", _rule)

    @property
    def tags(self) -> tuple[str, ...]:
        """References of the images that are listed one by one."""
        return tuple(f"{rule.repository}:{tag}" for rule in self._rules for tag in sorted(rule.tags))

    def of(self, reference: str) -> ImageContents | None:
        """Contents of an image, by its reference as Docker reads it (`python:3.12`); ``None`` if nothing is known."""
        repository, tag = split(reference)
        rules = [rule for rule in self._rules if rule.repository == repository]
        found = [contents for rule in rules if (contents := rule.of(tag)) is not None]
        if not found:
            return None
        merged: dict[str, Any] = {
            field.name: next((value for contents in found if (value := getattr(contents, field.name))), None)
            for field in fields(ImageContents)
        }
        sources = tuple(dict.fromkeys(source for contents in found for source in contents.sources))
        return ImageContents(**{**merged, "without": merged["without"] or (), "sources": sources})


def split(reference: str) -> tuple[str, str]:
    """Registry with repository, and tag, of a reference; what Docker adds is added, and a digest is dropped."""
    name = reference.split("@", maxsplit=1)[0]
    path, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "latest")
    first, slash, _ = path.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        path = f"{_DEFAULT_REGISTRY}/{path if slash else f'{_OFFICIAL}/{path}'}"
    return path, tag


def _rule(row: Row) -> _Rule:
    row.tier()
    row.maybe_text("note")
    tags, pattern = row.texts("tags"), row.get("pattern", _pattern)
    if not tags and pattern is None:
        row.fault("tags", "neither `tags` nor a `pattern` says which images")
    return _Rule(
        repository=row.text("repository"),
        tags=frozenset(tags),
        pattern=pattern,
        since=row.maybe_text("since") or "",
        until=row.maybe_text("until") or "",
        holds=ImageContents(
            os=row.maybe_text("os"),
            libc=row.maybe_text("libc"),
            python=row.maybe_version("python"),
            tensorflow=row.maybe_version("tensorflow"),
            distribution=row.maybe_text("distribution"),
            vendor=row.maybe_text("vendor"),
            accelerator=row.maybe_text("accelerator"),
            cuda=row.maybe_version("cuda"),
            cudnn=row.maybe_version("cudnn"),
            driver=row.maybe_version("driver"),
            conda=row.maybe_version("conda"),
            without=row.texts("without"),
            sources=tuple(row.source().split("; ")),
        ),
    )


def _pattern(value: object) -> re.Pattern[str]:
    try:
        return re.compile(str(value))
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
