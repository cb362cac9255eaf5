"""The table of releases against an index on this machine."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.support.index_server import FakeIndex
from tfenv.errors import IndexUnavailable, UsageError
from tfenv.facts.releases import ReleaseTable, loads
from tfenv.harvest.update import FileChange, TableReport, Update
from tfenv.harvest.update_releases import BYTES_A_WHEEL, reader, refresh
from tfenv.model.package import Name
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

CONSTRAINTS = Path(__file__).parents[2] / "constraints" / "facts" / "tensorflow"
TENSORFLOW = Name("tensorflow")
INFO = b"""build_info = {"is_cuda_build": True, "cuda_version": "12.5.1", "cudnn_version": "9",
    "cuda_compute_capabilities": ["sm_60", "compute_90"], "is_tensorrt_build": False}
"""
MEMBERS = {
    "tensorflow/python/platform/build_info.py": INFO,
    "tensorflow/weight.bin": random.Random(7).randbytes(400_000),
}


@pytest.fixture(name="index")
def _index() -> Iterator[FakeIndex]:
    with FakeIndex() as index:
        for version in ("1.3.0", "9.1.0", "9.1.1", "9.2.0"):
            publish(index, version)
        publish(index, "9.1.0", tags="cp39-cp39-win_amd64")
        index.add_sdist("tensorflow", "9.4.0")
        yield index


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Path:
    directory = tmp_path / "facts" / "tensorflow"
    directory.mkdir(parents=True)
    (directory / "silent.toml").write_text("silent = []\n", encoding="utf-8")
    return directory


def publish(
    index: FakeIndex, version: str, *, tags: str = "cp39-cp39-manylinux2014_x86_64", yanked: bool = False
) -> None:
    """A small wheel with a build info and something large that is never wanted."""
    requires = ["numpy>=1.26", "nvidia-cudnn-cu12>=9.3; extra == 'and-cuda'"]
    index.add_wheel(
        "tensorflow", version, tags=tags, requires=requires, requires_python=">=3.9", members=MEMBERS, yanked=yanked
    )


def run(
    index: FakeIndex, directory: Path, *, write: bool = True, reread: bool = False
) -> tuple[TableReport, list[FileChange]]:
    """One update; its report, and its changes."""
    report = TableReport(table="releases")
    root = directory.parent.parent
    refresh(Update(root=root, report=report, only=("tensorflow",), index=index.url, write=write, reread=reread))
    return report, list(report.changes.values())


def stems(directory: Path) -> list[str]:
    """The minor releases there are files for."""
    return list(ReleaseTable(directory).minors)


def test_without_write_nothing_is_written(index: FakeIndex, directory: Path) -> None:
    """The difference is told, newest minor release first, and the folder stays as it was."""
    tally, changes = run(index, directory, write=False)
    assert [change.name for change in changes] == ["facts/tensorflow/9.2.toml", "facts/tensorflow/9.1.toml"]
    assert changes[0].diff.startswith(
        "--- a/constraints/facts/tensorflow/9.2.toml\n+++ b/constraints/facts/tensorflow/9.2.toml\n"
    )
    assert '+version = "9.2.0"\n' in changes[0].diff
    assert stems(directory) == []
    assert (tally.checked, tally.kept, tally.read) == (3, 0, 3)


def test_rows_are_what_the_wheels_say(index: FakeIndex, directory: Path) -> None:
    """Wheels and builds arrive in the rows; of each platform; 1.3 and mere sources are left out."""
    run(index, directory)
    row = ReleaseTable(directory).release(TENSORFLOW, Version("9.1.0"))
    assert row is not None
    build = row.build(Platform.LINUX_X86_64)
    assert build is not None
    assert (str(build.cuda), str(build.cudnn_floor)) == ("12.5.1", "9.3")
    assert {wheel.filename: (wheel.sha256, wheel.size) for wheel in row.wheels} == {
        name: (file.sha256, len(file.content)) for name, file in index.files.items() if "-9.1.0-" in name
    }
    assert row.sources == (f"{index.url}tensorflow/",)
    assert stems(directory) == ["9.1", "9.2"]
    assert sorted(path.name for path in directory.iterdir()) == ["9.1.toml", "9.2.toml", "silent.toml"]


def test_only_a_little_of_a_wheel_is_read(index: FakeIndex, directory: Path) -> None:
    """The large member stays where it is."""
    tally, _ = run(index, directory)
    assert 0 < tally.largest < 200_000
    assert tally.bytes < 400_000  # less than one of the four wheels


def test_a_second_run_changes_nothing(index: FakeIndex, directory: Path) -> None:
    """All rows are kept, no wheel is read, no byte changes."""
    run(index, directory)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    tally, changes = run(index, directory)
    assert changes == []
    assert (tally.kept, tally.read) == (3, 0)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_rows_that_are_wrong_are_found(index: FakeIndex, directory: Path) -> None:
    """All wheels can be read again: then a row that was changed by hand differs, and right ones do not."""
    run(index, directory)
    tally, changes = run(index, directory, write=False, reread=True)
    assert (tally.read, changes) == (3, [])
    path = directory / "9.2.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('cuda = "12.5.1"', 'cuda = "12.4.1"'), encoding="utf-8")
    assert run(index, directory, write=False)[1] == []
    tally, changes = run(index, directory, write=False, reread=True)
    assert (tally.kept, tally.read) == (0, 3)
    assert '-cuda = "12.4.1"\n+cuda = "12.5.1"\n' in changes[0].diff


def test_libraries_are_read_again_too(index: FakeIndex, directory: Path) -> None:
    """A glibc that no library of the wheel requires differs, once all wheels are read again."""
    for python in ("cp38", "cp39"):
        publish(index, "9.3.0", tags=f"{python}-{python}-manylinux1_x86_64")
    run(index, directory)
    path = directory / "9.3.toml"
    text = path.read_text(encoding="utf-8")
    # of the wheel that describes the build, the code for GPUs is still to be read
    described = re.search(r'source = "(\S+)', text)
    (other,) = (name for name in re.findall(r"tensorflow-9\S+\.whl", text) if described and name != described[1])
    path.write_text(re.sub(rf'({re.escape(other)} \d+ \w+)"', r'\1 GLIBC_2.99 GLIBCXX_3.4.99"', text), encoding="utf-8")
    assert "GLIBC_2.99" in path.read_text(encoding="utf-8")
    assert run(index, directory, write=False)[1] == []
    _, changes = run(index, directory, write=False, reread=True)
    assert "GLIBC_2.99" in changes[0].diff


def test_an_interrupted_run_goes_on(index: FakeIndex, directory: Path) -> None:
    """What was finished before a failure is on disk, whole, and is not read again."""
    index.fault("tensorflow-9.1.1", status=403, times=1)
    with pytest.raises(IndexUnavailable, match=r"9\.1\.1"):
        run(index, directory)
    assert stems(directory) == ["9.2"]
    tally, changes = run(index, directory)
    assert [change.name for change in changes] == ["facts/tensorflow/9.1.toml"]
    assert (tally.kept, tally.read) == (1, 2)


def test_yanking_is_seen_without_reading(index: FakeIndex, directory: Path) -> None:
    """A yanked file changes its row, though the wheel is known."""
    run(index, directory)
    index.files["tensorflow-9.2.0-cp39-cp39-manylinux2014_x86_64.whl"].yanked = "broken"
    tally, (change,) = run(index, directory)
    assert tally.read == 0
    assert '+yanked = "broken"\n' in change.diff


def test_a_new_wheel_of_an_old_release(index: FakeIndex, directory: Path) -> None:
    """A wheel that was added later is read; so is one whose hash is another."""
    run(index, directory)
    publish(index, "9.2.0", tags="cp310-cp310-manylinux2014_x86_64")
    tally, (change,) = run(index, directory)
    assert (change.name, tally.read) == ("facts/tensorflow/9.2.toml", 1)


def test_candidates(index: FakeIndex, directory: Path) -> None:
    """The newest candidate is taken while nothing is newer, and leaves when it is superseded."""
    publish(index, "9.3.0rc0")
    publish(index, "9.3.0rc1")
    run(index, directory)
    assert ReleaseTable(directory).versions(TENSORFLOW)[0] == Version("9.3.0rc1")
    publish(index, "9.3.0")
    run(index, directory)
    assert [str(version) for version in ReleaseTable(directory).versions(TENSORFLOW)][:2] == ["9.3.0", "9.2.0"]


def test_other_names_stay(index: FakeIndex, directory: Path) -> None:
    """Rows of distributions that were not asked for are left as they are."""
    run(index, directory)
    path = directory / "9.2.toml"
    other = path.read_text(encoding="utf-8").replace('name = "tensorflow"', 'name = "tensorflow-cpu"')
    both = path.read_text(encoding="utf-8") + other.partition("\n\n")[2].join(("\n", ""))
    path.write_text(both, encoding="utf-8")
    _, changes = run(index, directory)
    assert changes == []
    assert {row.name for row in loads(path.read_text(encoding="utf-8"))} == {"tensorflow", "tensorflow-cpu"}


def test_silent_rows_apply_to_kept_rows(index: FakeIndex, directory: Path) -> None:
    """A new row of silent.toml reaches releases that are known already, without reading them."""
    index.add_wheel(
        "tensorflow",
        "9.0.0",
        tags="cp39-cp39-manylinux2014_x86_64",
        members={"tensorflow/python/platform/build_info.py": b"is_cuda_build = True\n"},
    )
    run(index, directory)
    (directory / "silent.toml").write_text(
        '[[silent]]\nversions = "==9.0.0"\nplatform = "linux-x86_64"\ncuda = "12.0"\nevidence = ["https://page.test/"]\n'
        'tier = "declared"\n',
        encoding="utf-8",
    )
    tally, (change,) = run(index, directory)
    assert (change.name, tally.read) == ("facts/tensorflow/9.0.toml", 0)
    assert '+cuda = "12.0"\n' in change.diff


def test_wheels_without_a_build_are_told(index: FakeIndex, directory: Path) -> None:
    """A wheel that says nothing of its build is named."""
    index.add_wheel("tensorflow", "9.5.0", tags="cp39-cp39-manylinux2014_x86_64")
    tally, _ = run(index, directory)
    assert tally.notes == ["tensorflow-9.5.0-cp39-cp39-manylinux2014_x86_64.whl says nothing of its build"]


def test_no_such_project(directory: Path) -> None:
    """An index without the project is an error that names the URL."""
    with FakeIndex() as empty, pytest.raises(UsageError, match="has no project `tensorflow`"):
        run(empty, directory)


def test_an_index_of_nothing(index: FakeIndex, directory: Path) -> None:
    """An index that suddenly lists no release does not empty the database."""
    run(index, directory)
    with FakeIndex() as other:
        publish(other, "1.0.0")
        with pytest.raises(IndexUnavailable, match="lists no release of `tensorflow`"):
            run(other, directory)
    assert stems(directory) == ["9.1", "9.2"]


def test_not_an_index(index: FakeIndex, directory: Path) -> None:
    """A page that is none ends the run before anything is written."""
    index.fault("simple/tensorflow", body=b"{}", times=1)
    with pytest.raises(IndexUnavailable, match="not a page of a package index"):
        run(index, directory)
    assert stems(directory) == []


def test_no_ranges(directory: Path) -> None:
    """A server that does not serve byte ranges is told; no wheel is fetched whole."""
    with FakeIndex(ranges=False) as index:
        publish(index, "9.1.0")
        with pytest.raises(IndexUnavailable, match="byte ranges"):
            run(index, directory)


@pytest.mark.index
def test_rows_agree_with_the_published_wheels() -> None:
    """2.17.1 and three releases drawn at random, read off PyPI again, are what the rows say (`--reread` does all)."""
    import asyncio

    from tfenv.facts import silent
    from tfenv.harvest.libraries import with_known
    from tfenv.harvest.releases import again, harvest_release
    from tfenv.index.client import Client
    from tfenv.index.pages import ACCEPT, parse, releases
    from tfenv.model.goal import PYPI

    table = ReleaseTable(CONSTRAINTS)
    others = [version for version in table.versions(TENSORFLOW) if str(version) != "2.17.1"]
    drawn = [Version("2.17.1"), *random.SystemRandom().sample(others, 3)]
    tally = TableReport(table="releases")

    async def read_again() -> None:
        async with Client() as client:
            url = f"{PYPI}tensorflow/"
            page = await client.get(url, {"Accept": ACCEPT})
            listed = parse(page.content, page.headers["Content-Type"], url=url, name=TENSORFLOW, index=PYPI)
            rows = silent.load(CONSTRAINTS / "silent.toml")
            for release in releases(TENSORFLOW, listed):
                if release.version in drawn:
                    read = reader(client, tally)
                    fresh = await harvest_release(TENSORFLOW, release.version, release.files, read, silent=rows)
                    known = table.release(TENSORFLOW, release.version)
                    whole = with_known(fresh, known)  # libraries are read in a second step
                    assert replace(whole, builds=again(whole, rows)) == known

    asyncio.run(read_again())
    assert 0 < tally.largest <= BYTES_A_WHEEL
