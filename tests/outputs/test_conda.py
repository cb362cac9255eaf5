"""`environment.yml` and `requirements.txt`: what conda and pip read is what was locked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import rattler
import yaml
from packaging.requirements import Requirement as PackagingRequirement
from packaging.version import Version

from tests.support.hostile import HOSTILE
from tests.support.locks import cpu_lock, cuda_lock, package
from tests.support.snapshots import check
from tfenv.model.goal import Goal
from tfenv.model.lock import Origin, Stack
from tfenv.model.target import Target
from tfenv.outputs import conda, requirements
from tfenv.store.heading import FIRST_LINE, is_ours

if TYPE_CHECKING:
    from tfenv.model.lock import Lock

SNAPSHOTS = Path(__file__).parent / "snapshots"
LOCKS = {"cpu": cpu_lock, "cuda": cuda_lock}


def read(lock: Lock) -> dict[str, Any]:
    """The environment as YAML readers see it."""
    document = yaml.safe_load(conda.dumps(lock))
    assert isinstance(document, dict)
    return document


def system(cuda: str, cudnn: str | None, python: str = "3.7") -> Lock:
    """A lock whose CUDA libraries do not come from wheels."""
    return replace(
        cuda_lock(),
        target=Target(python=Version(python)),
        stack=Stack(origin=Origin.SYSTEM, cuda=Version(cuda), cudnn=None if cudnn is None else Version(cudnn)),
    )


@pytest.mark.parametrize("name", LOCKS)
def test_texts_are_what_they_were(name: str) -> None:
    """The whole texts change only when someone means them to."""
    check(conda.dumps(LOCKS[name]()), SNAPSHOTS / f"environment.{name}.yml")
    check(requirements.dumps(LOCKS[name]()), SNAPSHOTS / f"requirements.{name}.txt")


@pytest.mark.parametrize("name", LOCKS)
def test_pip_gets_every_package_by_hash(name: str) -> None:
    """The pip list of conda, and the requirements file, pin each locked file and no other."""
    lock = LOCKS[name]()
    wanted = [f"{each.name}=={each.version} --hash=sha256:{each.file.sha256}" for each in lock.packages]
    entries = read(lock)["dependencies"][-1]["pip"]
    assert [entry for entry in entries if not entry.startswith("--")] == wanted
    text = requirements.dumps(lock).replace(" \\\n    ", " ")
    assert [line for line in text.splitlines() if line[0] not in "-#"] == wanted
    assert all(PackagingRequirement(line.split(" --")[0]).specifier for line in wanted)


@pytest.mark.parametrize(
    ("lock", "specs"),
    [
        (cpu_lock(), ["python=3.13", "pip"]),
        (cuda_lock(), ["python=3.12", "pip"]),
        (system("10.1", "7.6"), ["python=3.7", "cudatoolkit=10.1", "cudnn>=7.6,<8", "pip"]),
        (system("11.2.1", "8.1.0.77"), ["python=3.7", "cudatoolkit=11.2", "cudnn>=8.1,<9", "pip"]),
        (system("10.0", None), ["python=3.7", "cudatoolkit=10.0", "pip"]),
        (system("12.3", "8.9", "3.11"), ["python=3.11", "cuda-version=12.3", "cuda-libraries", "cudnn>=8.9,<9", "pip"]),
        (replace(cpu_lock(), target=Target(), stack=Stack(origin=Origin.SYSTEM)), ["python", "pip"]),
    ],
)
def test_conda_gets_python_and_what_no_wheel_brings(lock: Lock, specs: list[str]) -> None:
    """Python is conda's part, and CUDA where it comes from the system; conda's own parser reads each line."""
    found = read(lock)["dependencies"][:-1]
    assert found == specs
    for spec in found:
        assert rattler.MatchSpec(spec).name is not None


def test_old_cuda_comes_from_the_channel_that_has_it() -> None:
    """conda-forge begins with CUDA 9.2; what is older is in `main` only."""
    assert read(system("9.0", "7.0", "3.6"))["channels"] == ["conda-forge", "main", "nodefaults"]
    assert read(system("9.2", "7.0", "3.6"))["channels"] == ["conda-forge", "nodefaults"]
    assert read(cuda_lock())["channels"] == ["conda-forge", "nodefaults"]


def test_the_loader_path_is_told_where_it_is_needed() -> None:
    """TensorFlow before CUDA 12 finds neither conda's libraries nor those of wheels by itself, which the file says."""
    wheels = cuda_lock().stack
    assert "LD_LIBRARY_PATH=$CONDA_PREFIX/lib\n" in conda.dumps(system("10.1", "7.6"))
    eleven = conda.dumps(replace(cuda_lock(), stack=replace(wheels, cuda=Version("11.8"))))
    assert "/lib/python*/site-packages/nvidia/*/lib" in eleven
    assert "LD_LIBRARY_PATH" not in conda.dumps(cuda_lock())
    assert "LD_LIBRARY_PATH" not in conda.dumps(cpu_lock())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_stay_values(text: str) -> None:
    """The value and the name of a variable are read back as they are, and nothing else changes."""
    lock = replace(cpu_lock(), environment=(("NAME", text), (f"X{text}", "1")))
    plain = read(replace(cpu_lock(), environment=()))
    assert read(lock) == {**plain, "variables": {"NAME": text, f"X{text}": "1"}}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_indexes_stay_one_option(text: str) -> None:
    """An index cannot bring options or lines of its own, whatever is in its URL."""
    index = f"https://pypi.example.org/{text}"
    lock = replace(cpu_lock(), request=Goal(indexes=(index, "https://pypi.org/simple/")))
    expected = requirements.dumps(
        replace(lock, request=Goal(indexes=("https://pypi.example.org/", lock.request.indexes[1])))
    )
    lines, wanted = requirements.dumps(lock).split("\n"), expected.split("\n")
    assert lines[1].startswith("--index-url https://pypi.example.org/")
    assert len(lines[1].split()) == 2
    assert lines[:1] + lines[2:] == wanted[:1] + wanted[2:]
    pip = read(lock)["dependencies"][-1]["pip"]
    assert [pip[0], pip[1]] == lines[1:3]


def test_no_credentials_get_in() -> None:
    """Indexes are named without their passwords, and PyPI alone is not named at all."""
    lock = replace(cpu_lock(), request=Goal(indexes=("https://user:s3cret@pypi.example.org/simple/#at",)))
    for text in (conda.dumps(lock), requirements.dumps(lock)):
        assert "s3cret" not in text
        assert "--index-url https://pypi.example.org/simple/" in text
    assert "--index-url" not in requirements.dumps(cpu_lock())


def test_local_versions_and_epochs_pass() -> None:
    """Versions with all that PEP 440 allows come through YAML as they are."""
    lock = replace(cpu_lock(), packages=(package("odd-1!2.0rc1.post2.dev3+local.1-py3-none-any.whl"),))
    entry = read(lock)["dependencies"][-1]["pip"][0]
    assert entry.startswith("odd==1!2.0rc1.post2.dev3+local.1 --hash=sha256:")


def test_tfenv_knows_its_own_files() -> None:
    """The first line tells them from those of others, a byte order mark or not."""
    assert is_ours(conda.dumps(cpu_lock()))
    assert is_ours("\ufeff" + requirements.dumps(cpu_lock()))
    assert not is_ours("FROM python\n" + FIRST_LINE)
