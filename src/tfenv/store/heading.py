"""The first line of every file tfenv writes: by it tfenv knows its own files from those of others."""

from __future__ import annotations

FIRST_LINE = "# Written by tfenv; change the request and lock again rather than edit this file."
"""a comment in TOML, YAML, Dockerfiles and requirements files alike"""


def is_ours(content: str) -> bool:
    """Does the first line say that tfenv wrote this? (What follows the name may differ from version to version.)"""
    return content.removeprefix("\ufeff").startswith("# Written by tfenv")
