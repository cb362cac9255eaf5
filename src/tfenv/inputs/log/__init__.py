"""Error logs: lines in, evidence out."""

from tfenv.inputs.log.evidence import read
from tfenv.inputs.log.lines import condensed

__all__ = ["condensed", "read"]
