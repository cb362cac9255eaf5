"""Custom ops: which library, which ABI, which symbols."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from tests.infer.surroundings import DATABASE, KEPT, PAIRS, SYMBOLS
from tfenv.errors import UsageError
from tfenv.facts.compile import CompileTable
from tfenv.infer.models import ops
from tfenv.workflow.infer import infer_with

FOLDER = Path(__file__).with_name("ops")
OLD, NEW = "_ZN10tensorflow4NameERKSs", "_ZN10tensorflow4NameERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"


class Exporting:
    """Releases that export everything, less those of one series."""

    def __init__(self, lacking: str = "none") -> None:
        self._lacking = lacking

    def missing(self, release: object, symbols: object, *, cc: bool = False) -> tuple[str, ...] | None:
        """One symbol, where some are missing."""
        assert symbols
        assert not cc
        return (NEW,) if str(release).startswith(self._lacking) else ()

    def has_cc(self, release: object) -> bool | None:
        """None of these ops asks."""
        raise AssertionError(release)


def _read(data: bytes) -> ops.CustomOp:
    found = ops.read(io.BytesIO(data), "a.so")
    assert found is not None
    return found


@pytest.mark.parametrize(("name", "cxx11", "wanted"), [("old", False, OLD), ("new", True, NEW)])
def test_read(name: str, cxx11: bool, wanted: str) -> None:
    """The library, the ABI by its names, and what it wants of TensorFlow; strings are of libstdc++."""
    found = _read((FOLDER / f"{name}.so").read_bytes())
    assert found.framework == 2
    assert found.cxx11 is cxx11
    assert found.undefined == tuple(sorted((wanted, "_ZN10tensorflow6NumberEi")))
    assert found.machine == "x86_64"
    assert found.glibcxx is not None


@pytest.mark.parametrize(
    ("name", "lacking", "expected"),
    [
        ("old", "none", ["2.0"]),
        ("new", "none", ["2.10", "2.15", "2.16", "2.20"]),
        ("new", "2.15.", ["2.10", "2.16", "2.20"]),
    ],
)
def test_findings(name: str, lacking: str, expected: list[str]) -> None:
    """Major of the library, ABI and exports together leave the releases that load it."""
    found = _read((FOLDER / f"{name}.so").read_bytes())
    mask = PAIRS.full
    for one in ops.findings(found, "a.so", PAIRS, DATABASE.compile, Exporting(lacking)):
        mask &= one.pairs
    assert [one for one in PAIRS.surface.names(PAIRS.releases(mask)) if one in KEPT] == expected


def test_symbols_that_no_release_exports() -> None:
    """With the real tables: a function that never was keeps a release away, and is named."""
    answer = infer_with([FOLDER / "new.so"], DATABASE)
    assert not {"2.15", "2.20"} & set(answer.releases)
    (told,) = (one for one in answer.findings if "symbols of TensorFlow" in one.symbol)
    assert "not exported" in told.note


def test_libtensorflow_cc() -> None:
    """An op that links it needs a release that has it: 2.12 was the first."""
    framework, cc = b"libtensorflow_framework.so.2\0", b"libtensorflow_cc.so.2\0"
    found = _read((FOLDER / "new.so").read_bytes().replace(framework, cc.ljust(len(framework), b"\0")))
    assert (found.cc, found.framework) == (True, None)
    told = {one.symbol: one for one in ops.findings(found, "a.so", PAIRS, DATABASE.compile, SYMBOLS.exports)}
    assert told["libtensorflow_cc.so"].first == "2.12"


def test_other_libraries_are_left_alone() -> None:
    """A library that has nothing to do with TensorFlow says nothing."""
    data = (FOLDER / "new.so").read_bytes()
    other = data.replace(b"libtensorflow_framework", b"libsomethingelse_framew").replace(
        b"10tensorflow", b"10somethinge"
    )
    assert ops.read(io.BytesIO(other), "a.so") is None


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"no library\n" * 100, b"\x7fELF" + b"\xff" * 200])
def test_what_is_no_library(data: bytes) -> None:
    """A clear error names the file."""
    with pytest.raises(UsageError, match=r"`a\.so` cannot be read as a shared library"):
        ops.read(io.BytesIO(data), "a.so")


@pytest.mark.parametrize("name", ["old", "new"])
def test_damaged(name: str) -> None:
    """Cut, or with bytes that are not what they were: an answer or an error of tfenv."""
    data = (FOLDER / f"{name}.so").read_bytes()
    chance = random.Random(name)
    cut = [data[:length] for length in range(0, len(data), 97)]
    for _ in range(200):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        cut.append(bytes(damaged))
    for one in cut:
        try:
            ops.read(io.BytesIO(one), "a.so")
        except UsageError:
            continue


def test_the_table_tells_the_abi() -> None:
    """Without a row for a release nothing is held against it."""
    assert isinstance(DATABASE.compile, CompileTable)
    assert [row.cxx11 for row in DATABASE.compile.rows] == sorted(row.cxx11 for row in DATABASE.compile.rows)
