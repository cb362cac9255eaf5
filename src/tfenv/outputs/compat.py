"""The compatibility table as text, as Markdown, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfenv.model.hardware import driver_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version

    from tfenv.facts.compat import CompatRow
    from tfenv.model.hardware import Architecture

_HEAD = ("TensorFlow", "Python", "glibc", "CUDA", "cuDNN", "machine code for", "PTX for", "driver", "driver for PTX")


def lines(rows: Sequence[CompatRow]) -> str:
    """The table as aligned columns."""
    cells = [_HEAD, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def markdown(rows: Sequence[CompatRow]) -> str:
    """The table as Markdown."""
    cells = [_HEAD, ("---",) * len(_HEAD), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def document(rows: Sequence[CompatRow]) -> list[dict[str, Any]]:
    """The table for programs: versions as text, ``None`` for a value that does not apply or is not known."""
    return [
        {
            "version": str(row.version),
            "distribution": row.distribution,
            "pythons": [str(python) for python in row.pythons],
            "glibc": _text(row.glibc),
            "cuda": _text(row.cuda),
            "cudnn": _text(row.cudnn),
            "sass": [str(each) for each in row.sass],
            "ptx": [str(each) for each in row.ptx],
            "driver": driver_text(row.driver) if row.driver else None,
            "driver_ptx": driver_text(row.driver_ptx) if row.driver_ptx else None,
        }
        for row in rows
    ]


def _cells(row: CompatRow) -> tuple[str, ...]:
    return (
        str(row.version),
        f"{row.pythons[0]}-{row.pythons[-1]}" if len(row.pythons) > 1 else "".join(map(str, row.pythons)) or "-",
        _text(row.glibc) or "-",
        _text(row.cuda) or "-",
        _text(row.cudnn) or "-",
        _architectures(row.sass),
        _architectures(row.ptx),
        f"≥ {driver_text(row.driver)}" if row.driver else "-",
        f"≥ {driver_text(row.driver_ptx)}" if row.driver_ptx else "-",
    )


def _architectures(found: Sequence[Architecture]) -> str:
    return " ".join(map(str, found)) or "-"


def _text(version: Version | None) -> str | None:
    return None if version is None else str(version)
