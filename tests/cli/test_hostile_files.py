"""Locks, requirements and projects of a stranger: exit 2 with the place, within seconds, and nothing is written."""

from __future__ import annotations

import json
import re
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.locks import cpu_lock
from tfenv.errors import UsageError
from tfenv.outputs import pylock
from tfenv.store import files

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.commands import Tfenv
    from tests.support.index_server import FakeIndex

_WHEEL = re.compile(r'name = "([^"]+)\.whl"')
TRAVERSED: dict[str, Callable[[str], str]] = {
    "name of a wheel": lambda text: _WHEEL.sub(r'name = "\1/../../../../outside/pwned.whl"', text, count=1),
    "absolute name of a wheel": lambda text: _WHEEL.sub('name = "/tmp/outside-1-py3-none-any.whl"', text, count=1),
    "name of a package": lambda text: re.sub(r'name = "[^"]+"', 'name = "../../outside"', text, count=1),
    "hash": lambda text: re.sub(r'sha256 = "[^"]+"', 'sha256 = "../../../../outside/pwned"', text, count=1),
    "short hash": lambda text: re.sub(r'sha256 = "[^"]+"', 'sha256 = "abc"', text, count=1),
}


@pytest.mark.parametrize("change", TRAVERSED.values(), ids=TRAVERSED)
@pytest.mark.parametrize("command", [("sync",), ("sync", "--dry-run"), ("build", "--format", "oci", "-o", "img")])
def test_a_lock_does_not_choose_paths(
    change: Callable[[str], str], command: tuple[str, ...], tfenv: Tfenv, tmp_path: Path
) -> None:
    """Names and hashes that lead elsewhere are faults of the lock, and nothing appears outside."""
    text = pylock.dumps(cpu_lock())
    changed = change(text)
    assert changed != text
    Path("pylock.toml").write_text(changed, encoding="utf-8")
    ended = tfenv(*command)
    assert ended.code in (2, 9)
    assert "packages[" in ended.err or "sha256" in ended.err
    assert [path.name for path in tmp_path.rglob("*") if "outside" in path.name or "pwned" in path.name] == []


MALFORMED = {
    "a package that is a number": "lock-version='1.0'\npackages=[1]\n",
    "packages that are a text": "lock-version='1.0'\npackages='x'\n",
    "a tool that is a text": "lock-version='1.0'\ntool='x'\n",
    "a version that is none": "lock-version='1.0'\n[[packages]]\nname='a'\nversion='!!'\n",
    "a name that is a number": "lock-version='1.0'\n[[packages]]\nname=5\nversion=[]\n",
    "a version of 5000 digits": f"lock-version='1.0'\n[[packages]]\nname='a'\nversion='{'1' * 5000}'\n",
    "deep arrays": "lock-version='1.0'\na=" + "[" * 100_000,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_lock_is_refused(text: str, tfenv: Tfenv) -> None:
    """`check` names the file and what is wrong."""
    Path("pylock.toml").write_text(text, encoding="utf-8")
    ended = tfenv("check", "pylock.toml")
    assert (ended.code, ended.out) == (2, "")
    assert "`pylock.toml`" in ended.err
    assert len(ended.err) < 1000


@pytest.mark.parametrize("gap", [" " * 200_000, " -" * 2000, " \t" * 100_000])
def test_requirements_are_read_in_linear_time(gap: str, tfenv: Tfenv) -> None:
    """Hundreds of thousands of spaces take less than two seconds."""
    Path("requirements.txt").write_text(f"a {gap}#x\nb{gap}c\n", encoding="utf-8")
    began = time.process_time()
    assert tfenv("check", "requirements.txt").code in (0, 2)
    assert time.process_time() - began < 2


def test_groups_that_are_nested_too_deeply(tfenv: Tfenv) -> None:
    """Three thousand groups that include each other are a fault of the project."""
    groups = "".join(f"g{count} = [{{include-group = 'g{count + 1}'}}]\n" for count in range(3000))
    Path("pyproject.toml").write_text(
        f"[project]\nname = 'x'\n[dependency-groups]\n{groups}g3000 = []\n[tool.tfenv]\ngroups = ['g0']\n",
        encoding="utf-8",
    )
    ended = tfenv("lock", "--offline")
    assert ended.code == 2
    assert "g0" in ended.err


def test_a_remembered_answer_does_not_choose_files(tfenv: Tfenv, index: FakeIndex, tmp_path: Path) -> None:
    """An entry of the cache that was changed is not used, whether or not its checksum is of an older form."""
    lock = ("lock", "--gpu", "none", "--python", "3.12", "--index-url", index.url)
    assert tfenv(*lock).code == 0
    sound = Path("Dockerfile").read_text(encoding="utf-8")
    poisoned = 0
    for path in (tmp_path / "cache" / "v1" / "documents").iterdir():
        document = json.loads(path.read_bytes().split(b"\n")[1])
        if "made" in document:
            document["made"]["texts"]["../../escaped"] = "attacker\n"
            document["made"]["texts"]["Dockerfile"] += "RUN evil\n"
            rest = json.dumps(document).encode() + b"\n"
            path.write_bytes(b"%08x\n" % zlib.crc32(rest) + rest)
            poisoned += 1
    assert poisoned > 0
    Path("Dockerfile").unlink()
    assert tfenv(*lock).code == 0
    assert Path("Dockerfile").read_text(encoding="utf-8") == sound
    assert not list(tmp_path.rglob("*escaped*"))


def test_a_set_is_whole(tfenv: Tfenv, index: FakeIndex) -> None:
    """If `Dockerfile` is a folder, no file is written, and nothing temporary is left."""
    Path("Dockerfile").mkdir()
    ended = tfenv("lock", "--gpu", "none", "--python", "3.12", "--index-url", index.url, "--force")
    assert ended.code == 10
    assert "`Dockerfile` cannot be written" in ended.err
    assert [path.name for path in Path().iterdir()] == ["Dockerfile"]


def test_the_cache_is_for_its_owner_alone(tmp_path: Path, tfenv: Tfenv, index: FakeIndex) -> None:
    """Also under a umask that would let others write."""
    import os
    import stat

    mask = os.umask(0)
    try:
        assert tfenv("lock", "--gpu", "none", "--python", "3.12", "--index-url", index.url).code == 0
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_a_lock_is_read_as_text_of_bounded_size(tmp_path: Path) -> None:
    """What is larger than any lock is refused before it is parsed."""
    with (tmp_path / "pylock.toml").open("wb") as out:
        out.truncate(65 * 2**20)
    with pytest.raises(UsageError, match="larger than 64 MiB"):
        files.read(tmp_path / "pylock.toml")
