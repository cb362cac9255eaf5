"""Custom ops: shared libraries that TensorFlow loads, and what they need of it.

How an op is built: https://www.tensorflow.org/guide/create_op. From 1.14 on it is linked against
`libtensorflow_framework.so.1` or `.so.2`; names of the C++11 ABI contain `__cxx11` wherever a string is passed
(https://gcc.gnu.org/onlinedocs/libstdc++/manual/using_dual_abi.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, Protocol, TypeVar

from packaging.specifiers import SpecifierSet

from tfenv.errors import UsageError
from tfenv.infer.models.artifact import finding
from tfenv.symbols.exports import is_kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from elftools.elf.dynamic import DynamicTag
    from elftools.elf.sections import Symbol
    from packaging.version import Version

    from tfenv.facts.compile import CompileTable
    from tfenv.infer.answer import Pairs
    from tfenv.model.inferred import Finding

_FRAMEWORK: Final = re.compile(r"libtensorflow_framework\.so(?:\.(\d+))?$")
_CC: Final = re.compile(r"libtensorflow_cc\.so(?:\.\d+)?$")
_MOST: Final = 500_000
_VERSIONS: Final = 2000
_LONGEST: Final = 2**26
_FAULTS: Final = (
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    TypeError,
    OverflowError,
    AssertionError,
    RecursionError,
    OSError,
)
"""Exceptions that pyelftools raises for damaged files besides its own."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomOp:
    """What a shared library needs.

    Attributes:
        needed: sonames of the libraries that it is linked against.
        framework: major version of the required `libtensorflow_framework`; 0 for one without a version, as releases
            before 1.14 have it; ``None`` if it is not required.
        cc: whether `libtensorflow_cc` is required.
        cxx11: whether it uses the C++11 ABI for TensorFlow's functions; ``None`` if no function shows it.
        undefined: symbols of TensorFlow that another library must define.
        glibc, glibcxx: newest required version of each (`2.27`, `3.4.22`); ``None`` if none is required.
        machine: processor, such as `x86_64` or `aarch64`.
    """

    needed: tuple[str, ...]
    framework: int | None
    cc: bool
    cxx11: bool | None
    undefined: tuple[str, ...]
    glibc: str | None
    glibcxx: str | None
    machine: str


class ExportLookup(Protocol):
    """What the libraries of a release export."""

    def missing(self, release: Version, symbols: Iterable[str], *, cc: bool = False) -> tuple[str, ...] | None:
        """The symbols that a release does not export; ``None`` if its exports are not known."""
        ...

    def has_cc(self, release: Version) -> bool | None:
        """Whether a release contains `libtensorflow_cc`; ``None`` if that is not known."""
        ...


def findings(op: CustomOp, file: str, pairs: Pairs, compiled: CompileTable, exports: ExportLookup) -> Iterator[Finding]:
    """What limits the releases that can load the library."""
    surface = pairs.surface
    if op.framework is not None:
        series = f"=={op.framework}.*" if op.framework else "<1.14"
        suffix = f".{op.framework}" if op.framework else ""
        yield finding(file, pairs, f"libtensorflow_framework.so{suffix}", surface.mask(SpecifierSet(series)))
    if op.cc:
        mask = sum((exports.has_cc(release) is not False) << place for place, release in enumerate(surface.releases))
        yield finding(file, pairs, "libtensorflow_cc.so", mask)
    if op.cxx11 is not None:
        rows = [compiled.of(release) for release in surface.releases]
        mask = sum((row is None or row.cxx11 == op.cxx11) << place for place, row in enumerate(rows))
        yield finding(file, pairs, f"built with -D_GLIBCXX_USE_CXX11_ABI={op.cxx11:d}", mask)
    if op.undefined:
        lacking = [exports.missing(release, op.undefined, cc=op.cc) for release in surface.releases]
        mask = sum((not one) << place for place, one in enumerate(lacking))
        if mask != surface.every:
            newest = next(one for one in reversed(lacking) if one)
            what = f"{len(op.undefined)} symbols of TensorFlow"
            yield finding(file, pairs, what, mask, f"elsewhere some are not exported, such as {newest[0]}")
    wanted = " and ".join(
        f"{what} ≥ {version}" for what, version in (("glibc", op.glibc), ("GLIBCXX", op.glibcxx)) if version
    )
    if wanted:
        yield finding(file, pairs, f"{op.machine} library", surface.every, f"the machine needs {wanted}")


def read(file: IO[bytes], name: str) -> CustomOp | None:
    """Read a shared library; ``None`` if it has nothing to do with TensorFlow.

    Raises:
        UsageError: the file is not an ELF file, or is damaged.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.dynamic import DynamicSection
    from elftools.elf.elffile import ELFFile
    from elftools.elf.gnuversions import GNUVerNeedSection
    from elftools.elf.sections import SymbolTableSection

    needed: list[str] = []
    undefined: list[str] = []
    versions: list[str] = []
    try:
        elf = ELFFile(file)
        for section in _few(elf.iter_sections()):
            if isinstance(section, DynamicSection):
                tags: Iterator[DynamicTag] = _few(section.iter_tags("DT_NEEDED"))
                needed += _texts(str(tag.needed) for tag in tags)  # type: ignore[attr-defined]
            elif isinstance(section, GNUVerNeedSection):
                every = (one.name for _, some in _few(section.iter_versions(), _VERSIONS) for one in some)
                versions += _texts(_few(every, _VERSIONS))
            elif isinstance(section, SymbolTableSection) and section.name == ".dynsym":
                undefined += _texts(one.name for one in _few(section.iter_symbols()) if _is_wanted(one))
        machine = elf.get_machine_arch()
    except (ELFError, *_FAULTS) as error:
        raise UsageError(f"`{name}` cannot be read as a shared library: {str(error) or type(error).__name__}") from None
    ours = tuple(sorted(filter(is_kept, undefined)))
    if not ours and not any("libtensorflow" in one for one in needed):
        return None
    return CustomOp(
        needed=tuple(needed),
        framework=next((int(match[1] or 0) for one in needed if (match := _FRAMEWORK.match(one))), None),
        cc=any(map(_CC.match, needed)),
        cxx11=_cxx11(ours),
        undefined=ours,
        glibc=_newest(versions, "GLIBC_"),
        glibcxx=_newest(versions, "GLIBCXX_"),
        machine={"x64": "x86_64", "AArch64": "aarch64"}.get(machine, machine),
    )


def _few(items: Iterable[T], most: int = _MOST) -> Iterator[T]:
    """The items, at most this many.

    Raises:
        ValueError: there are more, as in a damaged file whose list never ends.
    """
    for number, item in enumerate(items):
        if number > most:
            raise ValueError("a list in it has no end")
        yield item


def _texts(items: Iterable[str]) -> Iterator[str]:
    """The items, as long as all of them together are not too long for names.

    Raises:
        ValueError: they are too long.
    """
    total = 0
    for item in items:
        total += len(item)
        if total > _LONGEST:
            raise ValueError("its names are too long")
        yield item


def _is_wanted(symbol: Symbol) -> bool:
    """Whether another library must define a symbol; a weak one may be missing."""
    return bool(symbol.name) and symbol["st_shndx"] == "SHN_UNDEF" and symbol["st_info"]["bind"] != "STB_WEAK"


def _cxx11(symbols: tuple[str, ...]) -> bool | None:
    """The ABI, by the names of functions that pass strings: `__cxx11` or `B5cxx11` marks the newer, `Ss` the older."""
    if any("cxx11" in one for one in symbols):
        return True
    if any(re.search(r"(?:RK|PK|R|E|v|i|S\d?_)Ss", one) or one.endswith("Ss") for one in symbols):
        return False
    return None


def _newest(versions: list[str], start: str) -> str | None:
    found = [
        tuple(map(int, one.removeprefix(start).split(".")))
        for one in versions
        if one.startswith(start) and re.fullmatch(r"[\d.]+", one.removeprefix(start))
    ]
    return ".".join(map(str, max(found))) if found else None
