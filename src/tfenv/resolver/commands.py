"""What a suggested change costs and which command makes it: one table and one writer for `check` and `lock`."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from tfenv.model.hardware import driver_text
from tfenv.model.target import Accelerator, Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.specifiers import SpecifierSet

    from tfenv.model.goal import Goal

PATCH, PACKAGE, PYTHON, PIN, CUDNN, CUDA, RELEASE, DRIVER, SYSTEM, IMAGE, LESS, CPU = 1, 1, 2, 2, 2, 2, 3, 4, 5, 6, 6, 9
"""Costs, by what changes: the patch release, an installed package, Python, a pinned requirement, cuDNN, CUDA, the
release, the driver, the operating system, the base image; what is given up: a requirement, the GPU. A release that is
far from the one that was asked for costs more."""

_IN_A_FILE = re.compile(r"(.+):\d+")


def lock_command(goal: Goal, *, cpu: bool = False) -> str:
    """The `tfenv lock` that asks for a goal.

    Args:
        goal: what is asked for.
        cpu: write `--gpu none`, though it is the default.
    """
    target = goal.target
    words = ["tfenv", "lock"]
    if goal.tensorflow:
        text = str(goal.tensorflow)
        words += ["--tf", text.removeprefix("==").removesuffix(".*") if "," not in text else text]
    for gpu in target.gpus:
        words += ["--gpu", gpu.name]
    if target.cuda_major is not None:
        words += ["--gpu", f"cuda{target.cuda_major}"]
    elif target.accelerator is Accelerator.ROCM:
        for word in target.gfx or (f"rocm{target.rocm or ''}",):
            words += ["--gpu", word]
    elif target.accelerator is not Accelerator.NONE and not target.gpus:
        words += ["--gpu", target.accelerator.value]
    elif cpu:
        words += ["--gpu", "none"]
    for option, value in (
        ("--driver", None if target.driver is None else driver_text(target.driver)),
        ("--python", None if target.python is None else f"{target.python.major}.{target.python.minor}"),
        ("--platform", None if target.platform is Platform.LINUX_X86_64 else target.platform),
        ("--glibc", target.glibc),
        ("--cpu", None if target.cpu is None else ",".join(sorted(target.cpu))),
        ("--keras", goal.keras),
        ("--exclude-newer", None if goal.exclude_newer is None else f"{goal.exclude_newer:%Y-%m-%dT%H:%M:%SZ}"),
        ("--prefer", "newest" if goal.newest else None),
    ):
        if value is not None:
            words += [option, str(value)]
    files: dict[tuple[str, str], None] = {}
    for option, asked in (("-r", goal.requirements), ("-c", goal.constraints)):
        for requirement in asked:
            if requirement.source.startswith("--with"):
                words += ["--with", str(requirement)]
            elif (match := _IN_A_FILE.fullmatch(requirement.source)) is not None:
                files[option, match[1]] = None
    return " ".join(map(shlex.quote, (*words, *(word for file in files for word in file))))


def install_command(installer: str, packages: Iterable[tuple[str, SpecifierSet]]) -> str:
    """The command that brings packages of an environment to other versions."""
    words = " ".join(shlex.quote(f"{name}{ordered(specifier)}") for name, specifier in packages)
    return f"{installer} install {words}"


def ordered(specifier: SpecifierSet) -> str:
    """Lower bound first, as people write it."""
    return ",".join(sorted(map(str, specifier), key=lambda text: (not text.startswith(">"), text)))
