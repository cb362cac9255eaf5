"""GPUs that XLA in a shared library can compile for, read from the strings of its LLVM in a stream of bytes."""

from __future__ import annotations

import re

from packaging.version import Version

from tfenv.model.builds import Xla
from tfenv.model.hardware import Architecture

_FEATURE = re.compile(rb"\0ptx(\d{2,3})\0")
_PROCESSOR = re.compile(rb"\0sm_(\d{2,3})\0")
_CHECKS = b"Minimum required PTX version is"
_FOLLOWS = b"does not define any PTX features"
_LONGEST = 64


class XlaTexts:
    """Reader of one library: feed it all bytes in order, then call `xla`."""

    def __init__(self) -> None:
        self._carry = b""
        self._features: set[str] = set()
        self._processors: set[str] = set()
        self._seen: set[bytes] = set()

    def feed(self, block: bytes) -> None:
        """The next bytes of the library."""
        data = self._carry + block
        for start, pattern, found in ((b"\0ptx", _FEATURE, self._features), (b"\0sm_", _PROCESSOR, self._processors)):
            at = data.find(start)
            while at >= 0:
                if (match := pattern.match(data, at)) is not None:
                    found.add(match[1].decode())
                at = data.find(start, at + 1)
        self._seen |= {text for text in (_CHECKS, _FOLLOWS) if text in data}
        self._carry = data[-_LONGEST:]

    def xla(self) -> Xla | None:
        """XLA of the library; ``None`` if the library has no LLVM for NVIDIA's GPUs.

        LLVM names the versions of PTX that it writes (`ptx85`) and its targets (`sm_90`). Where its check is in the
        library, a version that is too low for the target ends the process; before, LLVM raised the version. Sources:
        llvm/llvm-project pull request 174834; openxla/xla `nvptx_backend.cc`, `GetMaxPtxVersionSupportedByLlvm`.
        """
        if not self._features or not self._processors:
            return None
        newest = max(self._features, key=int)
        return Xla(
            ptx=Version(f"{newest[:-1]}.{newest[-1]}"),
            targets=tuple(sorted(Architecture.parse(f"sm_{number}") for number in self._processors)),
            checks=_CHECKS in self._seen,
            follows=_FOLLOWS in self._seen,
        )
