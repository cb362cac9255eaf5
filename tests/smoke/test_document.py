"""What is sent to a probe, and how its answer is found."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.locks import cpu_lock, cuda_lock
from tfenv.smoke import exchange, probe
from tfenv.smoke.run import contents

if TYPE_CHECKING:
    from pathlib import Path


def test_both_ends_agree() -> None:
    """The marks and the bootstrap are written twice, because the probe stands alone; they are the same."""
    assert (exchange.MARK, exchange.END, exchange.BOOTSTRAP) == (probe.MARK, probe.END, probe.BOOTSTRAP)
    assert exchange.source() == probe.SOURCE


def test_options_name_and_do_not_judge() -> None:
    """The probe is told names and the device, never the versions it should find."""
    told = json.loads(exchange.options(cuda_lock()))
    assert told["device"] == "gpu"
    assert "nvidia-cudnn-cu12" in told["distributions"]
    assert "9.10" not in json.dumps(told)
    told = json.loads(exchange.options(cpu_lock(), seconds=7))
    assert (told["device"], told["environment"], told["seconds"]) == ("cpu", ["TF_USE_LEGACY_KERAS"], 7)


def test_noise_around_the_answer() -> None:
    """What libraries print before, after, and even with a mark of its own does not hide the answer."""
    answer = f'{exchange.MARK}{{"format": 1}}{exchange.END}'
    assert exchange.read(f"noise {exchange.MARK} more\n{answer}\nbye") == {"format": 1}


@pytest.mark.parametrize("output", ["", "Traceback: no\nPython", f"{exchange.END} {exchange.MARK}"])
def test_no_answer(output: str) -> None:
    """Without a whole document there is an error that quotes what was said."""
    with pytest.raises(
        ValueError, match=r"gave no answer; its output ends with: (\(nothing\)|Traceback: no Python|@@)"
    ):
        exchange.read(output)


def test_lock_without_gpu_asks_for_the_cpu() -> None:
    """The device follows the target."""
    lock = cuda_lock()
    assert json.loads(exchange.options(replace(lock, target=cpu_lock().target)))["device"] == "cpu"


def wheel(path: Path, record: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a-1.dist-info/RECORD", record)
    return path


def test_contents_survive_an_installation(tmp_path: Path) -> None:
    """What installers add or move does not change the digest; another file does."""
    published = wheel(
        tmp_path / "a.whl",
        "a/__init__.py,sha256=x,1\na-1.data/purelib/b.py,sha256=y,1\na-1.data/scripts/run,sha256=z,1\n"
        "a-1.dist-info/METADATA,sha256=m,1\na-1.dist-info/RECORD,,\n",
    )
    installed = wheel(
        tmp_path / "installed.whl",
        "../../../bin/run,sha256=q,1\na-1.dist-info/INSTALLER,sha256=i,1\na-1.dist-info/METADATA,sha256=m,1\n"
        "a-1.dist-info/RECORD,,\na-1.dist-info/REQUESTED,sha256=r,0\na-1.dist-info/direct_url.json,sha256=d,1\n"
        "a/__init__.py,sha256=x,1\na/__pycache__/__init__.cpython-311.pyc,,\nb.py,sha256=y,1\n",
    )
    other = wheel(tmp_path / "other.whl", "a/__init__.py,sha256=other,1\n")
    assert contents(published) == contents(installed) is not None
    assert contents(other) != contents(published)


def test_contents_of_no_wheel(tmp_path: Path) -> None:
    """A file that is not there, is no archive, or has no RECORD gives no digest."""
    (tmp_path / "b.whl").write_bytes(b"no zip")
    with zipfile.ZipFile(tmp_path / "c.whl", "w") as archive:
        archive.writestr("c.py", "")
    assert [contents(tmp_path / name) for name in ("a.whl", "b.whl", "c.whl")] == [None] * 3
