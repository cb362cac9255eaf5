"""The house rules of `src/tfenv`: sizes of modules and rooms, names with one meaning, the picture in the docs."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "tfenv"
MODULES = {path.relative_to(SOURCE).as_posix(): path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}

LONGEST = 400
LARGEST_ROOM = 0.12

WHOLE = {"smoke/probe.py": "it is sent to other interpreters as one text"}
"""Modules that may be longer than `LONGEST`, and why."""

TOO_LONG: set[str] = set()
"""Known faults: modules to be split. Remove a module that has become short enough."""

ONE_MEANING = {
    "base": "the base image: which one a lock starts from, and its layers",
    "builds": "builds of TensorFlow: their values, and their form in TOML",
    "cache": "the cache on disk, and the commands that show and empty it",
    "compat": "the compatibility table: its rows, its forms, the command that shows it",
    "configuration": "a configuration to check, and the readers of its file and of logs",
    "database": "the tables of a room, loaded",
    "evidence": "the evidence in a log: its values, and how lines are recognized",
    "exports": "symbols that a shared library exports: how they are read, and their table",
    "inferred": "the answer of `infer`, and its JSON document",
    "lock": "the lock as a value, and the command that makes one",
    "onboard": "the onboarding script, and the command that writes it",
    "profile": "the profile of a machine, and the command that writes it",
    "releases": "releases of TensorFlow: their rows, how the rows are read, sets of them",
    "rows": "the rows of a table",
    "source": "where releases come from: the protocol, and the package index behind it",
    "sync": "a virtual environment made equal to a lock, and the command for it",
    "verdict": "the verdict of `check`, and its JSON document",
}
"""Names that modules of several rooms share, and the one meaning that they have."""


def _lines(module: str) -> int:
    return len(MODULES[module].splitlines())


def _room(module: str) -> str:
    """The folder of a module. A command and its service count as one room, and so do reader and writer of a format."""
    top = module.partition("/")[0]
    return {"cli": "command", "workflow": "command", "inputs": "format", "outputs": "format"}.get(top, top)


def test_modules_are_short() -> None:
    """No module has more than 400 lines, but for the probe and those known to be too long."""
    long = {module for module in MODULES if _lines(module) > LONGEST}
    assert long - WHOLE.keys() == TOO_LONG


def test_rooms_are_balanced() -> None:
    """No folder, each without its subfolders, holds more than 12 % of the lines."""
    rooms: dict[str, int] = defaultdict(int)
    for module in MODULES:
        rooms[module.rpartition("/")[0]] += _lines(module)
    shares = {room: lines / sum(rooms.values()) for room, lines in rooms.items()}
    assert {room: f"{share:.1%}" for room, share in shares.items() if share > LARGEST_ROOM} == {}


def test_modules_of_one_name_have_one_meaning() -> None:
    """A name that modules of several rooms share is explained above, and every explanation is still needed."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        if not module.endswith("__init__.py"):
            rooms[Path(module).stem].add(_room(module))
    assert {name for name, found in rooms.items() if len(found) > 1} == ONE_MEANING.keys()


def test_classes_of_one_name_have_one_meaning() -> None:
    """No two public classes share a name."""
    places: dict[str, list[str]] = defaultdict(list)
    for module, text in MODULES.items():
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def test_architecture_names_every_room() -> None:
    """The table of rooms in `docs/architecture.md` lists the folders of `src/tfenv`, and nothing else."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    listed = [room for row in rows for room in re.findall(r"`([\w/]+)/`", row)]
    folders = {path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")} - {"."}
    assert sorted(listed) == sorted(folders)


def test_architecture_draws_the_layers() -> None:
    """The picture in `docs/architecture.md` has the layers of the import contract, in their order."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = next(block for block in page.split("```") if block.startswith("\ncli "))
    drawn = [re.split(r"\s{2,}", line)[0] for line in picture.splitlines() if line and "▼" not in line]
    layers = [layer.strip() for line in drawn for layer in line.split("▸")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]["layers"]
    assert layers == [layer.replace("|", "·") for layer in contract if not layer.startswith("__")]


def test_no_private_names_of_other_packages() -> None:
    """No module imports a private name of another package; attributes are looked at by ruff, which nothing silences."""
    for module, text in MODULES.items():
        if module in WHOLE:
            continue
        assert "SLF001" not in text, module
        for node in ast.walk(ast.parse(text)):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                private = [part for part in name.split(".") if part.startswith("_") and not part.startswith("__")]
                assert name.startswith("tfenv.") or not private, f"{module}: {name}"
