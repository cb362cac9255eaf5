"""What TensorFlow's upgrade script renames: its tables in `tensorflow/tools/compatibility/`, read as data.

Symbols come from `renames_v2.py` and `all_renames_v2.py`; keyword arguments come from `tf_upgrade_v2.py`, in
the form `tf.nn.moments(keep_dims)`.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FILE = re.compile(r"(?:.*/)?tensorflow(?:_core)?/tools/compatibility/(renames_v2|all_renames_v2|tf_upgrade_v2)\.py")
_KEYWORDS = "function_keyword_renames"


def wanted(member: str) -> bool:
    """Whether a member of a wheel is one of the tables."""
    return _FILE.fullmatch(member) is not None


def renames(members: Mapping[str, bytes]) -> dict[str, str]:
    """New name by old name, both fully dotted; later tables override earlier ones, as in the script itself."""
    found: dict[str, str] = {}
    for name, data in sorted(members.items(), reverse=True):  # tf_upgrade_v2, renames_v2, then all_renames_v2
        for node in ast.walk(ast.parse(data)):
            if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not isinstance(node.value, ast.Dict):
                continue
            if not name.endswith("tf_upgrade_v2.py"):
                found.update(_strings(node.value))
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith(f".{_KEYWORDS}"):
                found.update(_keywords(node.value))
    return {old: new for old, new in found.items() if old != new}


def dumps(tables: Mapping[str, Mapping[str, str]]) -> str:
    """The text of `renames.txt`, from the tables by source; later tables omit names that an earlier one has."""
    lines: list[str] = []
    written: set[str] = set()
    for source, found in tables.items():
        rest = {old: new for old, new in found.items() if old not in written}
        written |= set(rest)
        if rest:
            lines += [f"source\t{source}", *(f"{old}\t{new}" for old, new in sorted(rest.items()))]
    return "".join(f"{line}\n" for line in lines)


def _strings(node: ast.Dict) -> Iterator[tuple[str, str]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
            old, new = key.value, value.value
            if isinstance(old, str) and isinstance(new, str):
                yield old, new


def _keywords(node: ast.Dict) -> Iterator[tuple[str, str]]:
    for key, value in zip(node.keys, node.values, strict=True):
        name = key.value if isinstance(key, ast.Constant) else None
        if isinstance(name, str) and "*" not in name and isinstance(value, ast.Dict):
            for old, new in _strings(value):
                yield f"{name}({old})", f"{name}({new})"
