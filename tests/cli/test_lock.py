"""`tfenv lock` from the command line to the files, against a small index."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.outputs import pylock

if TYPE_CHECKING:
    from tests.support.commands import Tfenv
    from tests.support.index_server import FakeIndex
    from tfenv.model.lock import Lock

FILES = ("pylock.toml", "environment.yml", "Dockerfile")


def _lock(name: str = "pylock.toml") -> Lock:
    return pylock.loads(Path(name).read_text(encoding="utf-8"))


def _pins(name: str = "pylock.toml") -> dict[str, str]:
    return {package.name: str(package.version) for package in _lock(name).packages}


def test_three_files_and_the_same_bytes_again(tfenv: Tfenv, index: FakeIndex) -> None:
    """One command writes three files; the same command again changes none."""
    ran = tfenv("lock", "--gpu", "none", "--index-url", index.url)
    assert ran.code == 0
    assert "tensorflow-cpu 2.20.0 · Python 3.13 · CPU only" in ran.err
    assert "wrote pylock.toml environment.yml Dockerfile" in ran.err
    assert not ran.out
    first = [Path(name).read_bytes() for name in FILES]
    assert tfenv("lock", "--gpu", "none", "--index-url", index.url).code == 0
    assert [Path(name).read_bytes() for name in FILES] == first
    assert _pins() == {"numpy": "2.1.0", "tensorflow-cpu": "2.20.0"}


def test_gpu_decides_the_cudnn(tfenv: Tfenv, index: FakeIndex) -> None:
    """A V100 gets the last cuDNN with code for it, an A100 the newest."""
    ran = tfenv("lock", "--gpu", "v100", "--index-url", index.url)
    assert ran.code == 0
    assert "nvidia-cudnn-cu12 held at 9.10.2.21" in ran.err
    assert "driver ≥ 525.60.13" in ran.err
    assert _pins()["nvidia-cudnn-cu12"] == "9.10.2.21"
    first = Path("pylock.toml").read_bytes()
    assert "held at 9.10.2.21" in tfenv("lock", "--gpu", "v100", "--index-url", index.url).err
    assert Path("pylock.toml").read_bytes() == first
    assert tfenv("lock", "--gpu", "a100", "--upgrade", "--index-url", index.url).code == 0
    assert _pins()["nvidia-cudnn-cu12"] == "9.11.0.98"


def test_what_was_seen_to_work_before_what_is_newest(tfenv: Tfenv, index: FakeIndex) -> None:
    """Of a range the release with evidence is taken and told, the newest where that is asked for."""
    for version in ("9.24.0.43", "9.28.0.42"):
        index.add_wheel("nvidia-cudnn-cu12", version, tags="py3-none-manylinux_2_27_x86_64")
    ran = tfenv("lock", "--gpu", "a100", "--index-url", index.url)
    assert ran.code == 0
    assert "nvidia-cudnn-cu12 9.24.0.43 was seen to work" in ran.err
    assert _pins()["nvidia-cudnn-cu12"] == "9.24.0.43"
    ran = tfenv("lock", "--gpu", "a100", "--upgrade", "--prefer", "newest", "--index-url", index.url)
    assert _pins()["nvidia-cudnn-cu12"] == "9.28.0.42"
    assert "was seen to work" not in ran.err
    assert _lock().request.newest
    assert tfenv("lock", "--check", "--gpu", "a100", "--prefer", "newest", "--index-url", index.url).code == 0
    assert tfenv("lock", "--gpu", "v100", "--upgrade", "--index-url", index.url).code == 0
    assert _pins()["nvidia-cudnn-cu12"] == "9.10.2.21"
    ran = tfenv("lock", "--prefer", "oldest", "--index-url", index.url)
    assert (ran.code, "neither evidence nor newest" in ran.err) == (2, True)


def test_keras_2(tfenv: Tfenv, index: FakeIndex) -> None:
    """`--keras 2` brings `tf-keras` of the same minor, and the variable wherever one is set."""
    for version, bound in (("2.19.0", "tensorflow>=2.19,<2.20"), ("2.20.1", "tensorflow>=2.20,<2.21")):
        index.add_wheel("tf-keras", version, requires=[bound])
    ran = tfenv("lock", "--keras", "2", "--tf", "2.19", "--index-url", index.url)
    assert ran.code == 0
    assert "TF_USE_LEGACY_KERAS=1 is set by the image" in ran.err
    assert _pins()["tf-keras"] == "2.19.0"
    assert _lock().environment == (("TF_USE_LEGACY_KERAS", "1"),)
    assert 'TF_USE_LEGACY_KERAS="1"' in Path("Dockerfile").read_text(encoding="utf-8")
    assert '"TF_USE_LEGACY_KERAS": "1"' in Path("environment.yml").read_text(encoding="utf-8")
    assert tfenv("lock", "--keras", "4", "--index-url", index.url).code == 2


def test_kept_unless_upgraded(tfenv: Tfenv, index: FakeIndex) -> None:
    """What is locked stays when something newer appears, until it is asked for by name or altogether."""
    assert tfenv("lock", "--python", "3.12", "--index-url", index.url).code == 0
    index.add_wheel("numpy", "2.2.0", requires_python=">=3.9")
    index.add_wheel("six", "1.0")
    again = ("lock", "--python", "3.12", "--index-url", index.url, "--with", "six")
    assert tfenv(*again).code == 0
    assert _pins()["numpy"] == "2.1.0"
    assert tfenv(*again, "--upgrade", "six").code == 0
    assert _pins()["numpy"] == "2.1.0"
    # TensorFlow is kept too, though another distribution answers for it
    assert tfenv("lock", "--tf", "2.19", "--upgrade", "--index-url", index.url).code == 0
    assert tfenv("lock", "--index-url", index.url).code == 0
    assert _pins()["tensorflow-cpu"] == "2.19.1"
    assert tfenv("lock", "--upgrade", "tensorflow", "--index-url", index.url).code == 0
    assert _pins()["tensorflow-cpu"] == "2.20.0"
    # the page of numpy is cached for some minutes: a new cache sees the new release
    assert tfenv(*again, "--upgrade", "--exclude-newer", "2030-01-01").code == 0


def test_check_says_whether_the_lock_still_answers(tfenv: Tfenv, index: FakeIndex) -> None:
    """`--check` ends with 0 for the same request, with 8 and the difference for another, and writes nothing."""
    ran = tfenv("lock", "--check", "--index-url", index.url)
    assert (ran.code, "pylock.toml" in ran.err) == (8, True)
    assert not Path("pylock.toml").exists()
    assert tfenv("lock", "--index-url", index.url).code == 0
    before = Path("pylock.toml").read_bytes()
    assert tfenv("lock", "--check", "--index-url", index.url).code == 0
    ran = tfenv("lock", "--check", "--tf", "2.19", "--index-url", index.url)
    assert ran.code == 8
    assert "TensorFlow was any, now ==2.19.*" in ran.err
    assert Path("pylock.toml").read_bytes() == before


def test_check_of_a_lock_by_an_older_tfenv(tfenv: Tfenv, index: FakeIndex) -> None:
    """A lock for the same request with the digest of another tfenv is up to date, and `--check` says who wrote it."""
    assert tfenv("lock", "--tf", "2.20", "--index-url", index.url).code == 0
    lock = Path("pylock.toml")
    lock.write_text(re.sub(r'(?m)^inputs = ".*"$', f'inputs = "{"0" * 64}"', lock.read_text()))
    ran = tfenv("lock", "--check", "--tf", "2.20", "--index-url", index.url)
    assert ran.code == 0
    assert "pylock.toml was written by an older tfenv" in ran.err
    ran = tfenv("lock", "--check", "--tf", "2.19", "--index-url", index.url)
    assert ran.code == 8
    assert "TensorFlow was ==2.20.*, now ==2.19.*" in ran.err


def test_check_reads_a_lock_that_was_changed_by_hand(tfenv: Tfenv, index: FakeIndex) -> None:
    """A lock that says it answers the request, but is not what was written for it, is read; a damaged one is none."""
    assert tfenv("lock", "--index-url", index.url).code == 0
    text = Path("pylock.toml").read_text(encoding="utf-8")
    Path("pylock.toml").write_text(f"{text}\n# a remark\n", encoding="utf-8")
    assert tfenv("lock", "--check", "--index-url", index.url).code == 0
    for damaged in (text.replace('sha256 = "', 'sha256 = "x', 1), text.replace("[[packages]]", "[[package]]")):
        assert damaged != text
        Path("pylock.toml").write_text(damaged, encoding="utf-8")
        assert tfenv("lock", "--check", "--index-url", index.url).code == 8


def test_dry_run_and_json(tfenv: Tfenv, index: FakeIndex) -> None:
    """A dry run tells and writes nothing; `--json` is one document on standard output."""
    ran = tfenv("lock", "--dry-run", "--json", "--tf", "2.19", "--index-url", index.url)
    assert ran.code == 0
    told = json.loads(ran.out)
    assert told["tensorflow"] == "2.19.1"
    assert told["python"] == "3.12"
    assert told["packages"]["numpy"] == "2.1.0"
    assert told["files"] == []
    assert not list(Path().iterdir())


def test_targets_stand_side_by_side(tfenv: Tfenv, index: FakeIndex) -> None:
    """Each target of a project has files of its own, and the project's keys count."""
    Path("pyproject.toml").write_text(
        f'[tool.tfenv]\nindex-url = "{index.url}"\nwith = ["typing-extensions"]\n'
        '[tool.tfenv.targets.old]\ntf = "2.19"\npython = "3.11"\n',
        encoding="utf-8",
    )
    assert tfenv("lock").code == 0
    assert tfenv("lock", "--target", "old").code == 0
    assert sorted(path.name for path in Path().iterdir()) == [
        "Dockerfile",
        "Dockerfile.old",
        "environment.old.yml",
        "environment.yml",
        "pylock.old.toml",
        "pylock.toml",
        "pyproject.toml",
    ]
    assert _pins()["tensorflow-cpu"] == "2.20.0"
    assert _pins("pylock.old.toml")["tensorflow-cpu"] == "2.19.1"
    assert str(_lock("pylock.old.toml").target.python) == "3.11"


def test_requirements_and_constraints(tfenv: Tfenv, index: FakeIndex) -> None:
    """A requirements file adds, a constraints file only bounds; whoever names TensorFlow bounds it."""
    Path("requirements.txt").write_text("tensorflow<2.20\nsix  # wanted\n", encoding="utf-8")
    Path("bounds.txt").write_text("numpy<2\nunheard-of<1\n", encoding="utf-8")
    index.add_wheel("six", "1.0")
    ran = tfenv("lock", "-r", "requirements.txt", "-c", "bounds.txt", "--index-url", index.url)
    assert ran.code == 0
    assert _pins() == {"numpy": "1.26.4", "six": "1.0", "tensorflow-cpu": "2.19.1"}


def test_no_solution_names_wheels_and_machine(tfenv: Tfenv, index: FakeIndex) -> None:
    """An impossible request ends with 3 and the reasons, and writes nothing."""
    ran = tfenv("lock", "--tf", "2.20", "--python", "3.9", "--index-url", index.url)
    assert ran.code == 3
    assert ran.err.startswith("error: ")
    assert "3.9" in ran.err
    ran = tfenv("lock", "--gpu", "k80", "--index-url", index.url, "--json")
    assert ran.code == 3
    assert json.loads(ran.out)["error"]["code"] == "no-solution"
    ran = tfenv("lock", "--gpu", "a100", "--driver", "418.87", "--index-url", index.url)
    assert ran.code == 3
    assert "525.60.13" in ran.err
    assert not list(Path().iterdir())


def test_bad_usage(tfenv: Tfenv, index: FakeIndex) -> None:
    """What cannot be understood ends with 2, all faults at once, and the nearest names."""
    ran = tfenv("lock", "--gpu", "RTX 3099", "--platform", "beos", "--glibc", "new", "--index-url", index.url)
    assert ran.code == 2
    for part in ("RTX 3099", "RTX 3090", "beos", "linux-x86_64", "`--glibc`: `new`"):
        assert part in ran.err
    assert tfenv("lock", "--gpu", "none", "--gpu", "v100").code == 2
    assert tfenv("lock", "--tf", "newest").code == 2
    assert tfenv("lock", "--exclude-newer", "yesterday").code == 2
    assert tfenv("lock", "--with", "numpy @ https://example.org/numpy.whl").code == 2
    assert tfenv("lock", "--gpu", "cuda11", "--gpu", "cuda12").code == 2
    assert tfenv("lock", "--no-such-option").code == 2


def test_foreign_files_are_not_overwritten(tfenv: Tfenv, index: FakeIndex) -> None:
    """A Dockerfile of one's own stays, unless `--force`; nothing else is written then either."""
    Path("Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    ran = tfenv("lock", "--index-url", index.url)
    assert ran.code == 2
    assert "--force" in ran.err
    assert [path.name for path in Path().iterdir()] == ["Dockerfile"]
    assert tfenv("lock", "--force", "--index-url", index.url).code == 0


def test_index_that_fails(tfenv: Tfenv, index: FakeIndex) -> None:
    """An index that answers 404 to everything has no solution; one that is not there ends with 4 and its URL."""
    index.fault("/simple/tensorflow/", times=100, status=404)
    assert tfenv("lock", "--index-url", index.url).code == 3
    ran = tfenv("lock", "--offline", "--index-url", "http://127.0.0.1:9/simple/")
    assert ran.code == 4
    assert "127.0.0.1:9" in ran.err
    assert not list(Path().iterdir())


def test_credentials_stay_out_of_every_file(tfenv: Tfenv) -> None:
    """A password of an index is used, and written nowhere."""
    from tests.support.index_server import FakeIndex as Private

    with Private(auth=("user", "secret-word")) as private:
        private.add_wheel("tensorflow-cpu", "2.20.0", tags="cp312-cp312-manylinux_2_27_x86_64")
        private.add_wheel("tensorflow", "2.20.0", tags="cp312-cp312-manylinux_2_27_x86_64")
        assert tfenv("lock", "--index-url", private.url).code == 4
        assert tfenv("lock", "--index-url", private.url_with("user", "secret-word"), "--requirements-txt").code == 0
    written = [path for path in Path().rglob("*") if path.is_file()]
    assert len(written) == 4
    assert not [path for path in written if b"secret-word" in path.read_bytes()]


def test_release_newer_than_the_database(tfenv: Tfenv, index: FakeIndex) -> None:
    """A release the facts lack is read off its wheel while locking, used, and said."""
    build_info = (
        b"import collections\nbuild_info = collections.OrderedDict([('cpu_compiler', 'clang'), "
        b"('cuda_compute_capabilities', ['sm_80', 'compute_90']), ('cuda_version', '12.5.1'), "
        b"('cudnn_version', '9'), ('is_cuda_build', True), ('is_rocm_build', False), "
        b"('is_tensorrt_build', False)])\n"
    )
    index.add_wheel(
        "tensorflow",
        "2.99.0",
        requires=["numpy", "nvidia-cudnn-cu12; extra == 'and-cuda'", "nvidia-cuda-runtime-cu12; extra == 'and-cuda'"],
        extras=["and-cuda"],
        tags="cp312-cp312-manylinux_2_27_x86_64",
        members={"tensorflow/python/platform/build_info.py": build_info},
    )
    ran = tfenv("lock", "--gpu", "a100", "--index-url", index.url)
    assert ran.code == 0, ran.err
    assert "tensorflow 2.99.0 is not in the database: its facts were read off its wheel" in ran.err
    build = _lock().build
    assert build is not None
    assert [str(each) for each in build.ptx] == ["9.0"]
    # and its facts count: it has nothing for a V100, so the older release is taken
    assert tfenv("lock", "--gpu", "v100", "--index-url", index.url).code == 0
    assert _pins()["tensorflow"] == "2.20.0"


def test_what_check_calls_broken_is_not_locked(tfenv: Tfenv, index: FakeIndex) -> None:
    """Two distributions that write the same files: refused with the reason, locked on demand, and the lock says so."""
    for name in ("opencv-python", "opencv-python-headless"):
        index.add_wheel(name, "4.10.0.84")
    asked = ("--with", "opencv-python", "--with", "opencv-python-headless", "--index-url", index.url)
    ran = tfenv("lock", *asked)
    assert ran.code == 3
    assert "each writes cv2/__init__.py" in ran.err
    assert "--force-broken" in ran.err
    assert tfenv("lock", *asked, "--force-broken").code == 0
    lock = _lock()
    assert lock.request.force_broken
    assert any("locked with `--force-broken`" in line for line in lock.warnings)
    assert tfenv("check", "pylock.toml", "--offline").code == 1
