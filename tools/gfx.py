"""Which GPUs of AMD the wheels of `tensorflow-rocm` serve, and which they refuse: `python -m tools.gfx 2.14.0.600`.

A code object names its target in clear text (`amdgcn-amd-amdhsa--gfx90a`; AMDGPU Backend User Guide, "Code Object
Bundles"). The names alone stand in LLVM and in other libraries too, so they do not count, nor do targets that less than
a hundredth of the most frequent one have. TensorFlow compares the GPU with a list of names; where a comma is missing in
its source, two of them are one text (`gfx1030gfx1100`), and neither is accepted. It prints columns of `rocm.toml`.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter

from tfenv.harvest.libraries import largest, stream
from tfenv.harvest.published import releases_of
from tfenv.index.client import Client
from tfenv.model.goal import PYPI
from tfenv.model.package import Name

_START = b"amdgcn-amd-amdhsa--gfx"
_NAME = re.compile(rb"gfx(?:1\d{3}|[789][0-9a-f]{2})")
_TARGET = re.compile(rb"amdgcn-amd-amdhsa--(" + _NAME.pattern + rb")")
_GLUED = re.compile(rb"\0((?:" + _NAME.pattern + rb"){2,})\0")
_LONGEST = 96


class GfxTargets:
    """Reads one library; feed it all bytes in order, then ask."""

    def __init__(self) -> None:
        self._at = 0
        self._carry = b""
        self._last = -1
        self._targets: Counter[str] = Counter()
        self._glued: set[str] = set()

    def feed(self, block: bytes) -> None:
        """The next bytes of the library."""
        data, base = self._carry + block, self._at - len(self._carry)
        at = data.find(_START)
        while 0 <= at < len(data) - _LONGEST // 2:
            if base + at > self._last and (match := _TARGET.match(data, at)) is not None:
                self._targets[match[1].decode()] += 1
                self._last = base + at
            at = data.find(_START, at + 1)
        for match in _GLUED.finditer(data):
            self._glued.update(name.decode() for name in _NAME.findall(match[1]))
        self._at += len(block)
        self._carry = data[-_LONGEST:]

    def kernels(self) -> Counter[str]:
        """How many code objects there are for each target."""
        return self._targets

    def refused(self) -> frozenset[str]:
        """Targets whose names are one text with another."""
        return frozenset(self._glued)


def served(kernels: Counter[str]) -> tuple[str, ...]:
    """The targets that TensorFlow's own kernels are built for, of all libraries of a wheel."""
    most = max(kernels.values(), default=0)
    return tuple(sorted(name for name, count in kernels.items() if count * 100 >= most))


async def read(versions: list[str]) -> None:
    """Print the columns of `rocm.toml` for some releases; each wheel is streamed, and nothing is kept."""
    async with Client() as client:
        releases = {str(each.version): each for each in await releases_of(Name("tensorflow-rocm"), PYPI, client)}
        for version in versions:
            file = next(file for file in releases[version].files if file.is_wheel)
            archive = await client.open_zip(file.url, file.size)
            kernels: Counter[str] = Counter()
            refused: frozenset[str] = frozenset()
            for member in largest(archive):
                targets = GfxTargets()
                await stream(archive, member, (targets,))
                kernels += targets.kernels()
                refused |= targets.refused()
            found = served(kernels)
            print(f'version = "{version}"')
            print(f"gfx = {[name for name in found if name not in refused]}")
            print(f"refused = {[name for name in found if name in refused]}")
            print(f'gfx_source = "{file.filename} sha256:{file.sha256}, code objects in its libraries"')


if __name__ == "__main__":
    asyncio.run(read(sys.argv[1:]))
