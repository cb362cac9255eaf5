"""The database: where it is found, when it is read, what its version stands for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tfenv.errors import UsageError
from tfenv.facts.database import load

ROOT = Path(__file__).parents[2] / "constraints"


def test_beside_the_checkout() -> None:
    """An editable install finds the folder of the checkout."""
    assert load().root == ROOT / "facts"


def test_every_table_of_the_shipped_database_loads() -> None:
    """No row of any table is at fault."""
    database = load()
    assert database.cuda.all
    assert database.cudnn.all
    assert database.gpus.all
    assert database.images.pythons
    assert database.releases is database.releases
    assert database.patches is database.patches


def test_one_question_reads_one_table(tmp_path: Path) -> None:
    """A damaged table is no trouble for those who ask another one."""
    for path in (ROOT / "facts").glob("*.toml"):
        shutil.copy(path, tmp_path)
    (tmp_path / "cudnn.toml").write_text("damaged", encoding="utf-8")
    database = load(tmp_path)
    assert database.cuda.all
    with pytest.raises(UsageError, match=r"cudnn\.toml"):
        _ = database.cudnn


def test_opening_reads_nothing() -> None:
    """Opening the database imports none of the tables: `--help` must stay fast."""
    code = (
        "import sys; from tfenv.facts.database import load; load(); "
        "print(sorted(name for name in sys.modules if name.startswith('tfenv.facts.')))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "['tfenv.facts.database']"


def test_version_covers_names_and_bytes(tmp_path: Path) -> None:
    """Another byte, another name or another file is another version; other kinds of files are not facts."""
    (tmp_path / "tensorflow").mkdir()
    one, two = tmp_path / "a.toml", tmp_path / "tensorflow" / "2.17.toml"
    one.write_bytes(b"a = 1\n")
    two.write_bytes(b"b = 2\n")
    versions = [load(tmp_path).version]
    (tmp_path / "README.md").write_bytes(b"words")
    assert load(tmp_path).version == versions[0]
    two.write_bytes(b"b = 3\n")
    versions.append(load(tmp_path).version)
    two.rename(two.with_name("2.18.toml"))
    versions.append(load(tmp_path).version)
    one.unlink()
    versions.append(load(tmp_path).version)
    assert len(set(versions)) == 4
    assert all(len(version) == 12 for version in versions)


def test_version_does_not_mix_up_files(tmp_path: Path) -> None:
    """Bytes that move from one file to the next are another version."""
    digests = set()
    for first, second in ((b"x = 1\ny = 2\n", b""), (b"x = 1\n", b"y = 2\n")):
        (tmp_path / "a.toml").write_bytes(first)
        (tmp_path / "b.toml").write_bytes(second)
        digests.add(load(tmp_path).version)
    assert len(digests) == 2


def test_readme_names_every_table_and_column() -> None:
    """Whoever meets a column finds what it means."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`\[*([a-z_.-]+)\]*(?: = [^`]*)?`", readme))
    used = {
        name
        for path in ROOT.rglob("*.toml")
        for name in re.findall(r"^\[*([a-z_.-]+)(?:\]\]| = )", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert used
    assert used - told == set()


def test_no_database(tmp_path: Path) -> None:
    """An install without its facts says so, with the way out."""
    with pytest.raises(UsageError) as caught:
        load(tmp_path / "absent")
    assert caught.value.hint is not None
