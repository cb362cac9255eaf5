"""Targets of AMD's GPUs in libraries, fed in blocks of any size."""

from __future__ import annotations

import random

import pytest

from tools.gfx import GfxTargets, served

NOISE = random.Random(7).randbytes(3000)


@pytest.mark.parametrize("block", [100, 1_000_000])
def test_targets(block: int) -> None:
    """Code objects count, names alone do not, nor the few that another library brought; glued names are refused."""
    one = b"hipv4-amdgcn-amd-amdhsa--gfx90a3" + NOISE + b"hip-amdgcn-amd-amdhsa--gfx1030" + NOISE
    data = b"\0gfx803\0gfx942\0" + one * 150 + b"amdgcn-amd-amdhsa--gfx803" + NOISE + b"\0gfx1030gfx1100\0" + NOISE
    targets = GfxTargets()
    for at in range(0, len(data), block):
        targets.feed(data[at : at + block])
    assert dict(targets.kernels()) == {"gfx90a": 150, "gfx1030": 150, "gfx803": 1}
    assert served(targets.kernels()) == ("gfx1030", "gfx90a")
    assert targets.refused() == {"gfx1030", "gfx1100"}
