"""What the library of a release exports, asked for the symbols of a custom op."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.symbols.database import load
from tfenv.symbols.exports import Exports, ExportTable, hashed

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = Version("1.14.0"), Version("2.9.3")
KERNEL = "_ZN10tensorflow8OpKernelC2EPNS_20OpKernelConstructionE"
SHAPE = "_ZN10tensorflow15shape_inference16InferenceContext6OutputEi"
SESSION = "_ZN10tensorflow13ClientSessionC1ERKNS_5ScopeE"
FUNCTOR = "_ZN10tensorflow7functor13GatherNdSliceIN5Eigen16ThreadPoolDeviceEE"
TABLE = ExportTable(
    sources={OLD: "a.whl sha256:00", NEW: "b.whl sha256:01"},
    names={OLD: frozenset({hashed(KERNEL), hashed(SHAPE)}), NEW: frozenset({hashed(KERNEL)})},
    cc={OLD: frozenset(), NEW: frozenset({hashed(SESSION)})},
)


def test_missing(tmp_path: Path) -> None:
    """Names that the minor release lacks; what is not of TensorFlow is not judged; a release not read is not known."""
    path = tmp_path / "exports.txt"
    path.write_text(TABLE.dumps(), encoding="utf-8")
    exports = Exports(path)
    assert exports.releases == (OLD, NEW)
    assert exports.missing(Version("1.14.1"), [KERNEL, SHAPE, "_ZNSt6vectorIiE", "memcpy"]) == ()
    assert exports.missing(NEW, [SHAPE, KERNEL, SHAPE]) == (SHAPE,)
    assert exports.missing(NEW, ["TF_NewTensor"]) == ("TF_NewTensor",)
    assert exports.missing(Version("2.10.0"), [KERNEL]) is None


def test_libtensorflow_cc(tmp_path: Path) -> None:
    """What an op that links it finds there; of that library, kernels are not told, and so are not judged."""
    path = tmp_path / "exports.txt"
    path.write_text(TABLE.dumps(), encoding="utf-8")
    exports = Exports(path)
    assert exports.missing(NEW, [KERNEL, SESSION]) == (SESSION,)
    assert exports.missing(NEW, [KERNEL, SESSION, FUNCTOR], cc=True) == ()
    assert exports.missing(NEW, [FUNCTOR]) == (FUNCTOR,)
    assert exports.missing(NEW, [SHAPE], cc=True) == (SHAPE,)
    assert [exports.has_cc(one) for one in (OLD, NEW, Version("2.10.0"))] == [False, True, None]


def test_round_trip() -> None:
    """What is written is read again, and the one text comes of it."""
    assert ExportTable.loads(TABLE.dumps()) == TABLE
    assert ExportTable.loads(TABLE.dumps()).dumps() == TABLE.dumps()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "its last lines are not tables"),
        ("1.14.0\ta.whl\n", "its last lines are not tables"),
        ("data\tAAAA\ncc\tAAAA\n", "its table cannot be unpacked"),
        ("data\t!\ncc\t!\n", "base64|characters"),
        ("no version\ta.whl\n" + "\n".join(TABLE.dumps().splitlines()[-2:]), "Invalid version"),
    ],
)
def test_damage(tmp_path: Path, text: str, reason: str) -> None:
    """A damaged file is named, with the reason."""
    path = tmp_path / "exports.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=reason):
        Exports(path).missing(OLD, [KERNEL])


def test_shipped() -> None:
    """The constructor of `OpKernel` is there since 1.4; the shipped file is the one text of what it says."""
    exports = load().exports
    assert exports.missing(Version("2.15.0"), [KERNEL]) == ()
    assert exports.missing(Version("1.4.0"), [KERNEL, "_ZN10tensorflow8OpKernel5NeverEv"]) == (
        "_ZN10tensorflow8OpKernel5NeverEv",
    )
    assert exports.missing(Version("2.15.0"), [SESSION]) == (SESSION,)
    assert exports.missing(Version("2.15.0"), [SESSION], cc=True) == ()
    assert [exports.has_cc(Version(one)) for one in ("2.11.0", "2.12.0", "2.21.0")] == [False, True, True]
    path = load().root / "exports.txt"
    text = path.read_text(encoding="utf-8")
    assert ExportTable.loads(text).dumps() == text
    assert path.stat().st_size < 1_000_000
