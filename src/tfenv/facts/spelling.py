"""Normalization of names of GPUs."""

from __future__ import annotations

import re

# Words that say who made it or what it is sold as, and never which chip it is.
_NOISE = re.compile(r"nvidia|corporation|geforce|tesla|graphics|generation|edition|device|design|with|grid|nvgpu|gpu")
# The form a chip comes in: memory, socket, slice of it (MIG), share of it (vGPU). It executes the same in every form.
_FORM = re.compile(
    r"""
    \bmig\ \d+(?:c\.\d+)?g\.\d+gb.*              # MIG 1g.5gb, MIG 1c.3g.20gb+me
    | (?<=\w)-\d+(?:-\d+)?[abcq]\d?(?:me)?$      # vGPU profile: A40-48Q, A100X-1-5CME
    | \b\d+\ ?(?:gb|gib|g|mb)(?:-(?:h|ls|k))?\b  # 40GB, 32GB-LS
    | \b(?:sxm|hbm|gddr|ddr)\d?[ex]?\b           # SXM4, HBM3, HBM2e
    | \bpci-?(?:e|express)?(?:/sse2)?\b
    | \b(?:nvlink|nvl\d*|fhhl|dgxs|hgx|active|ac|lc|sff|embedded|workstation|server|dc)\b
    """,
    re.VERBOSE,
)
_MOBILE = re.compile(r"laptop|notebook|mobile|maxq")
_SERIES = re.compile(r"^(?:quadro|titan|jetson|nvs|rtxpro|rtx|gtx|gts|gt)(?=[a-z]{0,2}\d)")
_LAST_SERIES = re.compile(r"(?<=[\di])(?:rtx|gtx)$")
_MARKS = re.compile(r"\((?:r|tm|c)\)|[®™]")
_NOT_PLAIN = re.compile(r"[^a-z0-9]")


def normalized(name: str) -> str:
    """A name without case, spaces, punctuation and words that do not distinguish chips."""
    return _NOISE.sub("", _NOT_PLAIN.sub("", _MARKS.sub("", name.lower())))


def without_form(name: str) -> str:
    """A normalized name without memory, socket, slice and share."""
    return normalized(_FORM.sub(" ", " ".join(_MARKS.sub(" ", name.lower()).replace("_", " ").split())))


def without_mobile(key: str) -> str:
    """A normalized name without the marks of laptop chips; if such a chip differs, it has its own name."""
    return _MOBILE.sub("", key)


def without_series(key: str) -> str:
    """A normalized name without `RTX`, `Quadro` and the like: the number that people use."""
    return _SERIES.sub("", key)


def without_last_series(key: str) -> str:
    """A normalized name without a series after the number (`3080 RTX`)."""
    return _LAST_SERIES.sub("", key)
