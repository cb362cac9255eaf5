"""What a wheel should leave behind, told in the same words as the probe tells what it left."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def contents(path: Path) -> str | None:
    """The digest of a wheel's RECORD, as the probe makes it of the installed one; ``None`` if it cannot be read."""
    from tfenv.smoke import probe

    try:
        with zipfile.ZipFile(path) as archive:
            record = next(
                name for name in archive.namelist() if name.count("/") == 1 and name.endswith(".dist-info/RECORD")
            )
            text = archive.read(record).decode("utf-8")
    except (OSError, StopIteration, UnicodeDecodeError, zipfile.BadZipFile):
        return None
    rows = [([*row, "", ""])[:3] for row in csv.reader(io.StringIO(text)) if row]
    return str(probe.contents_digest(rows, record.partition("/")[0]))  # type: ignore[no-untyped-call]
