"""The probe, run by real interpreters in environments whose `tensorflow` misbehaves."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.pythons import python_of
from tfenv.smoke import exchange

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.smoke.exchange import Document

LINUX_ONLY = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals as Linux knows them")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment of this Python, empty."""
    folder = tmp_path_factory.mktemp("probe") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder


@pytest.fixture
def site(environment: Path) -> Path:
    """Where its packages lie; emptied for each test."""
    import shutil

    folder = next(environment.glob("lib/python*/site-packages"))
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    return folder


def run(python: Path, **options: Any) -> Document:
    ran = subprocess.run(
        [str(python), "-I", "-c", exchange.BOOTSTRAP, json.dumps(options)],
        input=exchange.source(),
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    return exchange.read(ran.stdout)


def fake(site: Path, source: str) -> None:
    (site / "tensorflow").mkdir()
    (site / "tensorflow" / "__init__.py").write_text(source, encoding="utf-8")


def install(site: Path, name: str, version: str, files: dict[str, str]) -> Path:
    """A distribution as an installer leaves it; returns its `.dist-info`."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    files = {f"{info.name}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: 9", **files}
    rows = [f"{info.name}/RECORD,,"]
    for path, text in files.items():
        (site / path).parent.mkdir(exist_ok=True)
        (site / path).write_text(text, encoding="utf-8")
        digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text)}")
    (info / "RECORD").write_text("\n".join(rows), encoding="utf-8")
    return info


def test_no_tensorflow(environment: Path, site: Path) -> None:
    """Without TensorFlow the probe says so, and tries nothing more."""
    found = run(environment / "bin" / "python")
    assert found["import"]["steps"]["load"]["reason"] == "ModuleNotFoundError: No module named 'tensorflow'"
    assert not {"libraries", "compute", "train"} & set(found)
    assert found["installed"]["distributions"] == []


@pytest.mark.parametrize(
    ("source", "outcome", "reason"),
    [
        pytest.param("import os; os.abort()", "crashed", "killed by SIGABRT", marks=LINUX_ONLY),
        pytest.param("import os; os.kill(os.getpid(), 4)", "crashed", "killed by SIGILL", marks=LINUX_ONLY),
        ("import os; os._exit(3)", "crashed", "ended with exit code 3"),
        ("import time; time.sleep(60)", "hung", "no answer in 1 s"),
        ("raise SystemExit(0)", "error", "SystemExit: 0"),
        ("raise TypeError('two\\n  lines')", "error", "TypeError: two lines"),
        ("raise ValueError", "error", "ValueError"),
    ],
)
def test_imports_that_go_wrong(environment: Path, site: Path, source: str, outcome: str, reason: str) -> None:
    """A crash, an exit, a hang and an error of the import are findings, each with its reason."""
    fake(site, source)
    load = run(environment / "bin" / "python", levels=[1, 2], seconds=1)["import"]["steps"]["load"]
    assert (load["outcome"], load["reason"]) == (outcome, reason)


def test_a_folder_left_behind_is_no_tensorflow(environment: Path, site: Path) -> None:
    """An empty namespace package, as an uninstall may leave it, is not taken for TensorFlow."""
    (site / "tensorflow" / "python").mkdir(parents=True)
    load = run(environment / "bin" / "python", levels=[1])["import"]["steps"]["load"]
    assert load["reason"].startswith("ImportError: `tensorflow` is an empty namespace package")


def test_noise_does_not_hide_the_answer(environment: Path, site: Path) -> None:
    """What TensorFlow prints while it is imported is kept as log and does not mix with the answer."""
    fake(site, f"print({exchange.MARK!r}); import sys; print('warned', file=sys.stderr); raise ImportError('no')")
    found = run(environment / "bin" / "python", levels=[1])
    assert found["import"]["steps"]["load"]["reason"] == "ImportError: no"
    assert exchange.MARK in found["import"]["log"]
    assert "warned" in found["import"]["log"]


def test_a_crashing_step_does_not_end_the_climb(environment: Path, site: Path) -> None:
    """A step that kills its process is told; those after it are tried in another."""
    fake(
        site,
        "import os\n__version__ = '2.3.0'\n"
        "class compat: v1 = None\n"
        "class keras: __version__ = '2.4.0'\n"
        "class config: list_physical_devices = staticmethod(lambda kind: [])\n"
        "class test: is_built_with_cuda = staticmethod(lambda: os.abort())\n",
    )
    (site / "numpy.py").write_text("__version__ = '1.26.4'", encoding="utf-8")
    steps = run(environment / "bin" / "python", levels=[1, 2])["import"]["steps"]
    assert {name: step["outcome"] for name, step in steps.items()} == {
        "load": "done",
        "prepare": "done",
        "import": "done",
        "build": "crashed",
        "devices": "done",
    }
    assert (steps["import"]["version"], steps["import"]["keras"]) == ("2.3.0", "2.4.0")


def test_hashes_of_what_is_installed(environment: Path, site: Path) -> None:
    """Changed and missing files are found, byte code is not looked at, and a shared file may be as any owner says."""
    install(site, "good", "1.0", {"good.py": "x = 1", "shared.py": "first"})
    install(site, "other", "1.0", {"shared.py": "second"})
    install(site, "bad", "2.0", {"bad.py": "x = 1", "gone.py": "y = 2"})
    (site / "bad.py").write_text("x = 2", encoding="utf-8")
    (site / "gone.py").unlink()
    found = run(environment / "bin" / "python", levels=[0])["installed"]
    by_name = {entry["name"]: entry for entry in found["distributions"]}
    assert (by_name["good"]["files"], by_name["good"]["changed"], by_name["good"]["missing"]) == (3, [], [])
    assert by_name["bad"]["version"] == "2.0"
    assert (by_name["bad"]["changed"], by_name["bad"]["missing"]) == (["bad.py"], ["gone.py"])
    assert found["duplicates"] == []


def test_duplicates_and_eggs(environment: Path, site: Path) -> None:
    """Two of a kind are told, whatever their spelling; an egg has no RECORD to check; only the named are verified."""
    install(site, "Typing_Extensions", "4.0", {})
    install(site, "typing.extensions", "3.0", {})
    (site / "old.egg-info").write_text("Metadata-Version: 1.0\nName: old\nVersion: 0.1\n", encoding="utf-8")
    (site / "broken.dist-info").mkdir()
    found = run(environment / "bin" / "python", levels=[0], distributions=["old"], environment=["TFENV_NOT_SET"])
    assert found["installed"]["duplicates"] == ["typing-extensions"]
    assert found["installed"]["environment"] == {"TFENV_NOT_SET": None}
    old = next(entry for entry in found["installed"]["distributions"] if entry["name"] == "old")
    assert (old["kind"], old["record"]) == ("egg-info", False)
    assert all("files" not in entry for entry in found["installed"]["distributions"] if entry["name"] != "old")


@pytest.mark.interpreters
@pytest.mark.parametrize("minor", ["3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_every_python_tensorflow_ever_had(minor: str) -> None:
    """The probe is understood by Python 3.6 and all after it that a stable release has wheels for."""
    found = run(python_of(minor), levels=[0, 1], distributions=[])
    assert found["python"].startswith(f"{minor}.")
    assert found["import"]["steps"]["load"]["outcome"] in ("error", "done")
