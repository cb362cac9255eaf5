"""What a base image brings, by its name and tag."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.facts.contents import split
from tfenv.inputs.configuration import read_platform
from tfenv.inputs.docker.stage import NONE, Stage
from tfenv.model.configuration import Configuration, DriverFloor
from tfenv.model.package import normalize
from tfenv.model.target import Machine, Platform

if TYPE_CHECKING:
    from tfenv.facts.contents import ImageContents
    from tfenv.facts.images import ImageTable

_CUDA = re.compile(r"nvidia/cuda(?:-\w+)?:(?P<cuda>\d+\.\d+)(?:\.\d+)?(?P<rest>\S*)")
_CUDNN = re.compile(r"cudnn(?P<cudnn>\d+(?:\.\d+)*)")
_PYTHON = re.compile(r"(?:^|[/:-])python-?(?P<dotted>:?\d+\.\d+(?:\.\d+)?)(?![\d.])|[:-]py(?P<joined>3\d{1,2})(?!\d)")
_TENSORFLOW = re.compile(r"tensorflow/tensorflow:(?P<tf>\d+\.\d+\.\d+)(?P<variant>[\w.-]*)")
_ARM = re.compile(r"(?:^|[/:_-])(?:arm64v8|aarch64|arm64|sbsa|l4t|igpu|jetson)(?=[/:_-]|$)")
_OTHER = re.compile(r"(?:^|/)(?P<other>i386|arm32v[567]|ppc64le|s390x|riscv64|mips64le|balenalib/armv7hf)/")
_OFFICIAL = "docker.io/library/"
_BARE = ("ubuntu", "debian", "centos", "fedora", "rockylinux", "almalinux", "amazonlinux", "python", "oraclelinux")
"""Official images that hold no CUDA."""
_CODENAMES = {
    "trixie": "debian 13",
    "bookworm": "debian 12",
    "bullseye": "debian 11",
    "buster": "debian 10",
    "stretch": "debian 9",
    "jessie": "debian 8",
    "noble": "ubuntu 24.04",
    "jammy": "ubuntu 22.04",
    "focal": "ubuntu 20.04",
    "bionic": "ubuntu 18.04",
    "xenial": "ubuntu 16.04",
}


def stage_of(reference: str, images: ImageTable, *, platform: str | None = None) -> Stage:
    """A stage that starts from a published image.

    Args:
        reference: as in `FROM`.
        images: images that are known.
        platform: as in `--platform` (`linux/arm64`).
    """
    bare = reference.split("@", maxsplit=1)[0]
    contents = images.contents.of(reference) or images.contents.of(_mirrored(bare))
    stage = _of_name(bare, images) if contents is None else _of_contents(bare, contents, images)
    if (match := _OTHER.search(bare)) is not None:
        stage.known = stage.known.on(platform=None, foreign=match["other"])
    elif _ARM.search(bare) is not None:
        stage.known = stage.known.on(platform=Platform.LINUX_AARCH64)
    if platform is not None and "$" not in platform and stage.known.machine.foreign is None:
        system, _, machine = platform.partition("/")
        found, foreign = read_platform(system, machine or "amd64")
        stage.known = stage.known.on(platform=found, foreign=foreign)
    return stage


def _mirrored(bare: str) -> str:
    """The name on Docker Hub of an image that another registry may mirror, under the same path or one of its own."""
    path, _, tag = bare.rpartition(":") if ":" in bare.rpartition("/")[2] else (bare, "", "latest")
    parts = path.split("/")
    if len(parts) > 2 and "/".join(parts[-2:]) in _MIRRORED:
        return f"{'/'.join(parts[-2:])}:{tag}"
    return f"{parts[-1]}:{tag}" if len(parts) > 1 and parts[-1] in _BARE else bare


_MIRRORED = ("tensorflow/tensorflow", "nvidia/cuda", "continuumio/miniconda3", "jupyter/tensorflow-notebook")
"""Images that other registries offer under the same path."""


def _of_contents(bare: str, contents: ImageContents, images: ImageTable) -> Stage:
    """What is known of an image; a TensorFlow that its vendor built is not one of the published wheels."""
    if contents.libc is not None:
        known = Configuration(machine=Machine(python=contents.python, foreign=f"Alpine Linux ({contents.libc})"))
        return _started(Stage(known=known), contents.python)
    os = contents.os or _os_in(bare, images)
    floor = (
        None
        if contents.driver is None
        else DriverFloor(version=contents.driver, by=bare, source="; ".join(contents.sources))
    )
    machine = Machine(platform=Platform.LINUX_X86_64, python=contents.python, glibc=_glibc(os, images))
    known = Configuration(machine=machine, floor=floor)
    stage = _of_system(Stage(known=known), os, images)
    if contents.vendor is not None:
        return _started(stage, contents.python)
    gpu, without = contents.accelerator == "cuda", set(contents.without)
    cuda = None if contents.cuda is None else Version(".".join(map(str, contents.cuda.release[:2])))
    cudnn = contents.cudnn if contents.cudnn is not None else NONE if "cudnn" in without else None
    if gpu and (match := _CUDA.search(bare)) is not None:
        named = _CUDNN.search(match["rest"])
        cuda = cuda or Version(match["cuda"])
        cudnn = cudnn or (Version(named["cudnn"]) if named is not None else NONE)
    if gpu and "-base" in bare.partition(":")[2] and "nvidia/cuda" in bare and "cudnn" in without:
        cuda = NONE  # only libcudart is in it
    if not gpu and (contents.tensorflow is not None or _is_bare(bare) or contents.conda is not None):
        cuda = cudnn = NONE
    if "system cuda" in without:
        cuda, cudnn = None, None  # wheels bring them
    tensorflow = None if contents.tensorflow is None else str(contents.tensorflow)
    stage.known = replace(stage.known, tf=tensorflow, cuda=cuda, cudnn=cudnn, accelerated=True if gpu else None)
    if gpu and contents.distribution is not None and tensorflow is not None:
        stage.packages[normalize(contents.distribution.partition("[")[0])] = SpecifierSet(f"=={tensorflow}")
    return _started(stage, contents.python)


def _of_name(bare: str, images: ImageTable) -> Stage:
    """What the words of a name and a tag tell."""
    row = next((row for row in images.all if row.reference.endswith(f"/{bare}") or row.reference == bare), None)
    repository, tag = split(bare)
    os = row.os if row is not None else _os_in(bare, images)
    stage = _of_system(Stage(known=Configuration(machine=Machine(glibc=_glibc(os, images)))), os, images)
    if (match := _CUDA.search(bare)) is not None:
        found = _CUDNN.search(match["rest"])
        cudnn = row.cudnn if row is not None and row.cudnn is not None else Version(found["cudnn"]) if found else NONE
        cuda = NONE if "-base" in match["rest"] and not found else Version(match["cuda"])
        linux = stage.known.on(platform=Platform.LINUX_X86_64)
        stage.known = replace(linux, cuda=cuda, cudnn=cudnn, accelerated=True)
        return stage
    if repository.endswith("/nvidia/cuda"):  # a tag without a number is one without cuDNN
        stage.known = replace(stage.known.on(platform=Platform.LINUX_X86_64), cudnn=NONE, accelerated=True)
        return stage
    if (match := _TENSORFLOW.search(bare)) is not None:
        gpu = "gpu" in match["variant"]
        linux = stage.known.on(platform=Platform.LINUX_X86_64)
        stage.known = replace(linux, tf=match["tf"], accelerated=True if gpu else None)
        if gpu:
            stage.packages[normalize("tensorflow")] = SpecifierSet(f"=={match['tf']}")
        return stage
    python: Version | None = None
    if (match := _PYTHON.search(bare)) is not None:
        joined = match["joined"]
        python = Version(match["dotted"].lstrip(":") if match["dotted"] else f"{joined[0]}.{joined[1:]}")
    elif repository == f"{_OFFICIAL}python" and re.fullmatch(r"(?:latest|3)?-?(?:slim)?-?[a-z]*", tag) is not None:
        python = images.pythons[0]
    if "alpine" in bare:
        stage.known = Configuration(machine=Machine(python=python, foreign="Alpine Linux (musl)"))
        return _started(stage, python)
    if _is_bare(bare):
        stage.known = replace(stage.known.on(platform=Platform.LINUX_X86_64), cuda=NONE, cudnn=NONE)
    return _started(stage, python)


def _started(stage: Stage, python: Version | None) -> Stage:
    """The stage, with the Python of its image behind every plain command."""
    if python is not None:
        stage.known = stage.known.on(python=python)
        stage.use(python)
    return stage


def _of_system(stage: Stage, os: str | None, images: ImageTable) -> Stage:
    system = images.systems.get(os or "")
    stage.os = os
    if system is not None:
        stage.system_python, stage.system_pip = system.python, system.pip
    return stage


def _glibc(os: str | None, images: ImageTable) -> Version | None:
    system = images.systems.get(os or "")
    return None if system is None else system.glibc


def _is_bare(bare: str) -> bool:
    repository, _ = split(bare)
    official = repository.removeprefix(_OFFICIAL)
    return official in _BARE or "/ubi" in repository or "/miniconda" in repository or "/anaconda" in repository


def _os_in(words: str, images: ImageTable) -> str | None:
    """The distribution release, as `images.toml` names it."""
    lowered = words.lower()
    for codename, name in _CODENAMES.items():
        if re.search(rf"(?<![a-z]){codename}(?![a-z])", lowered) is not None:
            return name
    flat = re.sub(r"[^a-z0-9.]", "", lowered)
    names = sorted(images.systems, key=len, reverse=True)
    return next((name for name in names if name.replace(" ", "") in flat), None)
