"""The Dockerfile: its layers, what it demands of a host, and that no value can become an instruction."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from packaging.utils import is_normalized_name
from packaging.version import Version

from tests.support.hostile import HOSTILE
from tests.support.locks import architectures, cpu_lock, cuda_lock, package
from tests.support.snapshots import check
from tfenv.errors import UsageError
from tfenv.model.hardware import ComputeCapability
from tfenv.model.lock import Needs, Origin, Stack
from tfenv.model.package import Name
from tfenv.model.target import Platform
from tfenv.outputs import dockerfile
from tfenv.store.heading import is_ours

SNAPSHOTS = Path(__file__).parent / "snapshots"
LOCKS = {"cpu": cpu_lock, "cuda": cuda_lock}
NO_NAMES = [each for each in HOSTILE if not is_normalized_name(each)]
INSTRUCTIONS = {"ARG", "FROM", "RUN", "COPY", "ENV", "LABEL", "USER", "WORKDIR", "CMD"}
CAPABILITIES = [ComputeCapability(major, minor) for major in range(3, 13) for minor in range(10)]


def instructions(text: str) -> list[tuple[str, str]]:
    """Instruction and arguments, as Docker reads a file: comments dropped, continued lines joined."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\[ \t]*\n", "", kept)
    found = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(name, rest[0] if rest else "") for name, *rest in found]


def satisfied(requirement: str, driver: str, capability: ComputeCapability) -> bool:
    """What nvidia-container-cli decides: space is or, comma is and, versions compare number by number."""
    facts = {"driver": Version(driver), "arch": Version(str(capability))}
    compare = {">=": lambda a, b: a >= b, "<": lambda a, b: a < b}

    def holds(condition: str) -> bool:
        found = re.fullmatch(r"(\w+)(>=|<)([\d.]+)", condition)
        assert found is not None
        return bool(compare[found[2]](facts[found[1]], Version(found[3])))

    return any(all(map(holds, each.split(","))) for each in requirement.split(" "))


@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize("wheels", ["index", "context"])
def test_texts_are_what_they_were(name: str, wheels: Literal["index", "context"]) -> None:
    """The whole texts change only when someone means them to (the lock has snapshots of its own)."""
    lock = LOCKS[name]()
    text = dockerfile.dumps(lock, wheels=wheels).replace(dockerfile.lock_digest(lock), "DIGEST-OF-THE-LOCK")
    check(text, SNAPSHOTS / f"Dockerfile.{name}.{wheels}")


def test_is_known_as_written_by_tfenv() -> None:
    """The first line says who wrote it, so that it may be written again."""
    assert is_ours(dockerfile.dumps(cpu_lock()))


@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize("wheels", ["index", "context"])
def test_reads_as_a_dockerfile(name: str, wheels: Literal["index", "context"]) -> None:
    """Every instruction is one, every stage that is copied from exists before, every command is one of the shell."""
    stages: list[str] = []
    for instruction, arguments in instructions(dockerfile.dumps(LOCKS[name](), wheels=wheels)):
        assert instruction in INSTRUCTIONS
        if instruction == "FROM":
            stages.append(arguments.split(" AS ")[1])
        if instruction == "COPY" and (source := re.match(r"--from=(\S+)", arguments)):
            assert source[1] in stages[:-1]
        if instruction == "RUN":
            subprocess.run(["sh", "-n", "-c", arguments], check=True)
    assert stages[-1] == ("project" if wheels == "index" else "environment")


def test_every_package_is_installed_once_by_its_hash() -> None:
    """Each requirement line of the lock stands in exactly one command, and nothing else does."""
    lock = cuda_lock()
    lines = [
        line
        for instruction, arguments in instructions(dockerfile.dumps(lock))
        if instruction == "RUN"
        for line in shlex.split(arguments)
        if "--hash=" in line
    ]
    assert sorted(lines) == [f"{p.name}=={p.version} --hash=sha256:{p.file.sha256}" for p in lock.packages]


def test_layers_go_from_heavy_and_rare_to_light_and_frequent() -> None:
    """CUDA wheels first, the heaviest alone; then TensorFlow, other wheels, and what is built from source."""
    lock = cuda_lock()
    lock = replace(
        lock, packages=(*lock.packages, package("termcolor-1.1.0.tar.gz"), package("pip-25.3-py3-none-any.whl"))
    )
    assert [(layer.name, [p.name for p in layer.packages]) for layer in dockerfile.layers(lock)] == [
        ("wheel-nvidia-cudnn-cu12", ["nvidia-cudnn-cu12"]),
        ("wheel-nvidia-cublas-cu12", ["nvidia-cublas-cu12"]),
        ("wheel-nvidia-nccl-cu12", ["nvidia-nccl-cu12"]),
        ("cuda", ["nvidia-cuda-runtime-cu12"]),
        ("wheel-tensorflow", ["tensorflow"]),
        ("packages", ["numpy"]),
        ("source-distributions", ["termcolor"]),
    ]
    final = dockerfile.dumps(lock).split(" AS environment")[1]
    assert re.findall(r"--from=(?:layer-)?(\S+)", final) == ["venv", *(layer.name for layer in dockerfile.layers(lock))]


def test_a_locked_pip_installs_the_others() -> None:
    """A pip in the lock replaces the one that Python brings before the first package; without one that stays."""
    lock = replace(cpu_lock(), packages=(*cpu_lock().packages, package("pip-21.3.1-py3-none-any.whl")))
    venv = dockerfile.dumps(lock).split(" AS venv")[1].split("FROM")[0]
    assert "pip==21.3.1 --hash=sha256:" in venv
    assert "--upgrade" in venv
    assert dockerfile.installer(cpu_lock()) is None


def test_source_distributions_see_the_build_tools() -> None:
    """They are built with what the lock holds, after it, and nothing is fetched for the build."""
    stage = dockerfile.dumps(cpu_lock()).split(" AS layer-source-distributions")[1].split("FROM")[0]
    assert stage.index("COPY --from=layer-packages /layer/ /") < stage.index("--no-build-isolation")


def test_source_distributions_alone_copy_nothing() -> None:
    """No stage is copied from that is not there."""
    lock = replace(cpu_lock(), packages=(package("termcolor-1.1.0.tar.gz"),))
    assert "layer-packages" not in dockerfile.dumps(lock)


@pytest.mark.parametrize(
    ("sass", "ptx", "expected"),
    [
        ((), (), "driver>=525.60.13"),
        (("6.0", "7.0", "8.0", "8.9", "9.0"), ("9.0",), "driver>=525.60.13,arch>=6.0"),
        (("7.0",), (), "driver>=525.60.13,arch>=7.0,arch<8.0"),
        (("3.5", "7.0"), ("7.0",), "driver>=525.60.13,arch>=3.5,arch<4.0 driver>=525.60.13,arch>=7.0"),
        (("5.0", "6.0"), ("8.0",), "driver>=525.60.13,arch>=5.0,arch<7.0 driver>=525.60.13,arch>=8.0"),
        (("9.0a",), (), "driver>=525.60.13,arch>=9.0,arch<9.1"),
        (("9.0a", "10.0"), (), "driver>=525.60.13,arch>=9.0,arch<9.1 driver>=525.60.13,arch>=10.0,arch<11.0"),
    ],
)
def test_driver_and_architectures_are_demanded(sass: tuple[str, ...], ptx: tuple[str, ...], expected: str) -> None:
    """`NVIDIA_REQUIRE_CUDA` admits exactly the GPUs that the machine code or the PTX runs on."""
    needs = Needs(driver=Version("525.60.13"), sass=architectures(*sass), ptx=architectures(*ptx))
    assert dockerfile.require_cuda(needs) == expected
    for gpu in CAPABILITIES if sass else ():
        runs = any(each.sass_runs_on(gpu) for each in needs.sass) or any(each.ptx_runs_on(gpu) for each in needs.ptx)
        assert satisfied(expected, "525.60.13", gpu) == runs
        assert not satisfied(expected, "525.60.12", gpu)


def test_gpus_that_compile_need_a_newer_driver() -> None:
    """A driver that compiles what has no machine code is demanded where that is so, and only there."""
    needs = Needs(
        driver=Version("525.60.13"),
        sass=architectures("6.0", "7.0", "8.0", "9.0"),
        drivers=((ComputeCapability(9, 0), Version("555.42.02")), (ComputeCapability(12, 0), Version("570.26"))),
    )
    expected = "driver>=525.60.13,arch>=6.0,arch<9.0 driver>=555.42.2,arch>=9.0,arch<10.0"
    assert dockerfile.require_cuda(needs) == expected
    assert satisfied(expected, "525.60.13", ComputeCapability(8, 9))
    assert not satisfied(expected, "550.54.14", ComputeCapability(9, 0))
    assert satisfied(expected, "555.42.2", ComputeCapability(9, 0))
    onwards = replace(needs, ptx=architectures("9.0"))
    assert dockerfile.require_cuda(onwards) == (
        "driver>=525.60.13,arch>=6.0,arch<9.0 driver>=555.42.2,arch>=9.0,arch<12.0 driver>=570.26,arch>=12.0"
    )


def test_a_cpu_lock_demands_no_gpu() -> None:
    """An image for the CPU starts on any host and asks for no NVIDIA runtime."""
    assert dockerfile.require_cuda(Needs()) == ""
    assert "NVIDIA" not in dockerfile.dumps(cpu_lock())


def test_cuda_of_the_base_image_brings_a_python() -> None:
    """An image of NVIDIA has CUDA but no Python, so the distribution's is installed; the loader path stays as it is."""
    stack = Stack(origin=Origin.SYSTEM, cuda=Version("10.1"), cudnn=Version("7.6"))
    text = dockerfile.dumps(replace(cuda_lock(), stack=stack), base="nvidia/cuda:10.1-cudnn7-runtime-ubuntu18.04")
    assert "apt-get install --yes --no-install-recommends python3.12 python3.12-venv" in text
    assert "ld.so.conf.d" not in text


def test_the_base_goes_by_digest_if_that_is_known() -> None:
    """The digest of the lock decides what is built on, and another base replaces all of it."""
    lock = cpu_lock()
    assert lock.base_image is not None
    assert f'ARG BASE_IMAGE="{lock.base_image.reference}@{lock.base_image.digest}"' in dockerfile.dumps(lock)
    assert 'ARG BASE_IMAGE="localhost:5000/a/b:1"' in dockerfile.dumps(lock, base="localhost:5000/a/b:1")


def test_the_index_can_be_another() -> None:
    """The lock's indexes are defaults of build arguments, in their order."""
    text = dockerfile.dumps(cuda_lock())
    assert 'ARG PIP_INDEX_URL="https://pypi.example.org/simple/"' in text
    assert 'ARG PIP_EXTRA_INDEX_URL="https://pypi.org/simple/"' in text
    assert "PIP_EXTRA_INDEX_URL" not in dockerfile.dumps(cpu_lock())


def test_certificate_authorities_stay_out_of_the_image() -> None:
    """A bundle is given to the stages that download, and to them only."""
    text = dockerfile.dumps(cpu_lock(), ca=True)
    assert "COPY ca.pem /ca.pem" in text.split(" AS venv")[1].split("FROM")[0]
    assert "ca.pem" not in text.split(" AS environment")[1]
    assert "ca.pem" not in dockerfile.dumps(cpu_lock())


def test_aarch64_is_named_as_engines_name_it() -> None:
    """Built for the target's processor, whatever the host has."""
    lock = replace(cpu_lock(), target=replace(cpu_lock().target, platform=Platform.LINUX_AARCH64))
    assert "FROM --platform=linux/arm64 " in dockerfile.dumps(lock)


def test_wsl_runs_the_images_of_linux() -> None:
    """A lock for WSL makes the same image."""
    lock = replace(cpu_lock(), target=replace(cpu_lock().target, platform=Platform.WSL))
    assert "FROM --platform=linux/amd64 " in dockerfile.dumps(lock)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base_image": None}, "names no base image"),
        ({"target": replace(cpu_lock().target, platform=Platform.MACOS_ARM64)}, "no images for macos-arm64"),
        ({"target": replace(cpu_lock().target, python=None)}, "names no Python"),
        ({"environment": (("A B", "1"),)}, "'A B' is not a name of a variable"),
        ({"environment": (("A", "1\nRUN false"),)}, "control characters"),
    ],
)
def test_what_cannot_be_an_image_is_refused(change: dict[str, object], message: str) -> None:
    """The error says what is missing or wrong."""
    with pytest.raises(UsageError, match=message):
        dockerfile.dumps(replace(cpu_lock(), **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", HOSTILE)
def test_values_stay_values(value: str) -> None:
    """A variable holds what it was given, or is refused; either way no instruction is added."""
    plain = [name for name, _ in instructions(dockerfile.dumps(cpu_lock()))]
    try:
        text = dockerfile.dumps(replace(cpu_lock(), environment=(("TF_USE_LEGACY_KERAS", value),)))
    except UsageError:
        assert not value.isprintable()
        return
    assert [name for name, _ in instructions(text)] == plain
    line = next(arguments for name, arguments in instructions(text) if name == "ENV" and "LEGACY" in arguments)
    assert re.sub(r"\\(.)", r"\1", line.partition("TF_USE_LEGACY_KERAS=")[2][1:-1]) == value


@pytest.mark.parametrize("value", HOSTILE)
def test_indexes_stay_values(value: str) -> None:
    """The URL of an index is quoted as any other value."""
    lock = replace(cpu_lock(), request=replace(cpu_lock().request, indexes=(value,)))
    plain = [name for name, _ in instructions(dockerfile.dumps(cpu_lock()))]
    try:
        assert [name for name, _ in instructions(dockerfile.dumps(lock))] == plain
    except UsageError:
        assert not value.isprintable()


@pytest.mark.parametrize(
    "value", [*(each for each in HOSTILE if not is_normalized_name(each)), "A", "a b", "a@sha256:12", "a:b:c/d"]
)
def test_a_base_must_be_a_reference(value: str) -> None:
    """Whatever is no reference of an image is refused."""
    with pytest.raises(UsageError, match=r"reference of an image|names no base image"):
        dockerfile.dumps(replace(cpu_lock(), base_image=None), base=value)


@pytest.mark.parametrize("value", NO_NAMES)
@pytest.mark.parametrize("field", ["name", "sha256", "filename"])
def test_packages_must_be_what_they_seem(value: str, field: str) -> None:
    """A name, a hash or a filename that could mean something else is refused, and told."""
    locked = cpu_lock().packages[0]
    if field == "name":
        changed = replace(locked, name=Name(value))
    elif field == "filename":
        changed = replace(locked, file=replace(locked.file, filename=f"{value}/../six.whl"))
    else:
        changed = replace(locked, file=replace(locked.file, sha256=value))
    with pytest.raises(UsageError, match="no Dockerfile can be made from this lock"):
        dockerfile.dumps(replace(cpu_lock(), packages=(changed,)))


def test_a_lock_without_tensorflow_is_labelled_all_the_same() -> None:
    """Nothing is said of a version that is not there."""
    text = dockerfile.dumps(replace(cpu_lock(), packages=cpu_lock().packages[:1]))
    assert 'image.title="Python 3.13"' in text
    assert "image.version" not in text
