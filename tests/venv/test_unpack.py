"""Wheels unpacked into the environments of other Pythons."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.pythons import python_of
from tfenv.errors import TfenvError
from tfenv.venv.install import unpack


def made(folder: Path, filename: str, members: dict[str, str]) -> Path:
    """A wheel of these files, with what every wheel has."""
    name, version = filename.split("-")[:2]
    info = f"{name}-{version}.dist-info"
    members = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*members, f"{info}/RECORD"])
    path = folder / filename
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**members, f"{info}/RECORD": record}.items():
            archive.writestr(member, text)
    return path


def environment(folder: Path, python: Path) -> Path:
    """An empty one; its interpreter."""
    subprocess.run([str(python), "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


def check(folder: Path, python: Path) -> None:
    inside = environment(folder / "venv", python)
    one = made(
        folder,
        "one-1.0-py3-none-any.whl",
        {
            "shared/__init__.py": "",
            "one.py": "def main():\n    print('one')\n",
            "one-1.0.dist-info/entry_points.txt": "[console_scripts]\nsay-one = one:main\n",
            # a module where packages for any platform go, in a wheel for one
            "one-1.0.data/purelib/pure.py": "",
            "one-1.0.data/scripts/say-two": "#!python\nprint('two')\n",
        },
    )
    other = made(folder, "other-1.0-py3-none-any.whl", {"shared/__init__.py": "", "shared/other.py": "x = 3\n"})
    unpack([one, other], inside)
    said = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        for command in (
            [str(inside.with_name("say-one"))],
            [str(inside.with_name("say-two"))],
            [str(inside), "-c", "import shared.other; print(shared.other.x)"],
        )
    ]
    assert said == ["one", "two", "3"]
    (record,) = folder.glob("venv/lib/*/site-packages/one-1.0.dist-info/RECORD")
    paths = {line.split(",")[0] for line in record.read_text(encoding="utf-8").splitlines()}
    assert {"one.py", "pure.py", "../../../bin/say-one", "one-1.0.dist-info/INSTALLER"} <= paths


def test_this_python(tmp_path: Path) -> None:
    """Modules are found, scripts run with the interpreter of the environment, and shared files are no clash."""
    check(tmp_path, Path(sys.executable))


@pytest.mark.interpreters
@pytest.mark.parametrize("minor", ["3.6", "3.7"])
def test_an_old_python(tmp_path: Path, minor: str) -> None:
    """The same with Pythons that no installer of today serves."""
    check(tmp_path, python_of(minor))


def test_no_wheel(tmp_path: Path) -> None:
    """A file that is no wheel is named."""
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("broken.py", "")
    with pytest.raises(TfenvError, match=r"`broken-1\.0-py3-none-any\.whl`"):
        unpack([broken], environment(tmp_path / "venv", Path(sys.executable)))


def test_no_interpreter(tmp_path: Path) -> None:
    """An environment whose Python does not run is told."""
    with pytest.raises(TfenvError, match="does not report its package folders"):
        unpack([], tmp_path / "python")
