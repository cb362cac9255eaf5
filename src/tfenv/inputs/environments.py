"""`environment.yml` of conda, as a `Configuration`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.errors import UsageError
from tfenv.facts.database import load
from tfenv.facts.wishes import of_tensorflow
from tfenv.model.configuration import Configuration
from tfenv.model.package import Requirement, normalize
from tfenv.model.target import Machine
from tfenv.store import formats

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from tfenv.model.package import Name

_SPEC = re.compile(r"(?:[\w./-]+::)?(?P<name>[A-Za-z0-9_.-]+?)\s*(?:(?P<operator>[=<>!~]=?|\s)\s*(?P<rest>.*))?$")
CONDA_CUDA = ("cuda", "cuda-toolkit", "cuda-version", "cudatoolkit")
"""conda's packages that have the version of the CUDA toolkit"""
_TENSORFLOW = {
    "tensorflow-base": "tensorflow",
    "tensorflow-mkl": "tensorflow-cpu",
    "tensorflow-eigen": "tensorflow-cpu",
}


def loads(text: str, name: str) -> Configuration:
    """Read `environment.yml`.

    Raises:
        UsageError: the text is not YAML, or not an environment.
    """
    document = formats.yaml(text, name)
    if not isinstance(document, dict) or not isinstance(document.get("dependencies"), list):
        raise UsageError(f"`{name}` has no list `dependencies`")
    dependencies = document["dependencies"]
    by_conda = [spec for each in dependencies if isinstance(each, str) and (spec := conda_spec(each)) is not None]
    return of_specs((*by_conda, *_of_pip(dependencies)), conda=[written for written, _ in by_conda])


def of_specs(specs: Iterable[tuple[str, SpecifierSet]], *, conda: Iterable[str] = ()) -> Configuration:
    """The configuration of packages of conda or pip: `cudatoolkit` and `cudnn` are CUDA libraries, `python` is Python.

    Args:
        specs: pairs of name, which may have extras (`tensorflow[and-cuda]`), and specifier.
        conda: names of the packages that conda installs; pip installs the others.
    """
    packages: dict[Name, SpecifierSet] = {}
    python = cuda = cudnn = None
    accelerated: bool | None = None
    for written, specifier in specs:
        version = version_in(specifier)
        name, _, extras = written.rstrip("]").partition("[")
        if extras and asks_for_gpu(name, extras.split(",")):
            accelerated = True
        match name:
            case "python":
                python = version
            case _ if name in CONDA_CUDA:
                cuda, accelerated = version, True
            case "cudnn":
                cudnn, accelerated = version, True
            case _:
                packages[normalize(_TENSORFLOW.get(name, name))] = specifier
    return Configuration(
        machine=Machine(python=python),
        cuda=cuda,
        cudnn=cudnn,
        accelerated=accelerated,
        packages=tuple(packages.items()),
        conda=tuple(own for written in conda if (own := normalize(_TENSORFLOW.get(written, written))) in packages),
    )


def asks_for_gpu(name: str, extras: Iterable[str]) -> bool:
    """Whether extras of a package, such as `tensorflow[and-cuda]`, ask for a GPU; unknown extras ask for nothing."""
    try:
        asked = Requirement(name=normalize(name), extras=frozenset(map(normalize, extras)))
        return of_tensorflow(asked, load()) is not None
    except UsageError:
        return False


def conda_spec(text: str) -> tuple[str, SpecifierSet] | None:
    """`name=1.2=build` of conda, as pip writes it; ``None`` for a URL or a virtual package."""
    match = _SPEC.match(text.strip().strip("\"'"))
    if match is None or match["name"].startswith("__"):
        return None
    rest = (match["rest"] or "").strip()
    operator = (match["operator"] or "").strip()
    if not rest or rest == "*":
        return match["name"].lower(), SpecifierSet()
    if operator in ("=", ""):
        # conda's single `=` is a prefix, and a third field is the build
        version = re.split(r"[=\s]", rest)[0].rstrip("*").rstrip(".")
        text = f"=={version}" if version.count(".") > 1 else f"=={version}.*"
    else:
        text = f"{operator}{re.sub(r'=[^=<>,]*$', '', rest) if operator == '==' else rest}"
    try:
        return match["name"].lower(), SpecifierSet(text)
    except InvalidSpecifier:
        return match["name"].lower(), SpecifierSet()


def version_in(specifier: SpecifierSet) -> Version | None:
    """The version that a specifier pins, a prefix (`==3.8.*`) included."""
    for one in specifier:
        if one.operator in ("==", "===", "~="):
            try:
                return Version(one.version.removesuffix(".*"))
            except InvalidVersion:
                return None
    return None


def _of_pip(dependencies: Iterable[object]) -> Iterator[tuple[str, SpecifierSet]]:
    """The requirements under `pip:`."""
    for each in dependencies:
        if isinstance(each, dict):
            listed = each.get("pip")
            for text in listed if isinstance(listed, list) else ():
                yield from pip_spec(str(text))


def pip_spec(text: str) -> Iterator[tuple[str, SpecifierSet]]:
    """A requirement of pip; ``None`` for a URL or a path."""
    try:
        requirement = PackagingRequirement(text.split(" #", maxsplit=1)[0].strip())
    except InvalidRequirement:
        return
    if requirement.url is None:
        yield with_extras(normalize(requirement.name), requirement.extras), requirement.specifier


def with_extras(name: str, extras: Collection[str]) -> str:
    """`tensorflow[and-cuda]`."""
    return f"{name}[{','.join(sorted(extras))}]" if extras else name
