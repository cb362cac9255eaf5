"""The processor: its instruction sets and its microarchitecture."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfenv.machine.host import Host

_LEVELS = ("x86_64_v4", "x86_64_v3", "x86_64_v2")


def flags(host: Host) -> frozenset[str]:
    """Instruction sets that every core has, named as in `/proc/cpuinfo`; on macOS from `sysctl`."""
    text = host.read("/proc/cpuinfo")
    if text is not None:
        lines = re.findall(r"^(?:flags|Features)\s*:\s*(.*)$", text, re.MULTILINE)
        return frozenset.intersection(*(frozenset(line.split()) for line in lines)) if lines else frozenset()
    names = ("machdep.cpu.features", "machdep.cpu.leaf7_features")
    words = " ".join(host.run("sysctl", "-n", name) or "" for name in names).lower().split()
    renamed = {"avx1.0": "avx", "sse4.1": "sse4_1", "sse4.2": "sse4_2"}
    return frozenset(renamed.get(word, word) for word in words)


def microarchitecture(found: frozenset[str]) -> tuple[str | None, str | None]:
    """The name of this host's microarchitecture by archspec, and the highest x86-64 level with all features found.

    Source of the levels: x86-64 psABI, "Micro-Architecture Levels", as kept by archspec.
    """
    import archspec.cpu

    known = archspec.cpu.TARGETS
    # archspec names sse3 and lzcnt what the kernel names pni and abm
    features = found | {new for old, new in (("pni", "sse3"), ("abm", "lzcnt")) if old in found}
    level = next((name for name in _LEVELS if set(known[name].features) <= features), None)
    if level is None and {"sse2", "fxsr"} <= found:
        level = "x86_64"
    name = str(archspec.cpu.host().name)
    return name, level.replace("_v", "-v").replace("x86_64", "x86-64") if level else None


def features_of(name: str) -> frozenset[str]:
    """The instruction sets of a level or microarchitecture (`x86-64-v3`, `haswell`).

    Raises:
        LookupError: archspec does not know the name.
    """
    import archspec.cpu

    key = name.lower().replace("x86-64", "x86_64").replace("-v", "_v")
    if key not in archspec.cpu.TARGETS:
        raise LookupError(name)
    return frozenset(archspec.cpu.TARGETS[key].features)
