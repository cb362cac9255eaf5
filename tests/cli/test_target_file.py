"""A machine written down by `doctor --save` is locked for elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.recorded_host import RecordedHost
from tfenv.machine.detect import detect
from tfenv.outputs import pylock
from tfenv.workflow.profile import save, target_of

if TYPE_CHECKING:
    from tests.support.commands import Tfenv
    from tests.support.index_server import FakeIndex

HOSTS = Path(__file__).parent.parent / "machine" / "hosts"


def test_the_target_is_that_of_the_machine(tfenv: Tfenv, index: FakeIndex) -> None:
    """The lock is for the machine of the file; what is said besides replaces a part of it."""
    host = RecordedHost.load(HOSTS / "two_kinds.toml")
    machine = detect(host, nvml=host.nvml)
    save(machine, Path("profile.toml"))
    ran = tfenv("lock", "--target-file", "profile.toml", "--index-url", index.url)
    assert ran.code == 0, ran.err
    wanted, asked = target_of(machine), pylock.loads(Path("pylock.toml").read_text(encoding="utf-8")).request
    assert asked.target == wanted
    ran = tfenv("lock", "--target-file", "profile.toml", "--check", "--index-url", index.url)
    assert ran.code == 0
    other = ("--driver", "535.104.05", "--glibc", "2.36", "--python", "3.12")
    assert tfenv("lock", "--target-file", "profile.toml", *other, "--index-url", index.url).code == 0
    target = pylock.loads(Path("pylock.toml").read_text(encoding="utf-8")).request.target
    assert (str(target.driver), str(target.glibc), str(target.python)) == ("535.104.5", "2.36", "3.12")
    assert target.gpus == wanted.gpus
    assert tfenv("lock", "--target-file", "nowhere.toml").code == 2


def test_another_gpu_than_that_of_the_machine(tfenv: Tfenv, index: FakeIndex) -> None:
    """`--gpu none` leaves the GPUs of the file alone, and their driver."""
    host = RecordedHost.load(HOSTS / "two_kinds.toml")
    save(detect(host, nvml=host.nvml), Path("profile.toml"))
    ran = tfenv("lock", "--target-file", "profile.toml", "--gpu", "none", "--index-url", index.url)
    assert ran.code == 0, ran.err
    target = pylock.loads(Path("pylock.toml").read_text(encoding="utf-8")).request.target
    assert (target.gpus, target.driver) == ((), None)
    assert target.cpu
