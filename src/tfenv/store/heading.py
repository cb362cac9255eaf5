"""The first line of every file that tfenv writes, by which tfenv recognizes its own files."""

from __future__ import annotations

FIRST_LINE = "# Written by tfenv; change the request and lock again rather than edit this file."
"""a comment in TOML, YAML, Dockerfiles and requirements files alike"""


def is_ours(content: str) -> bool:
    """Whether the first line says that tfenv wrote the file; the rest of the line may differ between versions."""
    return content.removeprefix("\ufeff").startswith("# Written by tfenv")
