"""An index in memory, written down as a list of filenames and what each requires."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_sdist_filename, parse_wheel_filename

from tfenv.model.package import File, Metadata, Name, Release, Requirement, normalize
from tfenv.model.target import Accelerator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from packaging.version import Version

_OF_CUDA = ("__cuda", "__driver", "__compute_capability")


class MemorySource:
    """A `Source` of the files in `rows`; it notes what is asked of it in `read`.

    Each row is a table with `file`, and perhaps `requires`, `needs`, `requires_python`, `metadata_python`, `extras`,
    `yanked`, `dynamic`.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._files: dict[Name, dict[Version, list[File]]] = defaultdict(lambda: defaultdict(list))
        self._metadata: dict[str, Metadata] = {}
        self.read: list[str] = []
        self.expected: list[Name | File] = []
        for row in rows:
            file = file_of(row["file"], requires_python=row.get("requires_python"), yanked=row.get("yanked"))
            self._files[file.name][file.version].append(file)
            requires = tuple(Requirement.of(PackagingRequirement(text)) for text in row.get("requires", ()))
            needs = tuple(
                Requirement(
                    name=Name(need["name"]),
                    specifier=SpecifierSet(need.get("specifier", "")),
                    any_of=tuple(map(SpecifierSet, need.get("any_of", ()))),
                    extras=frozenset(need.get("words", ())),
                    because=need.get("because", ""),
                    source=need.get("source", ""),
                )
                for need in row.get("needs", ())
            )
            python = row.get("metadata_python", row.get("requires_python"))
            self._metadata[file.filename] = Metadata(
                name=file.name,
                version=file.version,
                requires_python=None if python is None else SpecifierSet(python),
                requires=(*needs, *requires),
                extras=frozenset(row.get("extras", ())),
                dynamic=row.get("dynamic", False),
                source=file.filename,
            )

    def of(self, accelerator: Accelerator) -> MemorySource:
        """The same for a target; as the facts do, one without CUDA is asked for none of what CUDA needs."""
        if accelerator is Accelerator.CUDA:
            return self
        other = copy(self)
        other._metadata = {
            name: replace(each, requires=tuple(one for one in each.requires if one.name not in _OF_CUDA))
            for name, each in self._metadata.items()
        }
        return other

    def releases(self, name: Name) -> tuple[Release, ...]:
        """Newest first."""
        return tuple(
            Release(name=name, version=version, files=tuple(files))
            for version, files in sorted(self._files.get(name, {}).items(), reverse=True)
        )

    def metadata(self, file: File) -> Metadata:
        """As written down."""
        self.read.append(file.filename)
        return self._metadata[file.filename]

    def expect(self, wanted: Iterable[Name | File], then: Callable[[], None] | None = None) -> None:
        """Noted."""
        self.expected.extend(wanted)


def file_of(filename: str, *, requires_python: str | None = None, yanked: str | None = None) -> File:
    """A file by its name; its hash is that of the name."""
    if filename.endswith(".whl"):
        name, version, build, tags = parse_wheel_filename(filename)
    else:
        (name, version), build, tags = parse_sdist_filename(filename), (), frozenset()
    return File(
        name=normalize(name),
        version=version,
        filename=filename,
        url=f"https://files.example/{filename}",
        sha256=hashlib.sha256(filename.encode()).hexdigest(),
        requires_python=None if requires_python is None else SpecifierSet(requires_python),
        yanked=yanked,
        tags=tags,
        build=build,
    )
