"""A package of a lock stays with its index: what is missing there for a moment is not taken from another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.index_server import FakeIndex
from tfenv.cli.app import run

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def private() -> Iterator[FakeIndex]:
    """The first index, which has an internal project."""
    with FakeIndex() as running:
        for name in ("tensorflow", "tensorflow-cpu"):
            running.add_wheel(name, "2.20.0", requires=["internal"], tags="cp311-cp311-manylinux_2_27_x86_64")
        running.add_wheel("internal", "1.0")
        yield running


@pytest.fixture
def public() -> Iterator[FakeIndex]:
    """The second index, where a stranger registered the name."""
    with FakeIndex() as running:
        running.add_wheel("internal", "99.0")
        yield running


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own folder and cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))


def lock(private: FakeIndex, public: FakeIndex, *options: str) -> int:
    """The exit code of `tfenv lock` with both indexes."""
    indexes = ["--index-url", private.url, "--extra-index-url", public.url]
    with pytest.raises(SystemExit) as ended:
        run(["lock", "--gpu", "none", "--python", "3.11", "-q", *indexes, *options])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("status", [404, 410])
def test_a_project_that_is_missing_for_a_moment_stays(
    status: int, private: FakeIndex, public: FakeIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 4 with both indexes, the lock as it was; the next run asks again and finds it."""
    assert lock(private, public) == 0
    before = Path("pylock.toml").read_text()
    assert "internal-1.0" in before
    private.fault("/simple/internal/", status=status, times=1)
    assert lock(private, public, "--upgrade") == 4
    error = capsys.readouterr().err
    assert f"`internal` came from {private.url}, and now comes from {public.url}" in error
    assert "--allow-index-change" in error
    assert Path("pylock.toml").read_text() == before
    assert lock(private, public, "--upgrade") == 0
    assert "internal-1.0" in Path("pylock.toml").read_text()


def test_a_change_of_index_can_be_allowed(private: FakeIndex, public: FakeIndex) -> None:
    """With the option, and where the old index is not asked any more."""
    assert lock(private, public) == 0
    private.fault("/simple/internal/", status=404, times=99)
    assert lock(private, public, "--upgrade", "--allow-index-change") == 0
    assert "internal-99.0" in Path("pylock.toml").read_text()


def test_another_first_index_is_a_decision(private: FakeIndex, public: FakeIndex) -> None:
    """Packages of an index that the request does not name any more come from the others."""
    assert lock(private, public) == 0
    for name in ("tensorflow", "tensorflow-cpu"):
        public.add_wheel(name, "2.20.0", requires=["internal"], tags="cp311-cp311-manylinux_2_27_x86_64")
    with pytest.raises(SystemExit) as ended:
        run(["lock", "--gpu", "none", "--python", "3.11", "-q", "--index-url", public.url, "--upgrade"])
    assert ended.value.code == 0


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_index_that_refuses_is_not_passed_over(status: int, private: FakeIndex, public: FakeIndex) -> None:
    """Exit code 4, and no lock."""
    private.fault("/simple/internal/", status=status, times=99)
    assert lock(private, public) == 4
    assert not Path("pylock.toml").exists()
