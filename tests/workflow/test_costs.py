"""What a lock costs, in counts that are the same on every machine: requests, bytes, pages, pins, modules."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.index_server import FakeIndex
from tfenv.facts.closures import Closures
from tfenv.facts.database import load
from tfenv.model.goal import Goal
from tfenv.model.package import Name, Requirement
from tfenv.model.target import Target
from tfenv.resolver.ahead import Ahead
from tfenv.store.cache import Cache
from tfenv.workflow.lock.solve import solve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tfenv.model.lock import Lock

LAYERS, WIDTH, RELEASES = 4, 5, 30
PROJECTS = LAYERS * WIDTH + 2
"""those of the graph below, `tensorflow` and `tensorflow-cpu`"""


class Count:
    """A `Progress` that counts."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()

    def start(self, task: str, total: int | None = None) -> None:
        """Nothing is done yet."""

    def advance(self, task: str, amount: int = 1) -> None:
        """So much is."""
        self.done[task] += amount

    def finish(self, task: str) -> None:
        """All is."""


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    """TensorFlow on layers of projects, each of which wants all of the next layer, and as many again for an extra."""
    with FakeIndex() as fake:
        first = [f"p0x{column}" for column in range(WIDTH)]
        tags = "cp312-cp312-manylinux_2_27_x86_64"
        for name in ("tensorflow", "tensorflow-cpu"):
            fake.add_wheel(name, "2.20.0", requires=first, tags=tags)
        for layer in range(LAYERS):
            below = [f"p{layer + 1}x{column}>=1.5" for column in range(WIDTH)] if layer + 1 < LAYERS else []
            for column in range(WIDTH):
                for release in range(RELEASES):
                    requires = [*below, *(f"never{n}; extra == 'docs'" for n in range(WIDTH))]
                    fake.add_wheel(f"p{layer}x{column}", f"1.{release}", requires=requires, extras=["docs"])
        yield fake


def _locked(index: FakeIndex, cache: Path, progress: Count | None = None, *, offline: bool = False) -> Lock:
    request = Goal(
        tensorflow=SpecifierSet("==2.20.0"),
        target=Target(python=Version("3.12"), glibc=Version("2.36")),
        requirements=(Requirement(name=Name("p0x0")),),
        indexes=(index.url,),
    )
    return solve(request, cache=Cache(cache), offline=offline, progress=progress)


def test_requests_bytes_pages_and_rounds(index: FakeIndex, tmp_path: Path) -> None:
    """Cold: each page once, the metadata of what is pinned and no other file; a pin a project, none taken back."""
    counted = Count()
    locked = _locked(index, tmp_path, counted)
    assert len(locked.packages) == PROJECTS - 1
    pages, files = index.pages_asked(), index.asked("/files/")
    assert len(pages) == len({seen.path for seen in pages}) == PROJECTS
    expected = set(load().closures.of(SpecifierSet("==2.20.0"), cuda=False))
    others = {seen.path for seen in index.asked("/simple/")} - {seen.path for seen in pages}
    assert others <= {f"/simple/{name}/" for name in expected}  # the end comes before some of them are asked
    assert len(files) == len({seen.path for seen in files}) <= PROJECTS
    assert all(seen.path.endswith(".metadata") for seen in files)
    assert counted.done["index pages"] == PROJECTS + len(expected)  # those that are given up count too
    assert counted.done["resolving"] == PROJECTS
    whole_pages = sum(
        len(body) for _, body in filter(None, map(index.page, {file.project for file in index.files.values()}))
    )
    assert sum(seen.sent for seen in index.requests) < whole_pages + PROJECTS * 1_000


def test_nothing_is_asked_for_twice(index: FakeIndex, tmp_path: Path) -> None:
    """Warm, and offline: no request at all, and the same lock."""
    before = _locked(index, tmp_path)
    index.requests.clear()
    assert _locked(index, tmp_path) == before
    assert _locked(index, tmp_path, offline=True) == before
    assert index.requests == []


@pytest.mark.ci
def test_the_same_without_looking_ahead(index: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for ahead of need changes nothing but time, also where the search has to turn back."""
    for minor in range(5, RELEASES):  # the newest of one project that go with nothing: they want what another forbids
        index.add_wheel("p1x1", f"2.{minor}", requires=["p2x0<1.5"])
        index.add_wheel("p3x3", f"2.{minor}", requires=[f"p3x4=={minor}.0"])
    ahead = _locked(index, tmp_path / "ahead")
    for name in ("follow", "take", "begin"):
        monkeypatch.setattr(Ahead, name, lambda *_, **__: None)
    monkeypatch.setattr(Closures, "of", lambda *_, **__: ())
    assert _locked(index, tmp_path / "behind") == ahead
    assert {str(package.version) for package in ahead.packages if package.name in ("p1x1", "p3x3")} == {"1.29"}


@pytest.mark.parametrize(
    ("arguments", "bound"),
    [(("--check",), 86), (("--offline",), 86)],
    ids=["lock --check", "lock --offline, locked before"],
)
def test_modules_imported(index: FakeIndex, tmp_path: Path, arguments: tuple[str, ...], bound: int) -> None:
    """What needs neither the network nor a search imports neither."""
    command = ["lock", "--tf", "2.20.0", "--python", "3.12", "--index-url", index.url]
    environment = {**os.environ, "TFENV_CACHE_DIR": str(tmp_path / "cache"), "HTTPS_PROXY": "http://127.0.0.1:9"}

    def imported(*more: str) -> set[str]:
        code = (
            f"import sys; sys.argv = {['tfenv', *command, *more]!r}\n"
            "try:\n from tfenv.cli import main; main()\n"
            "except SystemExit as end: print(*sys.modules); sys.exit(end.code)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
        )
        return set(done.stdout.split())

    imported()
    if "--offline" in arguments:
        (tmp_path / "pylock.toml").unlink()
    found = imported(*arguments)
    heavy = {"httpx", "asyncio", "ssl", "jinja2", "tomlkit", "pydantic", "rich", "docker", "email"}
    assert not found & heavy
    typer = subprocess.run(
        [sys.executable, "-c", "import typer, sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert len(found - set(typer.stdout.split())) <= bound
