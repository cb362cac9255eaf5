"""The database: where it is found, when it is read, what its version stands for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tfenv.errors import UsageError
from tfenv.facts.database import Database, load

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
    database = Database(tmp_path)
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
    assert printed.stdout.strip() == "['tfenv.facts.database', 'tfenv.facts.location']"


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
        Database(tmp_path / "absent")
    assert caught.value.hint is not None
