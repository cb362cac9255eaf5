"""Makers of GPUs other than NVIDIA, recognized by how people write the names of their products."""

from __future__ import annotations

import re

_MAKERS = (
    (
        "AMD",
        re.compile(
            r"\b(amd|rocm|ati|radeon|instinct|rx ?\d{3,4}\w*|vega|mi\d{2,3}\w?|gfx\d+|firepro)\b", re.IGNORECASE
        ),
    ),
    ("Intel", re.compile(r"\b(intel|iris|uhd graphics|hd graphics|arc a\d+|xe graphics)\b", re.IGNORECASE)),
    ("Apple", re.compile(r"\b(apple|m[1-5]( pro| max| ultra)?|metal)\b", re.IGNORECASE)),
)


def maker_of(name: str) -> str | None:
    """The maker of a GPU, if it is not NVIDIA."""
    if re.search(r"nvidia|geforce|gtx|rtx|quadro|tesla", name, re.IGNORECASE):
        return None
    return next((maker for maker, words in _MAKERS if words.search(name)), None)
