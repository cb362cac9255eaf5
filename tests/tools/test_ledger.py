"""The ledger of trials: its file, its order, its summary."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.model.package import Name
from tools import ledger
from tools.ledger import Trial

if TYPE_CHECKING:
    from pathlib import Path

ALONE = Trial(tensorflow=Version("2.10.1"), python=Version("3.9"), date="2026-11-22", outcome="passed", packages=40)
PAIR = Trial(
    tensorflow=Version("2.11.1"),
    python=Version("3.10"),
    package=Name("tensorflow-text"),
    version=Version("2.11.0"),
    does="a sentence is split",
    date="2026-11-26",
    outcome="passed",
)


def test_file_and_back(tmp_path: Path) -> None:
    """What is written is read again, in the order of versions, whatever an error message holds."""
    failed = replace(
        ALONE, tensorflow=Version("2.9.3"), by="plain", outcome='L1: `import "tensorflow"`: C:\\x \u2026', packages=None
    )
    file = tmp_path / "trials.toml"
    file.write_text(ledger.dumps((PAIR, ALONE, failed)), encoding="utf-8")
    assert ledger.load(file) == (failed, ALONE, PAIR)
    assert ledger.load(tmp_path / "none.toml") == ()


def test_a_later_trial_replaces_an_earlier_one() -> None:
    """Of one cell and resolver, and of one companion beside one minor release."""
    newer = replace(PAIR, tensorflow=Version("2.11.2"), outcome="ImportError")
    by_plain = replace(ALONE, by="plain")
    text = ledger.dumps((ALONE, PAIR, newer, by_plain))
    assert text.count("[[trial]]") == 3
    assert 'tensorflow = "2.11.2"' in text
    assert 'tensorflow = "2.11.1"' not in text


def test_one_trial_beside_the_others(tmp_path: Path) -> None:
    """What another run wrote in the meantime stays."""
    file = tmp_path / "trials.toml"
    ledger.record(file, ALONE)
    ledger.record(file, PAIR)
    assert ledger.load(file) == (ALONE, PAIR)
    assert [path.name for path in tmp_path.iterdir()] == ["trials.toml"]


def test_the_file_is_canonical() -> None:
    """Nobody edited the rows by hand."""
    assert ledger.dumps(ledger.load()) == ledger.FILE.read_text(encoding="utf-8")


def test_the_readme_is_brought_up_to_date(tmp_path: Path) -> None:
    """Only the numbers change; companions do not count."""
    readme = tmp_path / "README.md"
    readme.write_text("Seen: `tfenv: 1 of 2 · plain: 0 of 1`.\n", encoding="utf-8")
    ledger.update_readme(readme, (ALONE, PAIR, replace(ALONE, by="plain", outcome="L1: no")))
    assert readme.read_text(encoding="utf-8") == "Seen: `tfenv: 1 of 1 · plain: 0 of 1`.\n"
