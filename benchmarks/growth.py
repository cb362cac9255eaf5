"""Growth of the cost with 10 to 500 packages and 1 to 16 targets in one command: `python -m benchmarks.growth`.

The projects are made up: a few hundred on layers, each with 20 releases, each wanting three of the next layer.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import measure
from tests.support.index_server import FakeIndex

SIZES, TARGETS = (10, 50, 200, 500), (1, 4, 16)
_RELEASES, _BELOW = 20, 3


def main() -> None:
    """Print two small tables in Markdown."""
    print("| wanted | packages | requests | CPU cold | CPU warm | MB |\n|--:|--:|--:|--:|--:|--:|")
    for size in SIZES:
        with FakeIndex() as index, tempfile.TemporaryDirectory() as folder:
            _fill(index, size)
            wanted = [word for number in range(size) for word in ("--with", f"p{number}")]
            cold, asked = _lock(index, Path(folder), wanted), len(index.requests)
            _forget(Path(folder))
            warm = _lock(index, Path(folder), [*wanted, "--offline"])
            packages = (Path(folder) / "pylock.toml").read_text(encoding="utf-8").count("[[packages]]")
            print(
                f"| {size} | {packages} | {asked} | {cold.cpu:.2f} | {warm.cpu:.2f} | {warm.memory:.0f} |", flush=True
            )
    print("\n| targets | CPU warm | MB |\n|--:|--:|--:|")
    with FakeIndex() as index, tempfile.TemporaryDirectory() as folder:
        _fill(index, 50)
        here = Path(folder)
        tables = [f'[tool.tfenv.targets.t{number}]\nglibc = "2.{28 + number}"\n' for number in range(max(TARGETS))]
        with_ = ", ".join(f'"p{number}"' for number in range(50))
        (here / "pyproject.toml").write_text(f"[tool.tfenv]\nwith = [{with_}]\n{''.join(tables)}", encoding="utf-8")
        _lock(index, here, ["--target", "t0"])
        for count in TARGETS:
            _forget(here)
            named = [word for number in range(count) for word in ("--target", f"t{number}")]
            ran = _lock(index, here, [*named, "--offline"])
            print(f"| {count} | {ran.cpu:.2f} | {ran.memory:.0f} |", flush=True)


def _fill(index: FakeIndex, size: int) -> None:
    tags = "cp312-cp312-manylinux_2_27_x86_64"
    for name in ("tensorflow", "tensorflow-cpu"):
        index.add_wheel(name, "2.20.0", tags=tags)
    for number in range(size):
        below = [f"p{(number * 7 + step) % size}>=1.5" for step in range(_BELOW) if (number * 7 + step) % size > number]
        for release in range(_RELEASES):
            index.add_wheel(f"p{number}", f"1.{release}", requires=[*below, "never; extra == 'docs'"])


def _forget(folder: Path) -> None:
    """Remove the locks and the remembered answers; pages and metadata stay."""
    for lock in folder.glob("pylock*.toml"):
        lock.unlink()
    for entry in (folder / "cache").rglob("documents/*"):
        if b'"made"' in entry.read_bytes():
            entry.unlink()


def _lock(index: FakeIndex, folder: Path, more: list[str]) -> measure.Run:
    tfenv = shutil.which("tfenv", path=Path(sys.executable).parent) or "tfenv"
    command = [tfenv, "lock", "-q", "--tf", "2.20.0", "--python", "3.12", "--index-url", index.url, *more]
    environment = {**os.environ, "TFENV_CACHE_DIR": str(folder / "cache"), "HTTPS_PROXY": "http://127.0.0.1:9"}
    ran = measure.run(command, cwd=folder, environment=environment, limit=900)
    if ran.code:
        raise SystemExit(ran.output)
    return ran


if __name__ == "__main__":
    main()
