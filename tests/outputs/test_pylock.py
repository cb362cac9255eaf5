"""`pylock.toml`: valid, lossless, deterministic, and strict about what it reads."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli as tomllib
import tomlkit
from packaging.markers import Marker
from packaging.pylock import Pylock
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.hostile import HOSTILE
from tests.support.locks import cpu_lock, cuda_lock, package
from tests.support.snapshots import check
from tfenv.errors import UsageError
from tfenv.model.goal import Goal
from tfenv.model.hardware import ComputeCapability, Gpu
from tfenv.model.lock import BaseImage, Needs, Origin, Stack
from tfenv.model.package import Requirement, normalize
from tfenv.model.target import Platform, Target
from tfenv.outputs import pylock
from tfenv.outputs.toml import dumps as dump_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tfenv.model.lock import Lock

SNAPSHOTS = Path(__file__).parent / "snapshots"
LOCKS = {"cpu": cpu_lock, "cuda": cuda_lock}


@pytest.mark.parametrize("name", LOCKS)
def test_text_is_what_it_was(name: str) -> None:
    """The whole text of a lock changes only when someone means it to."""
    check(pylock.dumps(LOCKS[name]()), SNAPSHOTS / f"pylock.{name}.toml")


@pytest.mark.parametrize("name", LOCKS)
def test_read_back_it_is_the_same_lock(name: str) -> None:
    """Nothing that the lock knows is lost in its file."""
    lock = LOCKS[name]()
    assert pylock.loads(pylock.dumps(lock)) == lock


@pytest.mark.parametrize("name", LOCKS)
def test_is_valid_by_the_reference_reader(name: str) -> None:
    """`packaging` finds a valid lock of PEP 751, and in it each file that was locked."""
    lock = LOCKS[name]()
    read = Pylock.from_dict(tomllib.loads(pylock.dumps(lock)))
    files = [
        file for entry in read.packages for file in (*(entry.wheels or ()), *([entry.sdist] if entry.sdist else ()))
    ]
    assert [(file.filename, file.hashes["sha256"]) for file in files] == [
        (each.file.filename, each.file.sha256) for each in lock.packages
    ]
    assert read.created_by == "tfenv"


def test_another_machine_is_refused_by_the_reference_selector() -> None:
    """`environments` keeps a lock from being installed on a platform that it is not for."""
    read = Pylock.from_dict(tomllib.loads(pylock.dumps(cpu_lock())))
    assert read.environments is not None
    linux: dict[str, Any] = {"sys_platform": "linux", "platform_machine": "x86_64", "implementation_name": "cpython"}
    assert [each.evaluate(linux) for each in read.environments] == [True]
    assert [each.evaluate({**linux, "platform_machine": "aarch64"}) for each in read.environments] == [False]


@pytest.mark.parametrize("platform", list(Platform))
def test_every_platform_has_its_marker(platform: Platform) -> None:
    """A lock for each platform can be written and read."""
    pure = tuple(each for each in cpu_lock().packages if each.file.filename.endswith("-none-any.whl"))
    alone = tuple(replace(each, dependencies=()) for each in pure)
    lock = replace(cpu_lock(), packages=alone, target=Target(platform=platform, python=Version("3.12")))
    assert pylock.loads(pylock.dumps(lock)) == lock


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_stay_strings(text: str) -> None:
    """What users and indexes wrote is read back as it was, wherever it stands."""
    lock = replace(
        cuda_lock(),
        notes=(text, text),
        warnings=(text,),
        sources=(text,),
        facts=text,
        environment=(("NAME", text), (text or "EMPTY", "value")),
        base_image=BaseImage(reference=text, digest=text),
        request=Goal(
            indexes=(text,),
            requirements=(Requirement(name=normalize("six"), because=text, source=text),),
            target=Target(gpus=(Gpu(name=text, capability=ComputeCapability(8, 6)),), cpu=frozenset({text})),
        ),
    )
    lock = replace(lock, environment=tuple(sorted(lock.environment)))
    document = pylock.dumps(lock)
    assert pylock.loads(document) == lock
    assert set(tomllib.loads(document)) == {
        "lock-version",
        "environments",
        "requires-python",
        "created-by",
        "packages",
        "tool",
    }


def test_everything_else_is_kept_too() -> None:
    """Yanked files, build tags, ranges, pre-releases and times survive; empty parts stay empty."""
    lock = replace(
        cuda_lock(),
        packages=(
            package("h5py-3.1.0-1-cp312-cp312-manylinux2014_x86_64.whl", yanked="", index="", size=None),
            package("six-1.16.0.zip", yanked="why not"),
        ),
        stack=Stack(origin=Origin.SYSTEM, cuda=Version("10.1")),
        needs=Needs(),
        base_image=None,
        build=None,
        notes=(),
        warnings=(),
        sources=(),
        facts="",
        inputs="",
        request=Goal(
            tensorflow=SpecifierSet(">=2.15,<2.18"),
            keras=2,
            prereleases=True,
            indexes=(),
            exclude_newer=datetime(2026, 1, 31, 12, 30, 1, 5, tzinfo=UTC),
            requirements=(
                Requirement(
                    name=normalize("six"),
                    specifier=SpecifierSet("===1.16.0"),
                    any_of=(SpecifierSet("<1"), SpecifierSet(">=2")),
                    extras=frozenset({"a", "b"}),
                    marker=Marker("sys_platform == 'linux' or extra == 'x'"),
                ),
            ),
        ),
    )
    assert pylock.loads(pylock.dumps(lock)) == lock


def test_what_only_resolving_needs_is_not_kept() -> None:
    """A file's metadata hash and index page's `requires-python` are left out, as `File.kept` leaves them out."""
    lock = cpu_lock()
    told = replace(
        lock,
        packages=tuple(
            replace(each, file=replace(each.file, metadata_sha256="", requires_python=SpecifierSet(">=3")))
            for each in lock.packages
        ),
    )
    assert told != lock
    assert pylock.dumps(told) == pylock.dumps(lock)
    assert tuple(each.file.kept for each in told.packages) == tuple(each.file for each in lock.packages)


def test_what_toml_has_no_word_for_is_refused() -> None:
    """The writer takes what TOML has, and nothing else."""
    with pytest.raises(TypeError, match="TOML has no complex"):
        dump_toml({"a": 1j})
    assert dump_toml({"a": {}, "b.c": {"d": True, "e": None}}) == '\n[a]\n\n["b.c"]\nd = true\n'


def test_times_are_written_in_utc() -> None:
    """A time of elsewhere is the same time in UTC, as PEP 751 wants."""
    east = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    lock = replace(cpu_lock(), request=Goal(exclude_newer=east))
    assert "exclude-newer = 2025-12-31T23:00:00Z" in pylock.dumps(lock)


def test_no_credentials_get_in() -> None:
    """User names and passwords in URLs are dropped, wherever they come from."""
    secret = "https://user:s3cret@pypi.example.org/simple/"
    lock = replace(
        cpu_lock(),
        packages=(package("six-1.16.0-py3-none-any.whl", url=f"{secret}six-1.16.0-py3-none-any.whl", index=secret),),
        request=Goal(indexes=(secret, "https://token@other.example.org/"), exclude_newer=None),
        warnings=(f"{secret} gave no upload times",),
    )
    document = pylock.dumps(lock)
    assert "s3cret" not in document
    assert "token" not in document
    assert "https://pypi.example.org/simple/six" in document


def test_a_large_lock_is_written_at_once() -> None:
    """170 packages take a fraction of what tomlkit's own documents take, which is why they are not used."""
    many = tuple(package(f"p{number}-1.0-py3-none-any.whl", "p1", "p2") for number in range(170))
    lock = replace(cuda_lock(), packages=many)
    document = tomllib.loads(pylock.dumps(lock))
    ours = min(_seconds(lambda: pylock.dumps(lock)) for _ in range(3))
    theirs = min(_seconds(lambda: tomlkit.dumps(document)) for _ in range(2))
    assert ours * 2 < theirs


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _faults(document: str) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        pylock.loads(document, "some.toml")
    assert "some.toml" in caught.value.message
    return caught.value.faults


def _edited(change: Callable[[dict[str, Any]], object], lock: Lock | None = None) -> str:
    document = tomllib.loads(pylock.dumps(lock or cuda_lock()))
    change(document)
    return dump_toml(document)


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no version of the format": (lambda lock: lock.pop("lock-version"), "`lock-version`: is missing"),
    "a later version": (lambda lock: lock.update({"lock-version": "2.0"}), "`lock-version`: pylock version 2.0"),
    "made by nobody": (lambda lock: lock.pop("created-by"), "`created-by`: is missing"),
    "packages no array": (lambda lock: lock.update(packages=1), "`packages`: must be an array, not an integer"),
    "a package no table": (lambda lock: lock.update(packages=[1]), "`packages[0]`: must be a table"),
    "name missing": (lambda lock: lock["packages"][3].pop("name"), "`packages[3].name`: is missing"),
    "name not normalized": (
        lambda lock: lock["packages"][0].update(name="Num_Py"),
        "`packages[0].name`: `Num_Py` is not",
    ),
    "name twice": (
        lambda lock: lock["packages"].append(lock["packages"][0]),
        "`packages[6].name`: `numpy` occurs twice",
    ),
    "version no version": (
        lambda lock: lock["packages"][0].update(version="x"),
        "`packages[0].version`: Invalid version",
    ),
    "another version": (
        lambda lock: lock["packages"][0].update(version="1"),
        "`packages[0].wheels[0].name`: `numpy-2.3.5",
    ),
    "requires-python": (
        lambda lock: lock["packages"][0].update({"requires-python": ">>3"}),
        "`packages[0].requires-python`: Invalid specifier",
    ),
    "unknown dependency": (
        lambda lock: lock["packages"][0].update(dependencies=[{"name": "gone"}]),
        "`packages[0].dependencies[0].name`: `gone` is not in the lock",
    ),
    "no file": (lambda lock: lock["packages"][0].pop("wheels"), "`packages[0].wheels`: a lock of tfenv has one"),
    "two files": (
        lambda lock: lock["packages"][0].update(wheels=lock["packages"][0]["wheels"] * 2),
        "`packages[0].wheels`: a lock of tfenv has one wheel or one sdist for each package, not 2 files",
    ),
    "hashes missing": (lambda lock: lock["packages"][3]["wheels"][0].pop("hashes"), "`packages[3].wheels[0].hashes"),
    "hash short": (
        lambda lock: lock["packages"][3]["wheels"][0].update(hashes={"sha256": "ab"}),
        "`packages[3].wheels[0].hashes.sha256`: must be 64",
    ),
    "another hash": (
        lambda lock: lock["packages"][3]["wheels"][0].update(hashes={"md5": "ab"}),
        "`packages[3].wheels[0].hashes.sha256`: is missing",
    ),
    "size negative": (lambda lock: lock["packages"][0]["wheels"][0].update(size=-1), "`packages[0].wheels[0].size`"),
    "size true": (lambda lock: lock["packages"][0]["wheels"][0].update(size=True), "an integer, not true or false"),
    "time as text": (
        lambda lock: lock["packages"][0]["wheels"][0].update({"upload-time": "now"}),
        "`packages[0].wheels[0].upload-time`: must be a date with time",
    ),
    "wheel's name": (
        lambda lock: lock["packages"][0]["wheels"][0].update(name="numpy.whl"),
        "`packages[0].wheels[0].name`: Invalid wheel filename",
    ),
    "tfenv no table": (lambda lock: lock["tool"].update(tfenv=3), "`tool.tfenv`: must be a table, not an integer"),
    "format missing": (lambda lock: lock["tool"]["tfenv"].pop("format"), "`tool.tfenv.format`: is missing"),
    "origin": (
        lambda lock: lock["tool"]["tfenv"]["stack"].update(origin="moon"),
        "`tool.tfenv.stack.origin`: is `moon`, not one of none, wheels, system",
    ),
    "architecture": (
        lambda lock: lock["tool"]["tfenv"]["needs"].update(sass=["7.0", "x"]),
        "`tool.tfenv.needs.sass[1]`",
    ),
    "python unanswered": (
        lambda lock: lock["tool"]["tfenv"]["target"].pop("python"),
        "`tool.tfenv.target.python`: is mi",
    ),
    "direct": (
        lambda lock: lock["tool"]["tfenv"].update(direct=["gone"]),
        "`tool.tfenv.direct`: `gone` is not in the lock",
    ),
    "yanked": (lambda lock: lock["tool"]["tfenv"].update(yanked={"gone": ""}), "`tool.tfenv.yanked`: `gone` is not in"),
    "requirement": (
        lambda lock: lock["tool"]["tfenv"]["request"].update(requirements=[{"requirement": "six @ https://e.org/six"}]),
        "`tool.tfenv.request.requirements[0].requirement`: `six @ https://e.org/six` asks for a URL",
    ),
    "a word misspelt": (
        lambda lock: lock["tool"]["tfenv"].update(noets=[]),
        "`tool.tfenv.noets`: is not known; known keys are",
    ),
    "compiled with TensorRT": (lambda lock: lock["tool"]["tfenv"]["build"].update(tensorrt=1), "must be true or false"),
    "an array of floats": (
        lambda lock: lock["tool"]["tfenv"].update(notes=[1]),
        "`tool.tfenv.notes[0]`: must be a string",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_fault_is_named_with_its_path(name: str) -> None:
    """Each broken lock is refused with the place of its fault."""
    change, fault = CHANGES[name]
    faults = _faults(_edited(change))
    assert [each for each in faults if fault in each], faults


def test_all_faults_are_told_at_once() -> None:
    """Faults anywhere in the file come in one answer, each once."""

    def change(lock: dict[str, Any]) -> None:
        for name in ("hashes missing", "version no version", "origin", "a word misspelt"):
            CHANGES[name][0](lock)

    faults = _faults(_edited(change))
    assert len(faults) == len(set(faults)) == 4


@pytest.mark.parametrize("value", [1, True, "x", ["x"], {"x": 1}, datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_value_of_any_type_anywhere_is_read_or_refused(value: object) -> None:
    """Whatever stands in place of whatever, the answer is a lock or a list of faults."""
    small = replace(cpu_lock(), packages=cpu_lock().packages[-2:])
    refused = 0
    for place in _places(tomllib.loads(pylock.dumps(small))):
        document = tomllib.loads(pylock.dumps(small))
        within: Any = document
        for step in place[:-1]:
            within = within[step]
        within[place[-1]] = value
        try:
            pylock.loads(tomlkit.dumps(document))
        except UsageError:
            refused += 1
    assert refused > 20


def _places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in inner:
        yield (*path, step)
        yield from _places(below, (*path, step))


def test_a_fault_in_toml_is_named_with_its_line() -> None:
    """Broken TOML says where."""
    with pytest.raises(UsageError, match=r"`broken\.toml` is not TOML: .*line 2"):
        pylock.loads('lock-version = "1.0"\ncreated-by = tfenv\n', "broken.toml")


def test_the_lock_of_another_tool_is_refused() -> None:
    """A valid lock without `[tool.tfenv]` lacks what tfenv has to know, and is told so."""
    faults = _faults(_edited(lambda lock: lock.pop("tool")))
    assert faults == (
        "`tool.tfenv`: is missing: this lock was not written by tfenv and does not record what it needs of a machine",
    )


def test_of_the_lock_of_another_tool_nothing_else_is_said() -> None:
    """Keys that PEP 751 leaves optional, and several files of a package, are no faults of it."""
    text = 'lock-version = "1.0"\ncreated-by = "other"\n[[packages]]\nname = "six"\n'
    assert len(_faults(text)) == 1


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda lock: lock.update(environments=["sys_platform == 'win32'"]), "`environments`: must be"),
        (lambda lock: lock.update({"requires-python": "==3.9.*"}), "`requires-python`: must be `==3.12.*`"),
        (lambda lock: lock.update(extras=["gpu"]), "`extras`: a lock of tfenv has none"),
        (lambda lock: lock["packages"][0].update(marker="extra == 'x'"), "`packages[0].marker`: a lock of tfenv has"),
        (lambda lock: lock["packages"][0].update({"requires-python": "<3.9"}), "`packages[0].requires-python`: excl"),
        (
            lambda lock: lock["packages"][0]["wheels"][0].update(name="numpy-2.3.5-cp39-cp39-win_amd64.whl"),
            "`packages[0].wheels[0].name`: `numpy-2.3.5-cp39-cp39-win_amd64.whl` cannot be installed by Python 3.12",
        ),
    ],
)
def test_keys_that_installers_obey_agree_with_the_target(edit: Callable[[Any], Any], fault: str) -> None:
    """What would make an installer skip the lock, a package of it, or a file is refused with its dotted path."""
    (found,) = _faults(_edited(edit))
    assert found.startswith(fault)


def test_the_lock_of_a_later_tfenv_is_refused() -> None:
    """A format from the future is not guessed at."""
    with pytest.raises(UsageError, match="in format 2"):
        pylock.loads(_edited(lambda lock: lock["tool"]["tfenv"].update(format=2)))


def _digest(**change: Any) -> str:
    return pylock.inputs_digest(replace(cuda_lock().request, **change))


def test_the_digest_is_of_what_is_asked() -> None:
    """Order of requirements and who asks make no difference; what is asked does."""
    six, numpy = Requirement(name=normalize("six")), Requirement(name=normalize("numpy"), source="a.txt:1")
    asked = _digest(requirements=(six, numpy))
    assert asked == _digest(requirements=(replace(numpy, source="b.txt:7", because="so"), six, six))
    others = (
        _digest(),
        _digest(requirements=(six,)),
        _digest(constraints=(six, numpy)),
        _digest(requirements=(six, replace(numpy, specifier=SpecifierSet("<2")))),
        _digest(requirements=(six, replace(numpy, any_of=(SpecifierSet("<2"),)))),
        _digest(requirements=(six, replace(numpy, extras=frozenset({"x"})))),
        _digest(requirements=(six, replace(numpy, marker=Marker("os_name == 'nt'")))),
        _digest(prereleases=True),
        _digest(keras=2),
        _digest(tensorflow=SpecifierSet()),
        _digest(indexes=()),
        _digest(exclude_newer=datetime(2026, 1, 1, tzinfo=UTC)),
        _digest(target=Target()),
        _digest(target=replace(cuda_lock().request.target, driver=Version("535.54.3"))),
    )
    assert len({asked, *others}) == len(others) + 1
    assert len(asked) == 64
