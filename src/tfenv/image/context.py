"""A build context as a stream of tar blocks, without a second copy on disk."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tfenv.model.progress import Progress

SENDING = "sending wheels to the engine"
_PIECE = 2**20


def stream(entries: Mapping[str, bytes | Path], progress: Progress) -> Iterator[bytes]:
    """The archive in pieces.

    Headers record nothing of this host (no times, owners or modes), so the engine's cache sees the same context
    everywhere.

    Args:
        entries: path in the context, to its content or to the file with the content.
        progress: reports the bytes sent, as the task `SENDING`.
    """
    sizes = {name: len(entry) if isinstance(entry, bytes) else entry.stat().st_size for name, entry in entries.items()}
    progress.start(SENDING, sum(sizes.values()))
    for name, entry in entries.items():
        member = tarfile.TarInfo(name)
        member.size = sizes[name]
        yield member.tobuf(tarfile.GNU_FORMAT)
        if isinstance(entry, bytes):
            yield entry
            progress.advance(SENDING, len(entry))
        else:
            with entry.open("rb") as file:
                while piece := file.read(_PIECE):
                    yield piece
                    progress.advance(SENDING, len(piece))
        yield bytes(-sizes[name] % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)
    progress.finish(SENDING)
