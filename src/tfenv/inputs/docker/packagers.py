"""What the commands of package managers add to a stage: apt, yum, pip, uv, poetry, conda and installers of Python."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from tfenv.errors import UsageError
from tfenv.inputs import environments
from tfenv.inputs.docker import managed, python_packages
from tfenv.inputs.docker.stage import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfenv.facts.images import ImageTable
    from tfenv.inputs.docker.shell import Command
    from tfenv.inputs.docker.stage import Stage
    from tfenv.model.configuration import Configuration

_APT_PYTHON = re.compile(r"python(?P<dotted>3\.\d+)|(?:rh-)?python(?P<joined>3\d{1,2})")
_APT_CUDA = re.compile(
    r"(?:cuda(?:-(?:toolkit|libraries|runtime|libraries-dev|toolkit-config-common))?|libcublas(?:-dev)?)-(\d+)-(\d+)"
)
_APT_CUDNN = re.compile(r"(?:lib)?cudnn(?P<major>\d+)(?:-dev|-cuda-\d+|-dev-cuda-\d+|-headers-cuda-\d+)?")
_FILES = (
    ("cudnn", re.compile(r"libcudnn\d+(?:-cuda-\d+)?_(\d+\.\d+\.\d+(?:\.\d+)?)-")),
    ("cudnn", re.compile(r"cudnn-linux-\w+-(\d+\.\d+\.\d+\.\d+)_cuda\d+")),
    ("cudnn", re.compile(r"cudnn-[\d.]+-linux-\w+-v(\d+(?:\.\d+)+)\.(?:tgz|solitairetheme8)")),
    ("cuda", re.compile(r"cuda_(\d+\.\d+)\.\d+_[\d.]+_linux\.run")),
    ("cuda", re.compile(r"cuda-repo-\w+-(\d+-\d+)-local")),
)
"""Names of NVIDIA's own files, which hold a library and its version."""
_CONDA_INSTALLER = re.compile(
    r"(?:Mini|Ana)conda3-(?:py(?P<python>3\d+)_)?(?P<release>latest|[\d.]+(?:-\d+)?)-Linux|Mini(?:forge|mamba)|Mambaforge"
)
_SOURCE = re.compile(r"Python-(\d+\.\d+\.\d+)\.(?:tgz|tar)")
_ALTERNATIVES = ("update-alternatives", "alternatives")


def install(command: Command, stage: Stage, images: ImageTable) -> None:
    """Change a stage by what one command installs.

    Args:
        command: of a `RUN`.
        stage: the stage, which is changed.
        images: images that are known; a release of Miniconda has the Python of its image.
    """
    words = command.words
    _from_files(words, stage, images)
    name = words[0].rpartition("/")[2]
    handler = _HANDLERS.get(name)
    if handler is not None:
        handler(words, stage)
    elif re.fullmatch(r"python[\d.]*", name) is not None:
        _of_python(words, stage)
    elif re.fullmatch(r"pip[\d.]*", name) is not None:
        python_packages.pip(words, stage)
    elif name in ("echo", "printf") and command.written:
        file = command.written.rpartition("/")[2]
        stage.files[file] = "\n".join(filter(None, (stage.files.get(file, ""), *words[1:]))).replace("\\n", "\n")
    if command.piped and re.fullmatch(r"python[\d.]*", command.piped[0].rpartition("/")[2]) is not None:
        if any("get-pip" in word for word in words):
            _own_pip(command.piped[0], stage)
    elif command.piped[:1] == ("xargs",) and name == "cat":
        python_packages.piped([*command.piped, *words[1:]], stage)


def _apt(words: list[str], stage: Stage) -> None:
    if "install" not in words:
        return
    for word in words[words.index("install") + 1 :]:
        bare, _, version = word.partition("=")
        bare = bare.partition(":")[0].partition("/")[0]
        if (match := _APT_PYTHON.fullmatch(bare)) is not None:
            joined = match["joined"]
            python = Version(match["dotted"] or f"{joined[0]}.{joined[1:]}")
            stage.commands[f"python{python}"] = stage.commands[f"pip{python}"] = python
        elif bare in ("python-is-python3", "python-dev-is-python3"):
            stage.commands["python"] = "python3"
        elif bare.startswith("python3") and stage.system_python is not None:
            stage.commands.setdefault("python3", stage.system_python)
            if bare == "python3-pip" and "pip3" not in stage.commands:
                stage.commands["pip3"] = stage.commands["pip"] = "python3"
                python_packages.bring_pip(stage, stage.system_pip)
        elif bare in ("python", "python-pip", "python-dev") and stage.system_python is not None:
            stage.commands.setdefault("python", Version("2.7"))
            if bare == "python-pip":
                stage.commands.setdefault("pip", Version("2.7"))
        elif bare in ("nvidia-cuda-toolkit", "nvidia-cudnn", "cuda", "cuda-toolkit", "cuda-drivers", "cudnn"):
            stage.unknown_libraries()
        elif (match := _APT_CUDA.fullmatch(bare)) is not None:
            stage.libraries(cuda=Version(f"{match[1]}.{match[2]}"))
        elif (match := _APT_CUDNN.fullmatch(bare)) is not None:
            stage.libraries(cudnn=_debian(version) or Version(match["major"]))
        elif stage.known.cuda == NONE and bare.startswith("cuda-toolkit-"):
            stage.unknown_libraries()


def _debian(text: str) -> Version | None:
    """`8.1.1.33` for Debian's `8.1.1.33-1+cuda11.2`."""
    with suppress(InvalidVersion):
        return Version(text.partition("-")[0].rstrip("*.")) if text else None
    return None


def _conda(words: list[str], stage: Stage) -> None:
    verbs = [word for word in words[1:] if word in ("install", "create", "update", "env")]
    if not verbs:
        return
    rest = words[words.index(verbs[0]) + 1 :]
    specs = []
    position = 0
    while position < len(rest):
        word = rest[position]
        if word in ("-f", "--file", "-r"):
            named = rest[position + 1] if position + 1 < len(rest) else ""
            _environment(stage.text_of(named), named, stage)
            position += 1
        elif word.startswith(("--file=", "--f=")):
            named = word.partition("=")[2]
            _environment(stage.text_of(named), named, stage)
        elif word in ("-n", "--name", "-p", "--prefix", "-c", "--channel", "--solver"):
            position += 1
        elif not word.startswith("-") and word not in ("create", "update", "env", "conda", "mamba"):
            spec = environments.conda_spec(word)
            specs += [] if spec is None else [spec]
        position += 1
    _of_conda(environments.of_specs(specs, conda=[name for name, _ in specs]), stage)


def _environment(text: str | None, name: str, stage: Stage) -> None:
    """An `environment.yml`, or a list of conda's specifications."""
    if text is None:
        return
    try:
        found = environments.loads(text, name)
    except UsageError:
        lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "@"))]
        specs = [spec for line in lines if (spec := environments.conda_spec(line)) is not None]
        found = environments.of_specs(specs, conda=[name for name, _ in specs])
    _of_conda(found, stage)


def _of_conda(found: Configuration, stage: Stage) -> None:
    if found.machine.python is not None:
        stage.use(found.machine.python)
    if found.cuda is not None or found.cudnn is not None:
        stage.libraries(cuda=found.cuda, cudnn=found.cudnn)
    stage.install(found.packages)
    stage.conda |= set(found.conda)


def _of_python(words: list[str], stage: Stage) -> None:
    """`python -m pip`, `python -m venv` and `python get-pip.py`."""
    if "-m" in words and words.index("-m") + 1 < len(words):
        module = words.index("-m") + 1
        if words[module] == "pip":
            python_packages.pip([words[0], *words[module + 1 :]], stage)
        elif words[module] in ("venv", "virtualenv"):
            stage.use(stage.python_of(words[0]))
        elif words[module] in ("uv", "poetry", "pipenv"):
            _HANDLERS[words[module]](words[module:], stage)
    elif any("get-pip" in word for word in words[1:]):
        _own_pip(words[0], stage)


def _own_pip(python: str, stage: Stage) -> None:
    """The newest pip, for one Python."""
    version = stage.python_of(python)
    if version is not None:
        minor = f"{version.major}.{version.minor}"
        stage.commands |= {"pip": version, "pip3": version, f"pip{minor}": version}
    python_packages.bring_pip(stage, None)


def _virtualenv(words: list[str], stage: Stage) -> None:
    for option, value in pairwise(words):
        if option in ("-p", "--python"):
            stage.use(python_packages.version_in(value) or stage.python_of(value))


def _pyenv(words: list[str], stage: Stage) -> None:
    found = [version for word in words[2:] if (version := python_packages.version_in(word)) is not None]
    if words[1:2] in (["install"], ["global"], ["local"]) and found:
        stage.use(found[0])


def _link(words: list[str], stage: Stage) -> None:
    """`ln -s /usr/bin/python3.8 /usr/bin/python`."""
    operands = [word for word in words[1:] if not word.startswith("-")]
    if len(operands) == 2:
        _alias(operands[1], operands[0], stage)


def _alternatives(words: list[str], stage: Stage) -> None:
    for option, width in (("--install", 3), ("--set", 2)):
        if option in words:
            operands = words[words.index(option) + 1 :][:width]
            if len(operands) == width:
                _alias(operands[-2], operands[-1], stage)


def _alias(name: str, target: str, stage: Stage) -> None:
    name, target = name.rpartition("/")[2], target.rpartition("/")[2]
    if re.fullmatch(r"(?:python|pip)[\d.]*", name) is not None and name != target:
        version = stage.python_of(target)
        if version is not None:
            stage.commands[name] = version


def _make(words: list[str], stage: Stage) -> None:
    """Python's own source, whose version the download named."""
    version = python_packages.version_in(stage.files.get("Python source", ""))
    if version is None or not {"install", "altinstall"} & set(words):
        return
    minor = f"{version.major}.{version.minor}"
    stage.commands |= {f"python{minor}": version, f"pip{minor}": version}
    if "install" in words:
        stage.commands |= {"python3": version, "pip3": version}


def _from_files(words: list[str], stage: Stage, images: ImageTable) -> None:
    """Files of NVIDIA, of conda and of Python that a command downloads, unpacks or runs."""
    for word in words:
        for kind, pattern in _FILES:
            if (match := pattern.search(word)) is not None:
                stage.libraries(**{kind: Version(match[1].replace("-", "."))})
        if (match := _CONDA_INSTALLER.search(word)) is not None:
            stage.use(_conda_python(match.groupdict(), images))
        if (match := _SOURCE.search(word)) is not None:
            stage.files["Python source"] = match[1]


def _conda_python(groups: Mapping[str, str | None], images: ImageTable) -> Version | None:
    """The Python of a release of Miniconda: in its name, else that of the image of this release."""
    python, release = groups["python"], groups["release"]
    if python is not None:
        return Version(f"{python[0]}.{python[1:]}")
    if release is None or release == "latest":
        return None
    contents = images.contents.of(f"continuumio/miniconda3:{release}")
    return None if contents is None else contents.python


_HANDLERS: dict[str, Callable[[list[str], Stage], None]] = {
    **dict.fromkeys(("apt", "apt-get", "yum", "dnf", "microdnf", "aptitude", "amazon-linux-extras"), _apt),
    **dict.fromkeys(("conda", "mamba", "micromamba"), _conda),
    **dict.fromkeys(_ALTERNATIVES, _alternatives),
    "ln": _link,
    "make": _make,
    "pyenv": _pyenv,
    "virtualenv": _virtualenv,
    "uv": python_packages.uv,
    "poetry": managed.poetry,
    "pdm": managed.pdm,
    "pipenv": managed.pipenv,
}
