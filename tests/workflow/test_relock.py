"""What is kept of a lock that is there already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.locks import cpu_lock, cuda_lock
from tfenv.errors import TfenvError
from tfenv.model.lock import HeldBack
from tfenv.model.package import Name, Requirement
from tfenv.outputs import pylock
from tfenv.workflow.lock import old as relock

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.model.lock import Lock


def test_pins_are_kept() -> None:
    """Every pin and Python; and `tensorflow`, which is what is asked for, whichever distribution is locked."""
    kept = relock.preferences(cpu_lock(), cpu_lock().request, False)
    assert kept[Name("tensorflow")] == kept[Name("tensorflow-cpu")] == Version("2.21.0")
    assert (kept[Name("python")], kept[Name("pandas")]) == (Version("3.13"), Version("2.3.3"))
    assert relock.preferences(None, cpu_lock().request, False) == {}


def test_what_is_upgraded_is_not_kept() -> None:
    """One name, everything, or TensorFlow by whatever name."""
    assert Name("pandas") not in relock.preferences(cpu_lock(), cpu_lock().request, ["Pandas"])
    assert relock.preferences(cpu_lock(), cpu_lock().request, True) == {}
    for name in ("tensorflow", "tensorflow_cpu"):
        kept = relock.preferences(cpu_lock(), cpu_lock().request, [name])
        assert not {"tensorflow", "tensorflow-cpu"} & set(kept)
        assert "numpy" in kept


def test_notes_of_kept_pins_stay() -> None:
    """Why a release was held back is true as long as it is locked for the same machine; a new note comes before it."""
    old = replace(cuda_lock(), notes=("nvidia-cudnn-cu12 held at 9.10.2.21: old", "numpy held at 1.0: gone"))
    fresh = replace(old, notes=())
    assert relock.with_reasons(fresh, old, {}).notes == ("nvidia-cudnn-cu12 held at 9.10.2.21: old",)
    named = replace(old, notes=("tensorflow held at 2.21.0: x", "nvidia-cudnn-cu12 held at 9.10.2.21: new"))
    assert relock.with_reasons(named, old, {}).notes == (named.notes[1], named.notes[0])
    other = _on_other_gpu(old)
    assert relock.with_reasons(fresh, other, {}).notes == relock.with_reasons(fresh, None, {}).notes == ()


def test_another_machine_loosens_what_the_old_one_held() -> None:
    """What a note of the old machine holds is free with all that only it brought; the rest is kept."""
    old = replace(cuda_lock(), notes=("nvidia-cudnn-cu12 held at 9.10.2.21: no code for 7.0",))
    assert Name("nvidia-cudnn-cu12") in relock.preferences(old, old.request, False)
    kept = relock.preferences(old, _on_other_gpu(old).request, False)
    assert Name("nvidia-cudnn-cu12") not in kept
    assert kept[Name("tensorflow")] == old.tensorflow.version
    old = replace(old, notes=(f"tensorflow held at {old.tensorflow.version}: no code for 3.7",))
    kept = relock.preferences(old, _on_other_gpu(old).request, False)
    assert not {"tensorflow", "python", "numpy"} & set(kept)


def test_what_only_the_old_lock_holds_says_so() -> None:
    """A kept pin of which there is a newer release that nothing forbids is held by the lock, until `--upgrade`."""
    old = replace(cuda_lock(), held=(), notes=())
    newer = (HeldBack(name=Name("tensorflow"), before=Version("2.99")),)
    fresh = replace(_on_other_gpu(old), held=newer)
    kept = relock.preferences(old, fresh.request, False)
    answer = relock.with_reasons(fresh, old, kept)
    assert "`tfenv lock --upgrade tensorflow` frees it" in answer.held[0].because
    assert answer.notes == (f"tensorflow held at {old.tensorflow.version}: {answer.held[0].because}",)
    assert relock.with_reasons(answer, answer, kept) == answer
    assert relock.with_reasons(replace(fresh, held=newer), replace(fresh, held=newer), kept).notes == ()


def test_a_wish_that_is_gone_holds_nothing() -> None:
    """A pin that only an earlier request bounded is held by the lock now; a wish that stays is the reason still."""
    wish = Requirement(name=Name("numpy"), specifier=SpecifierSet("<3"), source="--with numpy<3")
    lock = cpu_lock()
    reason = HeldBack(name=Name("numpy"), before=Version("9"), because="the request asks for numpy<3")
    old = replace(lock, held=(reason,), request=replace(lock.request, requirements=(wish,)))
    newer = (HeldBack(name=Name("numpy"), before=Version("9")),)
    kept = relock.preferences(old, lock.request, False)
    free = relock.with_reasons(replace(lock, held=newer, request=replace(lock.request, requirements=())), old, kept)
    assert "`tfenv lock --upgrade numpy` frees it" in free.held[0].because
    assert relock.with_reasons(replace(old, held=newer), old, kept).held == (reason,)


def _on_other_gpu(lock: Lock) -> Lock:
    return replace(lock, request=replace(lock.request, target=replace(lock.request.target, gpus=())))


def test_a_lock_that_cannot_be_read(tmp_path: Path) -> None:
    """Nothing of it is kept, and what is wrong with it is told."""
    path, told = tmp_path / "pylock.toml", list[TfenvError]()
    assert relock.existing(path, told.append) is None
    assert told == []
    path.write_text(pylock.dumps(cuda_lock()), encoding="utf-8")
    assert relock.existing(path, told.append) == cuda_lock()
    path.write_text("<<<<<<< ours\n", encoding="utf-8")
    assert relock.existing(path, told.append) is None
    assert "is not TOML" in told[0].message
