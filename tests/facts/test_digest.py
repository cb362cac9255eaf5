"""The digest of the facts: what changes it, what does not, and that it covers what a lock reads."""

from __future__ import annotations

import re
import shutil
from functools import cached_property
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.index_server import FakeIndex
from tfenv.errors import UsageError
from tfenv.facts.database import Database, load
from tfenv.facts.digest import INFER, LOCK, digest, stamp
from tfenv.model.goal import Goal
from tfenv.model.hardware import ComputeCapability, Gpu
from tfenv.model.target import Accelerator, Target
from tfenv.outputs import pylock
from tfenv.store.cache import Cache
from tfenv.store.digests import kept_digest
from tfenv.workflow.lock.solve import solve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINUX = "manylinux_2_27_x86_64"
CHANGES = [
    ("cuda.toml", '"450.80.02"', '"450.80.03"'),
    ("cudnn.toml", '"9.10.2.21"', '"9.10.2.22"'),
    ("companions.toml", "because = ", 'because = "another reason, " # '),
    ("patches.toml", 'drop = ["', 'drop = ["six", "'),
    ("images.toml", 'glibc = "2.31"', 'glibc = "2.30"'),
    ("gpus.toml", 'capability = "7.0"', 'capability = "7.2"'),
    ("wheels.toml", 'says = "', 'says = "perhaps '),
    ("tensorflow/2.17.toml", 'requires-python = ">=3.9"', 'requires-python = ">=3.8"'),
]


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    return shutil.copytree(load().root, tmp_path / "facts")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, (path.name, old)
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(("name", "old", "new"), CHANGES, ids=lambda value: str(value)[:20])
def test_a_row_that_a_lock_reads(root: Path, name: str, old: str, new: str) -> None:
    """Another value in a row is another digest."""
    before = digest(root, LOCK)
    change(root / name, old, new)
    assert digest(root, LOCK) != before


def test_what_does_not_count_for_a_lock(root: Path) -> None:
    """Comments, white space, proofs, tables that no lock reads and files of other kinds change nothing."""
    before, bytes_before = digest(root, LOCK), stamp(root, LOCK)
    change(root / "cuda.toml", "\n", "\n# a comment\n\n")
    change(root / "cudnn.toml", 'tier = "', 'tier   =   "')
    for path in root.rglob("*.toml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'(?m)^tier *= *"\w+"$', 'tier = "gpu"', text), encoding="utf-8")
    change(root / "compile.toml", "sha256:", "sha256:0")
    change(root / "alternatives.toml", 'says = "', 'says = "perhaps ')
    change(root / "keras.toml", 'keras = "', 'keras = "9')
    (root / "README.md").write_text("words", encoding="utf-8")
    (root / "closures.txt").write_text("2.17 numpy\n", encoding="utf-8")
    assert digest(root, LOCK) == before
    assert stamp(root, LOCK) != bytes_before


def test_what_counts_for_infer(root: Path) -> None:
    """A way of writing, or a Keras, changes the answer of `infer` and not a lock; a driver changes the lock only."""
    lock, infer = digest(root, LOCK), digest(root, INFER)
    change(root / "habits.toml", "legacy = true", "legacy = false")
    assert (digest(root, LOCK), digest(root, INFER)) == (lock, digest(root, INFER))
    assert digest(root, INFER) != infer
    infer = digest(root, INFER)
    change(root / "cuda.toml", '"450.80.02"', '"450.80.03"')
    assert digest(root, INFER) == infer
    assert digest(root, LOCK) != lock


def test_a_new_or_renamed_release_counts(root: Path) -> None:
    """Another file of releases is another digest, and so is another name of it."""
    versions = [digest(root, LOCK)]
    (root / "tensorflow" / "9.1.toml").write_text("release = []\n", encoding="utf-8")
    versions.append(digest(root, LOCK))
    (root / "tensorflow" / "9.1.toml").rename(root / "tensorflow" / "9.2.toml")
    versions.append(digest(root, LOCK))
    assert len(set(versions)) == 3
    assert all(re.fullmatch("[0-9a-f]{12}", version) for version in versions)


def test_a_damaged_table(root: Path) -> None:
    """A file that cannot be read is named."""
    (root / "rocm.toml").write_text("rocm = ", encoding="utf-8")
    with pytest.raises(UsageError, match=r"rocm\.toml"):
        digest(root, LOCK)


@pytest.fixture(name="index")
def _index() -> Iterator[FakeIndex]:
    with FakeIndex() as fake:
        for name, version in (("tensorflow", "2.10.1"), ("tensorflow", "2.20.0"), ("tensorflow-cpu", "2.10.1")):
            for python in ("cp310", "cp313"):
                requires = ["numpy>=1.26", "nvidia-cudnn-cu12>=9.3; extra == 'and-cuda'"]
                tags = f"{python}-{python}-{LINUX}"
                fake.add_wheel(name, version, requires=requires, extras=["and-cuda"], tags=tags)
        for name in ("numpy", "tf-keras", "keras", "protobuf"):
            fake.add_wheel(name, "1.26.4", requires_python=">=3.9")
        for version in ("9.10.2.21", "9.11.0.98"):
            fake.add_wheel("nvidia-cudnn-cu12", version, tags=f"py3-none-{LINUX}")
        yield fake


def goals(url: str) -> list[Goal]:
    """Goals that ask each table: with and without a GPU, an old release and a new one, a Keras."""
    v100 = Gpu(name="V100", capability=ComputeCapability(7, 0))
    cpu, gpu = Target(), Target(accelerator=Accelerator.CUDA, gpus=(v100,), driver=Version("575.57.08"))
    return [
        Goal(tensorflow=SpecifierSet("==2.20.*"), target=cpu, indexes=(url,)),
        Goal(tensorflow=SpecifierSet("==2.20.*"), target=gpu, indexes=(url,)),
        Goal(tensorflow=SpecifierSet("==2.10.*"), target=cpu, indexes=(url,), keras=2),
    ]


class Watched(Database):
    """A database that notes which tables are asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: set[str] = set()

    def __getattribute__(self, name: str) -> object:
        if isinstance(getattr(Database, name, None), cached_property):
            self.asked.add(name)
        return super().__getattribute__(name)


def test_every_table_that_a_lock_reads_counts(index: FakeIndex, tmp_path: Path) -> None:
    """A lock asks for no other table, but for names that are only asked for ahead (`closures`)."""
    asked: set[str] = set()
    for goal in goals(index.url):
        database = Watched(load().root)
        solve(goal, database=database, cache=Cache(tmp_path / "cache"))
        asked |= database.asked
    assert asked - {"closures"} <= LOCK.keys()
    assert {"images", "patches", "releases", "cudnn", "gpus", "wheels", "companions"} <= asked


def test_what_does_not_count_is_not_in_a_lock(index: FakeIndex, root: Path, tmp_path: Path) -> None:
    """With every column that the digest leaves out rewritten, the locks are the same."""
    before = [pylock.dumps(solve(goal, cache=Cache(tmp_path / "cache"))) for goal in goals(index.url)]
    for path in root.rglob("*.toml"):
        name = "releases" if path.parent.name == "tensorflow" else path.stem
        text, heading = [], ""
        for line in path.read_text(encoding="utf-8").splitlines():
            heading = match[1] if (match := re.match(r"\[\[(\w+)", line)) else heading
            dropped = ("tier", *LOCK.get(name, {}).get(heading, ("source",)))
            key, _, value = line.partition(" = ")
            rewritten = value.startswith('"') and key in dropped
            text.append(f'{key} = "{"gpu" if key == "tier" else "elsewhere"}"' if rewritten else line)
        path.write_text("\n".join(text), encoding="utf-8")
    after = [
        pylock.dumps(solve(goal, database=Database(root), cache=Cache(tmp_path / "cache"))) for goal in goals(index.url)
    ]
    assert after == before


def test_the_digest_is_kept_for_the_same_bytes(root: Path, tmp_path: Path) -> None:
    """A second lock parses no table for its digest; other bytes are looked at again."""
    cache = Cache(tmp_path / "cache")
    first = kept_digest(root, LOCK, cache)
    assert first == digest(load().root, LOCK)
    cache.keep_document(f"facts {stamp(root, LOCK)}", {"digest": "kept"})
    assert kept_digest(root, LOCK, cache) == "kept"
    change(root / "cuda.toml", "\n", "\n# a comment\n")
    assert kept_digest(root, LOCK, cache) == first
