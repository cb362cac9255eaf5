"""What the resolver asks for releases and metadata."""

from __future__ import annotations

from tfenv.model.source import Source

__all__ = ["Source"]
