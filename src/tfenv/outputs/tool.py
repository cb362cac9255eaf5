"""`[tool.tfenv]` of a lock, written and read: everything in a lock besides its packages."""

from __future__ import annotations

from dataclasses import replace

from packaging.utils import is_normalized_name
from packaging.version import Version

from tfenv.model.builds import Build, CompileFlags
from tfenv.model.document import Table, flag, of, one_of, text
from tfenv.model.hardware import Architecture, ComputeCapability, driver_text
from tfenv.model.lock import BaseImage, HeldBack, Lock, LockedPackage, Needs, Origin, Stack
from tfenv.model.package import Name
from tfenv.model.target import Platform
from tfenv.outputs.request import read_request, read_target, request_table, target_table
from tfenv.outputs.toml import Inline

FORMAT = 1
"""number of the table's layout; every format since 1 is read, and `tests/outputs/formats` has a lock in each

A key may be added without a new number if a lock without it is read as before; anything else needs a new number, and a
branch in `read_tool` for the older ones.
"""


def tool_table(lock: Lock) -> dict[str, object]:
    """The parts of a lock that the standard does not define, as a table."""
    needs, build = lock.needs, lock.build
    return {
        "format": FORMAT,
        "facts": lock.facts or None,
        "inputs": lock.inputs or None,
        "direct": [package.name for package in lock.packages if package.direct],
        "notes": list(lock.notes) or None,
        "warnings": list(lock.warnings) or None,
        "sources": list(lock.sources) or None,
        "target": target_table(lock.target),
        "stack": stack_table(lock.stack),
        "needs": {
            "driver": None if needs.driver is None else driver_text(needs.driver),
            "sass": [str(each) for each in needs.sass] or None,
            "ptx": [str(each) for each in needs.ptx] or None,
            "drivers": [f"{capability} {driver_text(driver)}" for capability, driver in needs.drivers] or None,
            "glibc": _text(needs.glibc),
            "cpu": list(needs.cpu) or None,
        },
        "base-image": lock.base_image and {"reference": lock.base_image.reference, "digest": lock.base_image.digest},
        "build": build
        and {
            "platform": str(build.platform),
            "cuda": _text(build.cuda),
            "cudnn": _text(build.cudnn),
            "cudnn-floor": _text(build.cudnn_floor),
            "sass": [str(each) for each in build.sass] or None,
            "partial": [str(each) for each in build.partial] or None,
            "ptx": [str(each) for each in build.ptx] or None,
            "compiler": build.compiler,
            "tensorrt": build.tensorrt,
            "source": build.source or None,
            "inferred": list(build.inferred) or None,
            "evidence": list(build.evidence) or None,
            "unknown": list(build.unknown) or None,
        },
        "compile": lock.compile
        and {
            "compiler": list(lock.compile.compiler),
            "include": list(lock.compile.include),
            "library": lock.compile.library,
        },
        "environment": dict(lock.environment) or None,
        "yanked": {package.name: package.file.yanked for package in lock.packages if package.file.yanked is not None}
        or None,
        "held": {
            each.name: Inline(before=str(each.before), because=each.because or None)
            for each in sorted(lock.held, key=lambda each: each.name)
        }
        or None,
        "request": request_table(lock.request),
    }


def stack_table(stack: Stack) -> dict[str, str | None]:
    """Origin and versions of the GPU libraries of a lock."""
    return {
        "origin": str(stack.origin),
        "cuda": _text(stack.cuda),
        "cudnn": _text(stack.cudnn),
        "nccl": _text(stack.nccl),
        "rocm": _text(stack.rocm),
    }


def read_tool(tool: Table, packages: tuple[LockedPackage, ...]) -> Lock:
    """The lock in a table and its packages; faults are recorded in the table."""
    direct = frozenset(tool.many("direct", project_name))
    reasons = tool.table("yanked")
    yanked = {key: reasons.need(key, text) for key in reasons.values}
    for key, names in (("direct", direct), ("yanked", frozenset(yanked))):
        for missing in sorted(names - {package.name for package in packages}):
            tool.fault(key, f"`{missing}` is not in the lock")
    environment, held = tool.table("environment"), tool.table("held")
    answered = tool.table("target")
    answered.need("python", of(Version))
    lock = Lock(
        request=read_request(tool.table("request")),
        target=read_target(answered),
        packages=tuple(
            replace(
                package,
                direct=package.name in direct,
                file=replace(package.file, yanked=yanked.get(package.name)),
            )
            for package in packages
        ),
        stack=_read_stack(tool.table("stack")),
        needs=_read_needs(tool.table("needs")),
        base_image=_read_base_image(tool.table("base-image")) if "base-image" in tool else None,
        build=_read_build(tool.table("build")) if "build" in tool else None,
        held=tuple(_read_held(name, held.table(name)) for name in held.values),
        notes=tool.many("notes", text),
        warnings=tool.many("warnings", text),
        sources=tool.many("sources", text),
        facts=tool.get("facts", text) or "",
        inputs=tool.get("inputs", text) or "",
        environment=tuple(sorted((key, environment.need(key, text)) for key in environment.values)),
        compile=_read_compile(tool.table("compile")) if "compile" in tool else None,
    )
    tool.close()
    return lock


def _read_held(name: str, table: Table) -> HeldBack:
    held = HeldBack(name=Name(name), before=table.need("before", of(Version)), because=table.get("because", text) or "")
    table.close()
    return held


def _read_stack(table: Table) -> Stack:
    stack = Stack(
        origin=table.need("origin", one_of(Origin)),
        cuda=table.get("cuda", of(Version)),
        cudnn=table.get("cudnn", of(Version)),
        nccl=table.get("nccl", of(Version)),
        rocm=table.get("rocm", of(Version)),
    )
    table.close()
    return stack


def _read_needs(table: Table) -> Needs:
    needs = Needs(
        driver=table.get("driver", of(Version)),
        sass=table.many("sass", of(Architecture.parse)),
        ptx=table.many("ptx", of(Architecture.parse)),
        drivers=table.many("drivers", of(_driver_from)),
        glibc=table.get("glibc", of(Version)),
        cpu=table.many("cpu", text),
    )
    table.close()
    return needs


def _driver_from(value: str) -> tuple[ComputeCapability, Version]:
    """A capability, and the lowest driver from it on: `9.0 555.42.02`."""
    capability, _, driver = value.partition(" ")
    return ComputeCapability.parse(capability), Version(driver)


def _read_base_image(table: Table) -> BaseImage:
    image = BaseImage(reference=table.need("reference", text), digest=table.get("digest", text))
    table.close()
    return image


def _read_build(table: Table) -> Build:
    build = Build(
        platform=table.need("platform", one_of(Platform)),
        cuda=table.get("cuda", of(Version)),
        cudnn=table.get("cudnn", of(Version)),
        cudnn_floor=table.get("cudnn-floor", of(Version)),
        sass=table.many("sass", of(Architecture.parse)),
        partial=table.many("partial", of(Architecture.parse)),
        ptx=table.many("ptx", of(Architecture.parse)),
        compiler=table.get("compiler", text),
        tensorrt=table.get("tensorrt", flag),
        source=table.get("source", text) or "",
        inferred=table.many("inferred", text),
        evidence=table.many("evidence", text),
        unknown=table.many("unknown", text),
    )
    table.close()
    return build


def _read_compile(table: Table) -> CompileFlags:
    flags = CompileFlags(
        compiler=table.many("compiler", text),
        include=table.many("include", text),
        library=table.need("library", text),
    )
    table.close()
    return flags


def project_name(value: object) -> Name:
    """The value as a project name; raises `ValueError` if it is not a normalized one."""
    if not is_normalized_name(text(value)):
        raise ValueError(f"`{value}` is not a normalized project name")
    return Name(text(value))


def _text(version: Version | None) -> str | None:
    return None if version is None else str(version)
