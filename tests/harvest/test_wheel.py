"""What recorded wheels say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.harvest.recordings import members_of, recorded
from tfenv.harvest.wheel import (
    BUILD_INFO,
    CUDA_CONFIG,
    bound,
    build,
    capabilities,
    configured,
    is_silent,
    parse_build_info,
    parse_metadata,
    supplement,
    wanted,
)
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from tfenv.model.builds import Build


def read(start: str) -> Build:
    """The build of a recorded wheel, from all members that are recorded of it."""
    filename = recorded(start).filename
    members = members_of(filename)
    (info,) = (data for name, data in members.items() if BUILD_INFO.fullmatch(name))
    (metadata,) = (data for name, data in members.items() if name.endswith("METADATA"))
    found = build(parse_build_info(info), Platform.LINUX_X86_64, filename)
    for header in (data for name, data in members.items() if CUDA_CONFIG.fullmatch(name) and is_silent(found)):
        found = configured(found, header)
    return supplement(found, parse_metadata(metadata).requires_dist)


@pytest.mark.parametrize(
    ("start", "cuda", "cudnn", "floor", "sass", "ptx"),
    [
        ("tensorflow-1.4.1", None, None, None, "", ""),
        ("tensorflow_gpu-1.4.1", "unknown", None, None, "", ""),
        ("tensorflow_gpu-1.13.1", "10.0", "7", None, "3.5 3.7 5.2 6.0 6.1 7.0", ""),
        ("tensorflow_gpu-1.14.0-cp36", "10.0", "7", None, "3.5 3.7 5.2 6.0 6.1 7.0", ""),
        ("tensorflow_gpu-1.14.0-cp37", "10.0", "7", None, "", ""),
        ("tensorflow-1.15.0", "10.0", "7", None, "3.5 3.7 5.2 6.0 6.1 7.0", ""),
        ("tensorflow-2.2.0", "10.1", "7", None, "3.5 3.7 5.2 6.0 6.1 7.0", ""),
        ("tensorflow-2.3.0", "10.1", "7", None, "3.5 3.7 5.2 6.0 6.1 7.0", "7.0"),
        ("tensorflow-2.4.0", "11.0", "8", None, "3.5 5.0 6.0 7.0 7.5 8.0", "8.0"),
        ("tensorflow-2.10.0-cp310-cp310-manylinux_2_17_x86_64", "11.2", "8", None, "3.5 5.0 6.0 7.0 7.5 8.0", "8.0"),
        ("tensorflow-2.14.0", "11.8", "8", "8.7.0.84", "3.5 5.0 6.0 7.0 7.5 8.0", "8.0"),
        ("tensorflow-2.17.1-cp312-cp312-manylinux_2_17_x86_64", "12.3", "8", "8.9.7.29", "6.0 7.0 8.0 8.9 9.0", "9.0"),
        ("tensorflow-2.17.1-cp312-cp312-manylinux_2_17_aarch64", None, None, None, "", ""),
        ("tensorflow-2.20.0", "12.5.1", "9", "9.3.0.75", "6.0 7.0 8.0 8.9 9.0", "9.0"),
        ("tensorflow_cpu-2.20.0", None, None, None, "", ""),
        ("tensorflow-2.22.0rc0", "12.5.1", "9", "9.10.2.21", "6.0 7.0 8.0 8.9 9.0", ""),
    ],
)
def test_builds(start: str, cuda: str | None, cudnn: str | None, floor: str | None, sass: str, ptx: str) -> None:
    """Each form of `build_info.py` since 1.4, and the header where that is silent, give what they hold and no more."""
    found = read(start)
    assert found.is_cuda == (cuda is not None)
    assert str(found.cuda or ("unknown" if found.is_cuda else None)) == str(cuda)
    assert (found.cudnn and str(found.cudnn)) == cudnn
    assert (found.cudnn_floor and str(found.cudnn_floor)) == floor
    assert " ".join(map(str, found.sass)) == sass
    assert " ".join(map(str, found.ptx)) == ptx


@pytest.mark.parametrize(
    ("info", "cuda", "cudnn"),
    [
        ({"cuda_version": "64_112", "cudnn_version": "64_8"}, "11.2", "8"),
        ({"cuda_version": "64_100", "cudnn_version": "64_7"}, "10.0", "7"),
        ({"cuda_version": "10.1", "cudnn_version": "7"}, "10.1", "7"),
    ],
)
def test_builds_for_windows(info: dict[str, str], cuda: str, cudnn: str) -> None:
    """From 2.3 on they tell their CUDA by the name of its DLL (2.10.1, 2.3.4), before that as others do (2.1.4)."""
    found = build({"is_cuda_build": True, **info}, Platform.WINDOWS_X86_64, "wheel")
    assert (str(found.cuda), str(found.cudnn)) == (cuda, cudnn)


def test_compiler_and_tensorrt() -> None:
    """Compiler and TensorRT are as the wheel says, unknown where it is silent."""
    assert (read("tensorflow-2.20.0").compiler, read("tensorflow-2.20.0").tensorrt) == ("clang 18", False)
    assert read("tensorflow-2.14.0").tensorrt is True
    assert (read("tensorflow-2.2.0").compiler, read("tensorflow-2.2.0").tensorrt) == (None, None)


def test_what_metadata_adds_is_marked() -> None:
    """Fields that neither `build_info.py` nor the header says name the extra that has them."""
    assert read("tensorflow-2.20.0").inferred == ("cudnn_floor",)
    info = build({"is_cuda_build": True}, Platform.LINUX_X86_64, "wheel")
    metadata = members_of(recorded("tensorflow-2.22.0rc0").filename)["tensorflow-2.22.0rc0.dist-info/METADATA"]
    candidate = supplement(info, parse_metadata(metadata).requires_dist)
    assert candidate.inferred == ("cuda", "cudnn", "cudnn_floor")
    assert candidate.evidence == ("METADATA of the same wheel, extra `and-cuda`",)


def test_metadata() -> None:
    """Requirements stand in the order of the file, with their markers."""
    core = parse_metadata(members_of(recorded("tensorflow-2.20.0").filename)["tensorflow-2.20.0.dist-info/METADATA"])
    assert core.requires_python == ">=3.9"
    assert core.requires_dist[0] == "absl-py>=1.0.0"
    assert 'nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"' in core.requires_dist


@pytest.mark.parametrize(
    ("member", "yes"),
    [
        ("tensorflow/python/platform/build_info.py", True),
        ("tensorflow_core/python/platform/build_info.py", True),
        ("tensorflow-1.4.0.data/purelib/tensorflow/python/platform/build_info.py", True),
        ("tensorflow-2.20.0.dist-info/METADATA", True),
        ("tensorflow/python/platform/sysconfig.py", False),
        ("tensorflow/include/other.dist-info/METADATA", False),
    ],
)
def test_wanted_members(member: str, yes: bool) -> None:
    """Only METADATA of the wheel and the build info are read."""
    assert wanted(member) is yes


def test_nothing_is_executed() -> None:
    """A hostile module is parsed, not run; calls other than of a mapping with literals are nothing."""
    hostile = b"import sys\nsys.exit(3)\nis_cuda_build = False\nother = open('/etc/passwd').read()\nx.y = 1\n"
    assert parse_build_info(hostile) == {"is_cuda_build": False, "other": None}


@pytest.mark.parametrize(
    "source", [b"def broken(:", b"x = 1\n", b"build_info = compute()\n", b"build_info = f(1, 2)\n"]
)
def test_unknown_forms(source: bytes) -> None:
    """A form that is not known is an error, never an empty answer."""
    with pytest.raises(ValueError, match=r"build_info\.py"):
        parse_build_info(source)


def test_capabilities() -> None:
    """`sm_` is machine code, `compute_` and bare numbers are machine code and PTX; sorted as numbers."""
    sass, ptx = capabilities(["sm_100", "compute_90", "sm_75", "5.2"])
    assert (list(map(str, sass)), list(map(str, ptx))) == (["5.2", "7.5", "9.0", "10.0"], ["5.2", "9.0"])


def test_bound() -> None:
    """Bounds are taken from the extra only, whatever suffix NVIDIA's wheel has."""
    requires = ("nvidia-cudnn-cu13>=9.12,<10; extra == 'and-cuda'", "nvidia-cuda-runtime<14; extra == 'and-cuda'")
    assert bound(requires, "nvidia-cudnn") == Version("9.12")
    assert bound(requires, "nvidia-cuda-runtime") is None
    assert bound(("nvidia-cudnn-cu12==9.1",), "nvidia-cudnn") is None
    assert bound(("nvidia-cudnn-frontend==1.0; extra == 'and-cuda'",), "nvidia-cudnn") is None
