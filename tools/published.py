"""Records what an index holds of the projects around TensorFlow, for `unsolvable/`.

`python -m tools.published` writes `published.json`: wheels for Linux on x86-64 and for anything, of the newest
releases that each requirement and each Python allow, and what the metadata of one of them requires. TensorFlow itself
comes from the database.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.facts.database import load
from tfenv.index.source import IndexSource
from tfenv.inputs.request import read_moment
from tfenv.model import tags
from tfenv.model.goal import PYPI
from tfenv.model.package import Name, normalize
from tfenv.model.target import Platform
from tfenv.store.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.facts.database import Database
    from tfenv.model.package import File, Release

OUT = Path(__file__).parents[1] / "tests" / "resolver" / "published.json"
MOMENT = "2026-11-20"
CUDA_11 = tuple(
    f"nvidia-{part}-cu11"
    for part in (
        "cublas",
        "cuda-cupti",
        "cuda-nvcc",
        "cuda-runtime",
        "cudnn",
        "cufft",
        "curand",
        "cusolver",
        "cusparse",
        "nccl",
    )
)
MORE = ("tensorflow-text", "tensorflow-hub", "tensorflow-probability", "tf-keras", "pandas", "scipy", *CUDA_11)
DEEP = frozenset(
    {"numpy", "protobuf", "keras", "h5py", "tensorflow-text", "tensorflow-probability", "ml-dtypes", *CUDA_11}
)
PYTHONS = tuple(map(Version, ("3.7", "3.9", "3.10", "3.11", "3.12", "3.13")))
OF_TENSORFLOW = ("tensorflow", "tensorflow-cpu", "tensorflow-gpu")


def main() -> None:
    """Walk from TensorFlow's requirements to everything that they need."""
    wanted = of_tensorflow(load())
    rows: dict[str, dict[str, object]] = {}
    done: dict[Name, int] = {}
    with IndexSource((PYPI,), cache=Cache(), exclude_newer=read_moment(MOMENT)) as index:
        while wave := [name for name, bounds in wanted.items() if done.get(name) != len(bounds)]:
            done |= {name: len(wanted[name]) for name in wave}
            index.expect(wave)
            found = {release: file for name in wave for release, file in kept(index.releases(name), wanted[name])}
            new = {release: file for release, file in found.items() if file.filename not in rows}
            index.expect(list(new.values()))
            for release, file in new.items():
                metadata = index.metadata(file)
                needed = [each for each in metadata.requires if "extra" not in str(each.marker)]
                for each in needed:
                    wanted[each.name].add(each.specifier)
                python = file.requires_python or metadata.requires_python
                rows[file.filename] = {
                    "files": sorted(each.filename for each in wheels(release)),
                    "requires_python": None if python is None else str(python),
                    "requires": [str(each) for each in needed],
                    "yanked": file.yanked,
                }
    ordered = sorted(rows.values(), key=lambda row: str(row["files"]))
    OUT.write_text("[\n" + ",\n".join(json.dumps(row) for row in ordered) + "\n]\n", encoding="utf-8")


def of_tensorflow(database: Database) -> defaultdict[Name, set[SpecifierSet]]:
    """What its releases ask for, and a few projects that go with it."""
    wanted: defaultdict[Name, set[SpecifierSet]] = defaultdict(set)
    for name in MORE:
        wanted[Name(name)].add(SpecifierSet())
    for stem in database.releases.minors:
        for version in database.releases.versions_of(stem):
            for name in OF_TENSORFLOW:
                facts = database.releases.release(Name(name), version)
                for text in {text for wheel in facts.wheels for text in wheel.requires_dist or ()} if facts else ():
                    requirement = PackagingRequirement(text)
                    wanted[normalize(requirement.name)].add(requirement.specifier)
    return wanted


def kept(releases: tuple[Release, ...], bounds: set[SpecifierSet]) -> Iterator[tuple[Release, File]]:
    """The newest release for each Python that each of the bounds allow, and one file of it; of some projects more."""
    if not releases or releases[0].name in OF_TENSORFLOW:
        return
    final = [each for each in releases if not each.version.is_prerelease and any(wheels(each))]
    chosen = {each.version for each in final} if releases[0].name in DEEP else set()
    minors: dict[tuple[int, ...], Version] = {}
    for each in reversed(final):
        minors[each.version.release[:2]] = each.version
    if final and final[0].name not in CUDA_11:
        chosen &= set(minors.values())
    for allowed in bounds:
        fitting = [each for each in final if allowed.contains(each.version)]
        newest = (next((each.version for each in fitting if is_for(each, python)), None) for python in PYTHONS)
        chosen |= {version for version in newest if version is not None}
    for each in final:
        if each.version in chosen:
            yield each, max(wheels(each), key=lambda file: file.filename)


def is_for(release: Release, python: Version) -> bool:
    """Is there a wheel of it for this Python?"""
    ranks = tags.ranks(Platform.LINUX_X86_64, python)
    return any(
        (file.tags & ranks.keys() or not file.is_wheel)
        and (file.requires_python is None or file.requires_python.contains(f"{python}.9"))
        for file in wheels(release)
    )


def wheels(release: Release) -> Iterator[File]:
    """Those that a machine with Linux on x86-64 could install; where there is no wheel at all, the source."""
    for file in release.files:
        if not any(each.is_wheel for each in release.files) or any(
            tag.platform == "any" or ("linux" in tag.platform and tag.platform.endswith("x86_64"))
            for tag in file.tags
            if tag.interpreter.startswith(("cp3", "py3")) and not tag.abi.endswith("t")
        ):
            yield file


if __name__ == "__main__":
    main()
