"""The tables that are read from published files, in the order of their dependencies."""

from __future__ import annotations

from typing import Final

from tfenv.harvest import (
    update_closures,
    update_exports,
    update_modules,
    update_needs,
    update_projects,
    update_releases,
    update_symbols,
)

TABLES: Final = {
    table.name: table
    for table in (
        update_releases.TABLE,
        update_symbols.TABLE,
        update_modules.TABLE,
        update_exports.TABLE,
        update_projects.TABLE,
        update_closures.TABLE,
        update_needs.TABLE,
    )
}
"""Tables by name."""
