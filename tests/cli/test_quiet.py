"""What must not be shown: passwords in malformed URLs and options, and characters that a terminal obeys."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tfenv.cli import _console
from tfenv.cli.app import run
from tfenv.errors import UsageError
from tfenv.store.foreign import without_login

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "S3cr3t-PaSs"
URLS = (
    "htps://bob:{}@h/simple",
    "bob:{}@h/simple",
    "https:/bob:{}@h/simple",
    "https://bob:x@{}@h:99999/simple",
    "https://bob:x/{}@h:badport/simple",
    "https://bob:{}@/simple",
    "https://bob:{}@h:badport/",
    "https://bob:{}@[::1/simple",
    "//bob:{}@h/",
    "https://bob:a#{}@h:badport/",
    "https://bob:a?{}@h:badport/",
    "ftp://bob:{}@h/",
)
LINES = (
    "x @ https://bob:{}@h/x.whl",
    "-e git+https://bob:{}@h/x",
    "--find-links https://bob:a@{}@h/",
    "--bad-option bob:{}",
    "numpy --frob=https://bob:{}@h",
    "numpy --frob bob:{}",
    "-r https://bob:{}@h/r.txt",
    "-r https://bob:a/{}@h/r.txt",
    "--trusted-host bob:{}@h",
    "numpy = https://bob:{}@h",
)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """All output of a command that is refused."""
    with pytest.raises(SystemExit) as ended:
        run(list(arguments))
    assert ended.value.code in (2, 4)
    said = capsys.readouterr()
    return said.out + said.err


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own folder and cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("option", ["--index-url", "--extra-index-url"])
def test_a_malformed_url_hides_its_password(option: str, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, without any part of the password."""
    assert "S3cr3t" not in shown(capsys, "lock", "--offline", option, url.format(PASSWORD))


@pytest.mark.parametrize("line", LINES)
def test_a_requirements_file_hides_its_passwords(line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is wrong with the line."""
    (tmp_path / "r.txt").write_text(line.format(PASSWORD) + "\n")
    assert "S3cr3t" not in shown(capsys, "lock", "--offline", "-r", "r.txt")


@pytest.mark.parametrize("url", ["https://h/a", "h", "", "https://h/a:b"])
def test_a_url_without_a_login_stays(url: str) -> None:
    """Nothing is left out of it."""
    assert without_login(url) == url


@pytest.mark.parametrize("text", ["\x1b[2J", "\x1b]0;owned\x07", "\x1b[8mhidden", "\r", "\x9b2J", "\u202e", "\x00"])
def test_a_terminal_gets_no_foreign_sequence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in errors nor in notes; they are shown as escapes."""
    _console.configure()
    _console.complain(UsageError(f"a{text}b\nc", hint=text))
    _console.say(f"a{text}b")
    errors = capsys.readouterr().err
    assert text not in errors
    assert text.encode("unicode_escape").decode() in errors
    assert errors.count("\n") == 4


def test_our_colours_stay(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal, an error is red."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    _console.complain(UsageError("a\x1b[2J"))
    assert capsys.readouterr().err == "\x1b[1;31merror:\x1b[0m a\\x1b[2J\n"
