"""`tfenv init`: a request in `[tool.tfenv]` of a `pyproject.toml`."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from tfenv.errors import UsageError
from tfenv.inputs import project
from tfenv.inputs.edit import edit
from tfenv.inputs.request import KEYS, read_values
from tfenv.model.document import Table
from tfenv.store import files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The result of `init`.

    Attributes:
        path: path of the file.
        diff: unified diff; empty if the file is up to date.
        created: whether the file did not exist before.
    """

    path: Path
    diff: str
    created: bool


def init(
    path: Path,
    values: Mapping[str, object],
    *,
    target: str | None = None,
    dry_run: bool = False,
) -> Edited:
    """Write a request into `[tool.tfenv]`, the style of the file kept.

    Args:
        path: of the `pyproject.toml`; a minimal one is made if there is none.
        values: by key of `[tool.tfenv]` (`gpu`, `index-url`); keys already there and not named here stay. With no
            values at all, a table that is missing begins as a request for the CPU.
        target: write to `[tool.tfenv.targets.NAME]` instead.
        dry_run: only say what would change.

    Raises:
        UsageError: the file has faults, or a value cannot be understood (all of them are named).
    """
    created = not path.exists()
    old = "" if created else files.read(path)
    if not created:
        project.loads(old, str(path))
    if faults := _faults(values):
        raise UsageError("the request cannot be written", faults=tuple(faults))
    start = _minimal(path) if created else old
    if not values and edit(start, {}, target=target, name=str(path)) != start:
        values = {"gpu": ("none",)}
    new = edit(start, values, target=target, name=str(path))
    # both together must still make sense
    project.loads(new, str(path), target=target)
    if not dry_run:
        # overwrite without `--force`: the author of the file requested the change
        files.write({path: new}, force=True)
    return Edited(path=path, diff=_diff(old, new, path), created=created)


def _faults(values: Mapping[str, object]) -> list[str]:
    table = Table({key: list(value) if isinstance(value, tuple) else value for key, value in values.items()})
    read = read_values(table)
    table.close()
    for key in ("index-url", "extra-index-url"):
        urls = read.get(KEYS[key][0]) or ()
        for url in [urls] if isinstance(urls, str) else urls:
            if "@" in urlsplit(url).netloc:
                table.fault(key, "credentials do not belong into version control; netrc and the environment hold them")
    return table.faults


def _minimal(path: Path) -> str:
    """As much of a project as tools insist on, named like its folder."""
    name = canonicalize_name(re.sub(r"[^A-Za-z0-9]+", "-", path.resolve().parent.name).strip("-") or "project")
    return f'[project]\nname = "{name}"\nversion = "0"\ndependencies = []\n'


def _diff(old: str, new: str, path: Path) -> str:
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), str(path) if old else "/dev/null", str(path), lineterm=""
    )
    return "\n".join(lines)
