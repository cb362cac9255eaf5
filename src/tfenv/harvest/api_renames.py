"""What TensorFlow's upgrade script renames: its tables in `tensorflow/tools/compatibility/`, read as data."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = re.compile(r"(?:.*/)?tensorflow(?:_core)?/tools/compatibility/(renames_v2|all_renames_v2)\.py")


def wanted(member: str) -> bool:
    """Is this member of a wheel one of the tables?"""
    return _FILE.fullmatch(member) is not None


def renames(members: Mapping[str, bytes]) -> dict[str, str]:
    """New name by old name, both from their import on; later tables outrank earlier ones, as in the script itself."""
    found: dict[str, str] = {}
    for _, data in sorted(members.items(), reverse=True):  # renames_v2, then all_renames_v2
        for node in ast.walk(ast.parse(data)):
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Dict):
                for key, value in zip(node.value.keys, node.value.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                        old, new = key.value, value.value
                        if isinstance(old, str) and isinstance(new, str) and old != new:
                            found[old] = new
    return found


def dumps(found: Mapping[str, str], source: str) -> str:
    """The text of `renames.txt`."""
    lines = [f"source\t{source}", *(f"{old}\t{new}" for old, new in sorted(found.items()))]
    return "".join(f"{line}\n" for line in lines)
