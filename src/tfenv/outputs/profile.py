"""A machine as a target in TOML, for `tfenv lock --target-file` elsewhere."""

from __future__ import annotations

import json

from packaging.version import Version

from tfenv.model import document
from tfenv.model.document import Table
from tfenv.model.hardware import ComputeCapability, Gpu, driver_text
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.store import formats

FIRST_LINE = "# Written by tfenv doctor: a machine, which `tfenv lock --target-file` reads."


def dumps(target: Target) -> str:
    """The profile of a target."""
    lines = [FIRST_LINE, f"platform = {json.dumps(str(target.platform))}"]
    if target.driver is not None:
        lines.append(f"driver = {json.dumps(driver_text(target.driver))}")
    if target.glibc is not None:
        lines.append(f"glibc = {json.dumps(str(target.glibc))}")
    if target.cpu is not None:
        lines.append(f"cpu = {json.dumps(sorted(target.cpu))}")
    for gpu in target.gpus:
        lines += ["", "[[gpu]]", f"name = {json.dumps(gpu.name)}", f"capability = {json.dumps(str(gpu.capability))}"]
    return "\n".join(lines) + "\n"


def loads(text: str, name: str) -> Target:
    """Read a profile.

    Raises:
        UsageError: the text is not TOML, or has faults.
    """
    table = Table(formats.toml(text, name))
    platform = table.need("platform", document.one_of(Platform))
    driver, glibc = table.get("driver", document.of(Version)), table.get("glibc", document.of(Version))
    cpu = frozenset(table.many("cpu", document.text)) if "cpu" in table else None
    table.many("cpu", document.text)
    gpus = []
    for row in table.tables("gpu"):
        capability = row.need("capability", document.of(ComputeCapability.parse))
        gpus.append(Gpu(name=row.need("name", document.text), capability=capability))
        row.close()
    table.close()
    table.refuse(name, hint="`tfenv doctor --save FILE` writes one")
    return Target(
        platform=platform,
        accelerator=Accelerator.CUDA if gpus else Accelerator.NONE,
        gpus=tuple(gpus),
        driver=driver,
        glibc=glibc,
        cpu=cpu,
    )
