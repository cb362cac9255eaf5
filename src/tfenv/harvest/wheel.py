"""Facts in a TensorFlow wheel: `METADATA`, `tensorflow/python/platform/build_info.py` and `cuda_config.h`.

Nothing is executed: the module is parsed, and only literals in it are read. Three forms are known: variables of the
module (1.4 to 2.2, under `tensorflow_core` in 1.15 to 2.1, under `*.data/purelib` up to 1.14), a dictionary (2.3), and
a call of `OrderedDict` with pairs (2.4 on). Where `build_info.py` is silent (up to 2.2, and from 2.22.0rc0 on), the
header `cuda_config.h` of the same wheel names CUDA, cuDNN and the compute capabilities.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tfenv.model.builds import Build
from tfenv.model.hardware import Architecture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tfenv.model.target import Platform

BUILD_INFO = re.compile(r"(?:[^/]+\.data/(?:pure|plat)lib/)?tensorflow(?:_core)?/python/platform/build_info\.py")
CUDA_CONFIG = re.compile(
    r"(?:[^/]+\.data/(?:pure|plat)lib/)?tensorflow(?:_core)?/include/"
    r"(?:third_party/gpus/cuda|external/local_config_cuda/cuda/cuda)/cuda_config\.h"
)
METADATA = re.compile(r"[^/]+\.dist-info/METADATA")

_DEFINED = re.compile(rb"^#define TF_(CUDA|CUDNN)_VERSION \"([\d.]+)\"\s*$", re.MULTILINE)
_CAPABILITIES = re.compile(rb"^#define TF_CUDA_(?:COMPUTE_)?CAPABILITIES (.+)$", re.MULTILINE)
_DLL = re.compile(r"64_(\d+)")
_AND_CUDA = "and-cuda"
_OLD_NAMES = {"cuda_version_number": "cuda_version", "cudnn_version_number": "cudnn_version"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The part of a wheel's METADATA that facts use; requirements are kept as written."""

    name: str
    version: str
    requires_dist: tuple[str, ...]
    requires_python: str | None


def wanted(member: str) -> bool:
    """Whether a member of a wheel is one of those that are read."""
    return METADATA.fullmatch(member) is not None or BUILD_INFO.fullmatch(member) is not None


def parse_metadata(data: bytes) -> Core:
    """Read METADATA (core metadata specification)."""
    raw, _ = parse_email(data)
    requires = tuple(" ".join(text.split()) for text in raw.get("requires_dist", ()))
    return Core(
        name=raw.get("name", ""),
        version=raw.get("version", ""),
        requires_dist=requires,
        requires_python=raw.get("requires_python"),
    )


def parse_build_info(data: bytes) -> dict[str, Any]:
    """Read `build_info.py` as a dictionary with the keys that 2.3 and later use.

    Raises:
        ValueError: the file is not valid Python, or has none of the known forms.
    """
    try:
        module = ast.parse(data)
    except SyntaxError as error:
        raise ValueError(f"build_info.py is not valid Python: {error}") from None
    found: dict[str, Any] = {}
    for statement in module.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        name = statement.targets[0].id
        value = _literal(statement.value)
        if name == "build_info":
            try:
                return dict(value)
            except (TypeError, ValueError):
                raise ValueError("build_info.py does not contain a mapping of literals") from None
        found[_OLD_NAMES.get(name, name)] = value
    if "is_cuda_build" not in found:
        raise ValueError("build_info.py has neither `build_info` nor `is_cuda_build`")
    return found


def build(info: Mapping[str, Any], platform: Platform, source: str) -> Build:
    """The build that `build_info.py` of a wheel describes.

    Raises:
        ValueError: a version or an architecture in it is not valid.
    """
    tensorrt, compiler = info.get("is_tensorrt_build"), info.get("cpu_compiler")
    if not info.get("is_cuda_build"):
        return Build(platform=platform, compiler=compiler, tensorrt=tensorrt, source=source)
    sass, ptx = capabilities(info.get("cuda_compute_capabilities", ()))
    return Build(
        platform=platform,
        cuda=_version(info.get("cuda_version"), minor=True),
        cudnn=_version(info.get("cudnn_version")),
        sass=sass,
        ptx=ptx,
        compiler=compiler,
        tensorrt=tensorrt,
        source=source,
        unknown=() if info.get("cuda_version") else ("cuda",),
    )


def is_silent(build: Build) -> bool:
    """Whether `build_info.py` of a CUDA build lacks the minor release of CUDA, cuDNN or the architectures."""
    precise = build.cuda is not None and len(build.cuda.release) > 1
    return build.is_cuda and not (precise and build.cudnn and build.sass)


def configured(build: Build, header: bytes) -> Build:
    """Add what only `cuda_config.h` of the same wheel says.

    The header lists compute capabilities as numbers: each of them has machine code, and it does not say which have PTX.
    Source: `third_party/gpus/cuda/cuda_config.h.tpl` and `cuda_configure.bzl` of TensorFlow.

    Raises:
        ValueError: an architecture in it is not valid.
    """
    defined = {name.decode(): Version(text.decode()) for name, text in _DEFINED.findall(header)}
    cuda, cudnn = defined.get("CUDA"), defined.get("CUDNN")
    if cuda is None:
        return build  # the header of a CPU build holds defaults
    if build.cuda is None or str(cuda).startswith(f"{build.cuda}."):
        build = replace(build, cuda=cuda, unknown=())
    if build.cudnn is None and cudnn is not None:
        build = replace(build, cudnn=cudnn)
    if not build.sass and (listed := _CAPABILITIES.search(header)) is not None:
        sass, _ = capabilities(f"sm_{text}" for text in re.findall(r"\d[\d.]*", listed[1].decode()))
        build = replace(build, sass=sass)
    return build


def supplement(build: Build, requires_dist: Iterable[str]) -> Build:
    """Add what the `and-cuda` extra in METADATA of the same wheel implies.

    Its lower bounds give the lowest cuDNN that works, and CUDA and cuDNN themselves if `build_info.py` lacks them.
    """
    if not build.is_cuda:
        return build
    requires = tuple(requires_dist)
    runtime, floor = bound(requires, "nvidia-cuda-runtime"), bound(requires, "nvidia-cudnn")
    inferred = []
    if build.cuda is None and runtime is not None:
        build = replace(build, cuda=Version(f"{runtime.major}.{runtime.minor}"), unknown=())
        inferred.append("cuda")
    if build.cudnn is None and floor is not None:
        build = replace(build, cudnn=Version(str(floor.major)))
        inferred.append("cudnn")
    if floor is not None:
        build = replace(build, cudnn_floor=floor)
        inferred.append("cudnn_floor")
    evidence = (f"METADATA of the same wheel, extra `{_AND_CUDA}`",) if inferred else ()
    return replace(build, inferred=tuple(inferred), evidence=evidence)


def capabilities(names: Iterable[str]) -> tuple[tuple[Architecture, ...], tuple[Architecture, ...]]:
    """Architectures of SASS and of PTX in a list such as `sm_75, compute_80`.

    `sm_XY` is machine code only, `compute_XY` machine code and PTX (and so is a bare `X.Y`); checked with cuobjdump on
    the wheels of 2.20. Source: `tensorflow/third_party/gpus/cuda_configure.bzl`, `compute_capabilities`.
    """
    sass, ptx = [], []
    for name in names:
        sass.append(Architecture.parse(name))
        if not name.startswith("sm_"):
            ptx.append(Architecture.parse(name))
    return tuple(sorted(sass)), tuple(sorted(ptx))


def bound(requires_dist: Iterable[str], wheel: str) -> Version | None:
    """The version of a wheel of NVIDIA (for any CUDA major) that the `and-cuda` extra pins or starts from."""
    name = re.compile(rf"{re.escape(wheel)}(-cu\d+)?")
    for requirement in map(Requirement, requires_dist):
        if name.fullmatch(canonicalize_name(requirement.name)) and _AND_CUDA in str(requirement.marker):
            for specifier in requirement.specifier:
                if specifier.operator in ("==", ">=", "~="):
                    return Version(specifier.version)
    return None


def _literal(node: ast.expr) -> Any:
    """A literal, or a call of a mapping type with literal pairs; ``None`` for anything else."""
    if isinstance(node, ast.Call) and len(node.args) == 1:
        node = node.args[0]
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _version(text: str | None, *, minor: bool = False) -> Version | None:
    """A version as written, or from the name of a DLL: 11.2 for `64_112` of `cudart64_112.dll`."""
    if not text:
        return None
    if (match := _DLL.fullmatch(text)) is None:
        return Version(text)
    return Version(f"{match[1][:-1]}.{match[1][-1]}" if minor else match[1])
