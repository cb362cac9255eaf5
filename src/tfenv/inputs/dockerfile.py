"""A Dockerfile, as a `Configuration`: its base image, what its last stage installs, its environment."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.inputs import environments
from tfenv.inputs.configuration import merge
from tfenv.model.configuration import Configuration
from tfenv.model.package import normalize
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tfenv.facts.held import Held
    from tfenv.facts.images import ImageTable

_CUDA = re.compile(
    r"(?:nvidia/cuda|/cuda):(?P<cuda>\d+\.\d+)(?:\.\d+)?(?:-\w+)*?-?(?:cudnn(?P<cudnn>\d+(?:\.\d+)*))?(?:-|$)"
)
_PYTHON = re.compile(r"(?:^|/)python:(?P<python>\d+\.\d+(?:\.\d+)?)(?P<variant>[\w.-]*)")
_TENSORFLOW = re.compile(r"tensorflow/tensorflow:(?P<tf>\d+\.\d+\.\d+)(?P<variant>[\w.-]*)")
_APT_PYTHON = re.compile(r"\bpython(3\.\d+)\b")


def loads(text: str, images: ImageTable, *, read: Callable[[str], str | None] = lambda _path: None) -> Configuration:
    """Read a Dockerfile.

    Args:
        text: of it.
        images: base images that are known, with their glibc and cuDNN.
        read: gives the text of a file that it copies (`requirements.txt`), or ``None``.
    """
    stages: dict[str, Configuration] = {}
    now = Configuration()
    variables: dict[str, str] = {}
    number = 0
    for word, raw in _instructions(text):
        rest = _expanded(raw, variables)
        if word == "ARG" and "=" in rest:
            name, _, value = rest.partition("=")
            variables.setdefault(name.strip(), value.strip().strip("\"'"))
        elif word == "FROM":
            parts = [part for part in rest.split() if not part.startswith("--")]
            if not parts:
                continue
            now = stages.get(parts[0].lower()) or of_image(parts[0], images)
            stage = parts[2].lower() if len(parts) > 2 and parts[1].lower() == "as" else str(number)
            number += 1
            stages[stage] = now
        elif word == "ENV":
            variables.update(_environment(rest))
        elif word == "RUN":
            now = _run(rest, now, read)
            stages[list(stages)[-1] if stages else "0"] = now
    return now


def of_image(reference: str, images: ImageTable) -> Configuration:
    """What an image brings, by its name and tag."""
    bare = reference.split("@", maxsplit=1)[0]
    if (held := images.held.of(reference)) is not None:
        return _holding(held, images)
    found = Configuration(platform=Platform.LINUX_X86_64)
    row = next((row for row in images.all if row.reference.endswith(f"/{bare}") or row.reference == bare), None)
    if (match := _CUDA.search(bare)) is not None:
        cudnn = row.cudnn if row is not None and row.cudnn is not None else match["cudnn"] and Version(match["cudnn"])
        found = merge(found, Configuration(cuda=Version(match["cuda"]), cudnn=cudnn or None, accelerated=True))
    elif (match := _PYTHON.search(bare)) is not None:
        python = Version(match["python"])
        musl = "alpine" in match["variant"]
        found = Configuration(
            python=python, platform=None if musl else found.platform, foreign="Alpine Linux (musl)" if musl else None
        )
    elif (match := _TENSORFLOW.search(bare)) is not None:
        gpu = "gpu" in match["variant"]
        name = normalize("tensorflow" if gpu else "tensorflow-cpu")
        found = merge(found, Configuration(tf=match["tf"], accelerated=gpu or None))
        found = merge(found, Configuration(packages=((name, SpecifierSet(f"=={match['tf']}")),) if gpu else ()))
    glibc = row.glibc if row is not None else glibc_of(bare, images)
    return merge(found, Configuration(glibc=glibc)) if found.foreign is None else found


def _holding(held: Held, images: ImageTable) -> Configuration:
    """What is known of an image; a TensorFlow that its vendor built is not one of the published wheels."""
    if held.libc is not None:
        return Configuration(python=held.python, foreign=f"Alpine Linux ({held.libc})")
    found = Configuration(
        platform=Platform.LINUX_X86_64,
        python=held.python,
        glibc=images.glibc.get(held.os) if held.os is not None else None,
    )
    if held.vendor is not None:
        return found
    project = None if held.distribution is None else normalize(held.distribution.partition("[")[0])
    tensorflow = held.tensorflow if held.tensorflow is not None else None
    gpu = held.accelerator == "cuda"
    installed = project is not None and tensorflow is not None and gpu
    return merge(
        found,
        Configuration(
            tf=None if tensorflow is None else str(tensorflow),
            cuda=None if held.cuda is None else Version(".".join(map(str, held.cuda.release[:2]))),
            cudnn=held.cudnn,
            accelerated=True if gpu else None,
            packages=((project, SpecifierSet(f"=={tensorflow}")),) if installed and project is not None else (),
        ),
    )


def glibc_of(words: str, images: ImageTable) -> Version | None:
    """The glibc of the distribution that a tag or a person names (`ubuntu20.04`, `Debian 11`)."""
    flat = re.sub(r"[^a-z0-9.]", "", words.lower())
    names = {"bookworm": "debian12", "bullseye": "debian11", "buster": "debian10", "jammy": "ubuntu22.04"}
    names |= {"focal": "ubuntu20.04", "bionic": "ubuntu18.04", "noble": "ubuntu24.04", "xenial": "ubuntu16.04"}
    for name, system in names.items():
        flat = flat.replace(name, system)
    known = {re.sub(r"[^a-z0-9.]", "", row.os): row.glibc for row in images.all}
    return next((glibc for system, glibc in known.items() if system in flat), None)


def _run(command: str, now: Configuration, read: Callable[[str], str | None]) -> Configuration:
    """What `pip install`, `conda install` and `apt-get install` in a RUN change; the last word on a package counts."""
    for part in re.split(r"&&|\|\||;|\n", command):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            words = part.split()
        if "install" not in words and not ("create" in words and "conda" in part):
            continue
        rest = words[words.index("install" if "install" in words else "create") + 1 :]
        if re.search(r"\b(?:conda|mamba|micromamba)\b", part):
            specs = [spec for word in _operands(rest, read) if (spec := environments.conda_spec(word)) is not None]
            now = merge(environments.of_specs(specs), now)
        elif re.search(r"\bpip3?\b|\bpip3?\.\d+\b|\buv\b", part):
            specs = [spec for word in _operands(rest, read) for spec in environments.pip_spec(word)]
            now = merge(environments.of_specs(specs), now)
        elif re.search(r"\bapt(?:-get)?\b", part) and (match := _APT_PYTHON.search(part)) is not None:
            now = merge(Configuration(python=Version(match[1])), now)
    return now


def _operands(words: list[str], read: Callable[[str], str | None]) -> Iterator[str]:
    """Requirements among the words of a command, those of a file that it names (`-r`) included."""
    takes_value = ("-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-n", "--name")
    position = 0
    while position < len(words):
        word = words[position]
        if word in ("-r", "--requirement") and position + 1 < len(words):
            text = read(words[position + 1]) or ""
            yield from (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "-")))
            position += 1
        elif word in takes_value or (word == "-c" and position + 1 < len(words)):
            position += 1
        elif not word.startswith("-"):
            yield word
        position += 1


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Instructions with their arguments, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"[\\`][ \t]*\n", " ", "\n".join(lines))
    for line in joined.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word.upper(), rest.strip()


def _environment(rest: str) -> Mapping[str, str]:
    if "=" not in rest.split(" ", maxsplit=1)[0]:
        name, _, value = rest.partition(" ")
        return {name: value.strip()}
    try:
        return dict(word.split("=", 1) for word in shlex.split(rest) if "=" in word)
    except ValueError:
        return {}


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    return re.sub(
        r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))",
        lambda match: variables.get(match[1] or match[3], match[2] if match[2] is not None else match[0]),
        text,
    )
