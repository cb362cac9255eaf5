"""Probe documents recorded in real environments, and the lock that such an environment would have come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from tests.support.locks import package
from tfenv.model.builds import Build
from tfenv.model.goal import Goal
from tfenv.model.hardware import Architecture
from tfenv.model.lock import Lock, Needs, Origin, Stack
from tfenv.model.package import normalize
from tfenv.model.target import Accelerator, Platform, Target

if TYPE_CHECKING:
    from tfenv.smoke.exchange import Document

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> Document:
    """The answer of a probe, as it was once given."""
    document: Document = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return document


def lock_of(document: Document) -> Lock:
    """The lock of exactly what a probe found."""
    found = document["installed"]["distributions"]
    packages = tuple(
        package(f"{entry['name'].replace('-', '_')}-{entry['version']}-py3-none-any.whl")
        for entry in sorted(found, key=lambda entry: str(entry["name"]))
    )
    info = document["import"]["steps"]["build"]["info"]
    capabilities = [Architecture.parse(item) for item in info.get("cuda_compute_capabilities", ())]
    ptx = [Architecture.parse(item) for item in info.get("cuda_compute_capabilities", ()) if item.startswith("comp")]
    cuda = Version(info["cuda_version"]) if info["is_cuda_build"] else None
    versions = {each.name: each.version for each in packages}
    python = Version(document["python"])
    return Lock(
        request=Goal(),
        target=Target(
            python=Version(f"{python.major}.{python.minor}"),
            accelerator=Accelerator.NONE if cuda is None else Accelerator.CUDA,
        ),
        packages=packages,
        stack=Stack()
        if cuda is None
        else Stack(
            origin=Origin.WHEELS,
            cuda=Version(".".join(map(str, versions[normalize("nvidia-cuda-runtime-cu12")].release[:2]))),
            cudnn=versions[normalize("nvidia-cudnn-cu12")],
            nccl=versions[normalize("nvidia-nccl-cu12")],
        ),
        needs=Needs(),
        base_image=None,
        build=Build(
            platform=Platform.LINUX_X86_64,
            cuda=cuda,
            cudnn=Version(info["cudnn_version"]) if cuda is not None else None,
            sass=tuple(capabilities),
            ptx=tuple(ptx),
        ),
    )
