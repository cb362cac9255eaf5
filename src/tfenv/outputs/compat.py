"""The compatibility table as text, as Markdown, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfenv.model.hardware import driver_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version

    from tfenv.facts.compat import CompatRow
    from tfenv.model.hardware import Architecture
    from tfenv.model.report import Verdict

_HEAD = (
    "TensorFlow",
    "Python",
    "glibc",
    "CUDA",
    "cuDNN",
    "machine code for",
    "PTX for",
    "driver",
    "driver for PTX",
    "NumPy",
    "protobuf",
    "Keras",
)
_HERE = "on this machine"


def lines(rows: Sequence[CompatRow], verdicts: Sequence[Verdict] = ()) -> str:
    """The table as aligned columns; with verdicts on a machine, one for each row, what they are comes second."""
    cells = _table(rows, verdicts)
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def markdown(rows: Sequence[CompatRow], verdicts: Sequence[Verdict] = ()) -> str:
    """The same as Markdown."""
    head, *cells = _table(rows, verdicts)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *cells))


def document(rows: Sequence[CompatRow], verdicts: Sequence[Verdict] = ()) -> list[dict[str, Any]]:
    """The table for programs: versions as text, ``None`` for a value that does not apply or is not known."""
    judged = [
        {
            "verdict": str(verdict.answer),
            "problems": [problem.code for problem in verdict.problems],
            "unknown": list(verdict.unknown),
        }
        for verdict in verdicts
    ]
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
            "numpy": row.numpy or None,
            "protobuf": row.protobuf or None,
            "keras": row.keras or None,
            **(judged[at] if judged else {}),
        }
        for at, row in enumerate(rows)
    ]


def _table(rows: Sequence[CompatRow], verdicts: Sequence[Verdict]) -> list[tuple[str, ...]]:
    """The head and the rows, all of one width."""
    if not verdicts:
        return [_HEAD, *map(_cells, rows)]
    here = [", ".join((str(verdict.answer), *(each.code for each in verdict.problems[:1]))) for verdict in verdicts]
    version, *rest = _HEAD
    found = [(version, _HERE, *rest)]
    for row, text in zip(rows, here, strict=True):
        first, *others = _cells(row)
        found.append((first, text, *others))
    return found


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
        *map(_bounds, (row.numpy, row.protobuf, row.keras)),
    )


def _bounds(specifier: str) -> str:
    """A range without the single releases that it leaves out."""
    return ",".join(part for part in specifier.split(",") if part and not part.startswith("!=")) or "-"


def _architectures(found: Sequence[Architecture]) -> str:
    return " ".join(map(str, found)) or "-"


def _text(version: Version | None) -> str | None:
    return None if version is None else str(version)
