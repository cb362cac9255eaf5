"""Lists of conda's packages: `environment.yml`, `conda list --export`, `conda list --explicit` and `pixi.toml`.

Conda's names are not PyPI's. A name that both use for one project is taken over; of the others, only those of a table
are known. Source of the names: the recipes in https://github.com/conda-forge, `about: dev_url` and `source: url`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.errors import UsageError
from tfenv.inputs.declared.declared import Collector, DependencyFile, table, text, version
from tfenv.inputs.environments import CONDA_CUDA, conda_spec, version_in
from tfenv.model.package import Requirement, normalize
from tfenv.store import formats

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

PYPI_NAMES = {
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python",
    "py-opencv": "opencv-python",
    "py-xgboost": "xgboost",
    "python-graphviz": "graphviz",
    "pytables": "tables",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "ruamel_yaml": "ruamel-yaml",
    "tensorflow-base": "tensorflow",
    "tensorflow-eigen": "tensorflow",
    "tensorflow-mkl": "tensorflow",
}
"""PyPI's names of projects that conda calls otherwise."""
_PARTS = (
    "_libgcc_mutex",
    "_openmp_mutex",
    "_tflow_select",
    "blas",
    "bzip2",
    "ca-certificates",
    "conda",
    "gcc",
    "gxx",
    "intel-openmp",
    "ld_impl",
    "lib",
    "llvm-openmp",
    "mkl",
    "ncurses",
    "nccl",
    "openblas",
    "openssl",
    "pip",
    "python_abi",
    "readline",
    "setuptools",
    "sqlite",
    "tk",
    "tzdata",
    "vc",
    "vs2015_runtime",
    "wheel",
    "xz",
    "zlib",
    "zstd",
)
"""Beginnings of the names of packages that are no Python projects, or that every environment has."""
_CUDA = (*CONDA_CUDA, "pytorch-cuda")
_INCLUDED = re.compile(r"(?:-r|--requirement)[\s=]*(?P<file>\S+)")


def of_environment(content: str, name: str) -> DependencyFile:
    """An `environment.yml`, with what it hands to pip.

    Raises:
        UsageError: the text is not YAML, or has no list of dependencies.
    """
    document = formats.yaml(content, name)
    if not isinstance(document, dict) or not isinstance(document.get("dependencies"), list):
        raise UsageError(f"`{name}` has no list `dependencies`")
    found, files = Collector(name=name), list[str]()
    specs: list[str] = []
    for each in document["dependencies"]:
        if isinstance(each, str):
            specs.append(each)
        for line in map(str, (each.get("pip") or ()) if isinstance(each, dict) else ()):
            included = _INCLUDED.match(line)
            if included is not None:
                files.append(included["file"])
            elif line.startswith(("-e", "--editable")):
                found.away(None, line.partition(" ")[2], "pip")
            elif line.startswith("-"):
                found.note(f"{name}: `{line}` is not read")
            else:
                found.line(line, "pip")
    return _of_specs(found, specs, files=tuple(files))


def of_list(content: str, name: str) -> DependencyFile:
    """`conda list --export`, whose lines are `name=version=build`, or `--explicit`, whose lines are URLs."""
    found, specs = Collector(name=name), list[str]()
    pins = []
    for raw in content.splitlines():
        line = raw.strip()
        if not line or line.startswith(("#", "@")):
            continue
        if "/" in line:  # .../linux-64/numpy-1.19.5-py38h8246c76_3.tar.bz2#md5
            parts = line.partition("#")[0].rpartition("/")[2].rsplit("-", 2)
            specs.append(f"{parts[0]}=={parts[1]}" if len(parts) > 2 else "")
            continue
        key, _, rest = line.partition("=")
        number, _, build = rest.partition("=")
        if build.startswith("pypi") and (locked := version(number)) is not None:
            pins.append((normalize(key), locked))
        else:
            specs.append(f"{key}=={number}")
    declared = _of_specs(found, filter(None, specs))
    held = [(each.name, pin) for each in declared.requirements if (pin := version_in(each.specifier)) is not None]
    wanted = tuple(Requirement(name=key, source=name) for key, _ in pins)
    return DependencyFile(
        requirements=(*declared.requirements, *wanted),
        python=declared.python,
        pins=(*held, *pins),
        conda=declared.conda,
        cuda=declared.cuda,
        cudnn=declared.cudnn,
        complete=True,
        notes=declared.notes,
    )


def of_pixi(content: str, name: str) -> DependencyFile:
    """The tables of dependencies in a `pixi.toml`.

    Raises:
        UsageError: the text is not TOML.
    """
    document = formats.toml(content, name)
    found = Collector(name=name)
    specs = [f"{key} {_constraint(value)}".strip() for key, value in table(document, "dependencies").items()]
    for key, value in table(document, "pypi-dependencies").items():
        row = value if isinstance(value, dict) else {"version": value}
        place = next((row[each] for each in ("git", "path", "url") if each in row), None)
        if place is not None:
            found.away(key, place, "pypi-dependencies")
        else:
            extras = row.get("extras")
            chosen = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else ""
            found.line(f"{key}{chosen}{_constraint(row)}", "pypi-dependencies")
    return _of_specs(found, specs)


def _constraint(value: object) -> str:
    said = text(value.get("version")) if isinstance(value, dict) else text(value)
    return "" if said == "*" else said if not said[:1].isdigit() else f"=={said}"


def _as_prefix(specifier: SpecifierSet) -> SpecifierSet:
    """Exact versions as prefixes: PyPI's version of a project may be longer than conda's (4.6.0.66 for 4.6.0)."""
    parts = [f"{one}.*" if one.operator == "==" and not one.version.endswith(".*") else str(one) for one in specifier]
    return SpecifierSet(",".join(parts))


def _of_specs(found: Collector, specs: Iterable[str], *, files: tuple[str, ...] = ()) -> DependencyFile:
    """What conda's packages say: Python, CUDA as a wish, and projects that PyPI has under a known name."""
    python: SpecifierSet | None = None
    cuda: Version | None = None
    cudnn: Version | None = None
    conda: list[str] = []
    for spec in specs:
        parsed = conda_spec(spec)
        if parsed is None:
            continue
        key, specifier = parsed
        if key == "python":
            pinned = version_in(specifier)
            python = specifier if pinned is None else SpecifierSet(f"=={pinned.major}.{pinned.minor}.*")
        elif key in _CUDA:
            cuda = version_in(specifier) or cuda
        elif key == "cudnn":
            cudnn = version_in(specifier)
        elif not key.startswith(_PARTS):
            conda.append(key)
            name = normalize(PYPI_NAMES.get(key, key))
            found.requirements.append(Requirement(name=name, specifier=_as_prefix(specifier), source=found.name))
    if cuda is not None:
        found.note(
            f"{found.name}: CUDA {cuda} is a wish for a GPU, not a pin: a lock brings the CUDA of its TensorFlow"
        )
    return DependencyFile(
        requirements=tuple(found.requirements),
        python=python,
        conda=tuple(conda),
        elsewhere=tuple(found.elsewhere),
        files=files,
        cuda=cuda,
        cudnn=cudnn,
        notes=tuple(found.notes),
    )
