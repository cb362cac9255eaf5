"""Sample locks: a CPU one and a CUDA one, small and true to life; hashes are made up."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from tfenv.model.builds import Build
from tfenv.model.goal import PYPI, Goal
from tfenv.model.hardware import Architecture, ComputeCapability, Gpu
from tfenv.model.lock import BaseImage, Lock, LockedPackage, Needs, Origin, Stack
from tfenv.model.package import File, Requirement, normalize
from tfenv.model.target import Accelerator, Platform, Target


def architectures(*texts: str) -> tuple[Architecture, ...]:
    """Architectures by their names."""
    return tuple(Architecture.parse(text) for text in texts)


def package(
    filename: str,
    *dependencies: str,
    direct: bool = False,
    requires_python: str | None = ">=3.9",
    sha256: str | None = None,
    size: int | None = 1_048_576,
    url: str | None = None,
    index: str = PYPI,
    yanked: str | None = None,
) -> LockedPackage:
    """A locked package by the name of its file; its hash, unless given, is that of the filename."""
    if filename.endswith(".whl"):
        name, version, build, tags = parse_wheel_filename(filename)
    else:
        (name, version), build, tags = parse_sdist_filename(filename), (), frozenset()
    digest = sha256 or hashlib.sha256(filename.encode()).hexdigest()
    return LockedPackage(
        name=normalize(name),
        version=version,
        file=File(
            name=normalize(name),
            version=version,
            filename=filename,
            url=url or f"https://files.pythonhosted.org/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{filename}",
            sha256=digest,
            size=size,
            upload_time=datetime(2025, 8, 13, 15, 4, 5, 678901, tzinfo=UTC),
            yanked=yanked,
            tags=tags,
            build=build,
            index=index,
        ),
        dependencies=tuple(normalize(each) for each in dependencies),
        requires_python=None if requires_python is None else SpecifierSet(requires_python),
        direct=direct,
    )


def cpu_lock() -> Lock:
    """TensorFlow 2.21.0 for the CPU on Linux x86-64 and Python 3.13, with a source distribution and a variable."""
    request = Goal(
        requirements=(
            Requirement(
                name=normalize("pandas"),
                specifier=SpecifierSet("<3"),
                extras=frozenset({"parquet"}),
                marker=Marker('python_version >= "3.10"'),
                source="requirements.txt:3",
            ),
        ),
        exclude_newer=datetime(2026, 11, 1, tzinfo=UTC),
    )
    return Lock(
        request=request,
        target=Target(python=Version("3.13"), glibc=Version("2.36")),
        packages=(
            package("gast-0.6.0-py3-none-any.whl", requires_python=None),
            package(
                "numpy-2.3.5-cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl", requires_python=">=3.11"
            ),
            package("pandas-2.3.3-cp313-cp313-manylinux_2_24_x86_64.whl", "numpy", direct=True),
            package(
                "tensorflow_cpu-2.21.0-cp313-cp313-manylinux_2_27_x86_64.whl",
                "gast",
                "numpy",
                "termcolor",
                direct=True,
                size=270_000_000,
            ),
            package("termcolor-1.1.0.tar.gz", requires_python=None, size=3_900, yanked="not this one"),
        ),
        stack=Stack(),
        needs=Needs(glibc=Version("2.27"), cpu=("avx", "avx2", "fma")),
        base_image=BaseImage(
            reference="docker.io/library/python:3.13.9-slim-bookworm",
            digest=f"sha256:{hashlib.sha256(b'base').hexdigest()}",
        ),
        build=Build(
            platform=Platform.LINUX_X86_64,
            compiler="/usr/lib/llvm-18/bin/clang",
            tensorrt=False,
            source="tensorflow_cpu-2.21.0-cp313-cp313-manylinux_2_27_x86_64.whl",
        ),
        warnings=("termcolor 1.1.0 is a source distribution: it is built while installing",),
        sources=("tensorflow_cpu-2.21.0-cp313-cp313-manylinux_2_27_x86_64.whl",),
        facts="3f1c0ad2",
        inputs="0" * 64,
        environment=(("TF_USE_LEGACY_KERAS", "1"),),
    )


def cuda_lock() -> Lock:
    """TensorFlow 2.21.0 for a V100 on Linux x86-64 and Python 3.12, the CUDA libraries from wheels."""
    gpu = Gpu(name="V100", capability=ComputeCapability(7, 0))
    target = Target(
        python=Version("3.12"),
        accelerator=Accelerator.CUDA,
        cuda_major=12,
        gpus=(gpu,),
        driver=Version("535.104.05"),
        glibc=Version("2.36"),
        cpu=frozenset({"avx", "avx2", "fma"}),
    )
    nvidia = (
        package(
            "nvidia_cublas_cu12-12.9.1.4-py3-none-manylinux_2_27_x86_64.whl", requires_python=">=3", size=581_000_000
        ),
        package(
            "nvidia_cuda_runtime_cu12-12.9.79-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", size=3_500_000
        ),
        package(
            "nvidia_cudnn_cu12-9.10.2.21-py3-none-manylinux_2_27_x86_64.whl", "nvidia-cublas-cu12", size=706_000_000
        ),
        package("nvidia_nccl_cu12-2.27.3-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", size=322_000_000),
    )
    return Lock(
        request=Goal(
            tensorflow=SpecifierSet("==2.21.*"),
            target=Target(
                accelerator=Accelerator.CUDA, cuda_major=12, gpus=(gpu,), driver=target.driver, cpu=target.cpu
            ),
            constraints=(
                Requirement(name=normalize("numpy"), specifier=SpecifierSet("<2.4"), source="constraints.txt:1"),
            ),
            indexes=("https://pypi.example.org/simple/", PYPI),
        ),
        target=target,
        packages=(
            package(
                "numpy-2.3.5-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl", requires_python=">=3.11"
            ),
            *nvidia,
            package(
                "tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl",
                "numpy",
                *(each.name for each in nvidia),
                direct=True,
                size=645_000_000,
            ),
        ),
        stack=Stack(origin=Origin.WHEELS, cuda=Version("12.9"), cudnn=Version("9.10.2.21"), nccl=Version("2.27.3")),
        needs=Needs(
            driver=Version("525.60.13"),
            sass=architectures("6.0", "7.0", "8.0", "8.9", "9.0"),
            ptx=architectures("9.0"),
            glibc=Version("2.27"),
            cpu=("avx",),
        ),
        base_image=BaseImage(reference="docker.io/library/python:3.12.12-slim-bookworm"),
        build=Build(
            platform=Platform.LINUX_X86_64,
            cuda=Version("12.5.1"),
            cudnn=Version("9"),
            sass=architectures("6.0", "7.0", "8.0", "8.9", "9.0"),
            ptx=architectures("9.0"),
            compiler="/usr/lib/llvm-18/bin/clang",
            tensorrt=False,
            source="tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl",
            inferred=("compiler", "cudnn_floor"),
            cudnn_floor=Version("9.3.0.75"),
            partial=architectures("9.0"),
            evidence=("METADATA of the same wheel, extra `and-cuda`",),
            unknown=("tensorrt",),
        ),
        notes=("cuDNN held at 9.10.2.21: from 9.11 on it has no code for compute capability 7.0 (V100)",),
        warnings=("no registry could be asked for the digest of the base image",),
        sources=(
            "tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl",
            "https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/",
        ),
        facts="3f1c0ad2",
        inputs="1" * 64,
    )
