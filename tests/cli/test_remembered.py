"""A lock that is asked for again: nothing is worked out twice, and nothing old is taken for new."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tfenv.store.cache import Cache

if TYPE_CHECKING:
    from tests.support.commands import Ran, Tfenv
    from tests.support.index_server import FakeIndex

FILES = ("pylock.toml", "environment.yml", "Dockerfile")


def _again(tfenv: Tfenv, index: FakeIndex, *arguments: str) -> tuple[Ran, dict[str, bytes]]:
    """Lock as if for the first time."""
    for name in FILES:
        Path(name).unlink(missing_ok=True)
    ran = tfenv("lock", "--gpu", "v100", "--index-url", index.url, *arguments)
    return ran, {name: Path(name).read_bytes() for name in FILES if Path(name).exists()}


def _words(ran: Ran) -> str:
    """What was said, but for the seconds it took and why no registry answered."""
    lines = [line for line in ran.err.splitlines() if "note:" not in line]
    return "\n".join([lines[0].rpartition(" in ")[0], *lines[1:]])


@pytest.mark.parametrize("offline", [(), ("--offline",)])
def test_the_same_with_and_without_memory(tfenv: Tfenv, index: FakeIndex, offline: tuple[str, ...]) -> None:
    """The same files and the same words: worked out, remembered, and worked out from what is cached."""
    first, files = _again(tfenv, index)
    assert first.code == 0
    asked = len(index.requests)
    second, remembered = _again(tfenv, index, *offline)
    assert (remembered, _words(second)) == (files, _words(first))
    cache = Cache()
    documents = cache.directory / "v1" / "documents"
    for entry in documents.rglob("*"):
        if entry.is_file() and b'"made"' in entry.read_bytes():
            entry.unlink()
    third, worked_out = _again(tfenv, index, *offline)
    assert (worked_out, _words(third)) == (files, _words(first))
    assert len(index.requests) == asked
    shutil.rmtree(cache.directory)
    fourth, anew = _again(tfenv, index)
    assert (anew, _words(fourth)) == (files, _words(first))


def test_a_new_release_is_seen(tfenv: Tfenv, index: FakeIndex) -> None:
    """A page that may have changed is asked for again, all of them at once, and a change of one is found."""
    index.cache_control = "no-cache"
    _, before = _again(tfenv, index)
    asked = {seen.path for seen in index.pages_asked()}
    index.requests.clear()
    _, same = _again(tfenv, index)
    assert same == before
    again = [seen.path for seen in index.requests]
    assert len(again) == len(set(again))
    # that one is only expected: a lock of this release usually holds it, and nothing here asks for it
    assert set(again) == asked - {"/simple/typing-extensions/"}
    index.add_wheel("numpy", "2.2.0", requires_python=">=3.9")
    _, after = _again(tfenv, index)
    assert b'version = "2.2.0"' in after["pylock.toml"]
    assert before["pylock.toml"] != after["pylock.toml"]


def test_another_request_is_another_lock(tfenv: Tfenv, index: FakeIndex) -> None:
    """Whatever is asked differently is worked out, also where only the files differ."""
    _, plain = _again(tfenv, index)
    _, bounded = _again(tfenv, index, "--with", "numpy<2")
    assert b"1.26.4" in bounded["pylock.toml"]
    assert b"1.26.4" not in plain["pylock.toml"]
    ran, _ = _again(tfenv, index, "--requirements-txt")
    assert "requirements.txt" in ran.err
    assert Path("requirements.txt").exists()
    told, _ = _again(tfenv, index, "-v")
    assert "  numpy==2.1.0" in told.err
    again, _ = _again(tfenv, index, "-v")
    assert _words(again) == _words(told)


def test_several_targets_in_one_command(tfenv: Tfenv, index: FakeIndex) -> None:
    """Each target named gets its files; all are written, or none; `--json` tells of each."""
    Path("pyproject.toml").write_text(
        f'[tool.tfenv]\nindex-url = "{index.url}"\n'
        '[tool.tfenv.targets.old]\ntf = "2.19"\npython = "3.11"\n[tool.tfenv.targets.v100]\ngpu = ["v100"]\n'
        '[tool.tfenv.targets.never]\ntf = "2.20"\npython = "3.9"\n',
        encoding="utf-8",
    )
    assert tfenv("lock", "--target", "old", "--target", "never").code == 3
    assert not Path("pylock.old.toml").exists()
    ran = tfenv("lock", "--target", "old", "--target", "v100")
    assert ran.code == 0
    assert "old: tensorflow-cpu 2.19.1" in ran.err
    assert "v100: tensorflow 2.20.0" in ran.err
    assert Path("pylock.old.toml").exists()
    assert Path("pylock.v100.toml").exists()
    assert tfenv("lock", "--check", "--target", "old", "--target", "v100").code == 0
    ran = tfenv("lock", "--json", "--target", "old", "--target", "v100")
    assert '"targets"' in ran.out
    assert '"pylock.v100.toml"' in ran.out
