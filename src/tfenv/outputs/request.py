"""A request and a target as tables of `[tool.tfenv]`, written and read, and the digest of a request."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.model.document import Table, flag, moment, of, one_of, text, whole
from tfenv.model.goal import Goal
from tfenv.model.hardware import ComputeCapability, Gpu, driver_of, driver_text
from tfenv.model.package import Requirement, normalize
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.outputs.toml import Inline

NEWEST = "newest"


def request_table(request: Goal) -> dict[str, object]:
    """The request as a table, without options that were not set."""
    return {
        "tensorflow": str(request.tensorflow) or None,
        "keras": request.keras,
        "prefer": NEWEST if request.newest else None,
        "prereleases": request.prereleases or None,
        "without-gpu": request.without_gpu or None,
        "force-broken": request.force_broken or None,
        "exclude-newer": request.exclude_newer,
        "indexes": list(request.indexes),
        "requirements": [_requirement_table(each) for each in request.requirements] or None,
        "constraints": [_requirement_table(each) for each in request.constraints] or None,
        "target": target_table(request.target),
    }


def read_request(table: Table) -> Goal:
    """The request in a table; faults are recorded in the table."""
    request = Goal(
        tensorflow=table.get("tensorflow", of(SpecifierSet)) or SpecifierSet(),
        keras=table.get("keras", whole),
        newest=table.get("prefer", text) == NEWEST,
        prereleases=table.get("prereleases", flag) or False,
        without_gpu=table.get("without-gpu", flag) or False,
        force_broken=table.get("force-broken", flag) or False,
        exclude_newer=table.get("exclude-newer", moment),
        indexes=table.many("indexes", text),
        requirements=tuple(map(_read_requirement, table.tables("requirements"))),
        constraints=tuple(map(_read_requirement, table.tables("constraints"))),
        target=read_target(table.table("target")),
    )
    table.close()
    return request


def target_table(target: Target) -> dict[str, object]:
    """The target as a table, without values that are not known."""
    return {
        "platform": str(target.platform),
        "python": _text(target.python),
        "accelerator": str(target.accelerator),
        "cuda-major": target.cuda_major,
        "rocm": _text(target.rocm),
        "gpus": [Inline(name=gpu.name, capability=str(gpu.capability)) for gpu in target.gpus] or None,
        "gfx": list(target.gfx) or None,
        "driver": None if target.driver is None else driver_text(target.driver),
        "glibc": _text(target.glibc),
        "cpu": None if target.cpu is None else sorted(target.cpu),
    }


def read_target(table: Table) -> Target:
    """The target in a table; faults are recorded in the table."""
    cpu = table.many("cpu", text)
    target = Target(
        platform=table.need("platform", one_of(Platform)),
        python=table.get("python", of(Version)),
        accelerator=table.need("accelerator", one_of(Accelerator)),
        cuda_major=table.get("cuda-major", whole),
        rocm=table.get("rocm", of(Version)),
        gpus=tuple(_read_gpu(each) for each in table.tables("gpus")),
        gfx=table.many("gfx", text),
        driver=table.get("driver", of(lambda text: driver_of(Version(text)))),
        glibc=table.get("glibc", of(Version)),
        cpu=frozenset(cpu) if "cpu" in table else None,
    )
    table.close()
    return target


def inputs_digest(request: Goal) -> str:
    """The digest of a request: SHA-256 in hex of its table as canonical JSON.

    It does not depend on the order and origin of requirements, which do not change the lock. It does depend on the
    order of the indexes and of the GPUs.
    """
    import hashlib
    import json

    table = request_table(request)
    for key, asked in (("requirements", request.requirements), ("constraints", request.constraints)):
        table[key] = sorted({f"{_requirement_text(each)} {[str(spec) for spec in each.any_of]}" for each in asked})
    canonical = json.dumps(_set(table), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _set(value: object) -> object:
    """A table without options that were not set: a new option does not change the digests of requests without it."""
    if not isinstance(value, dict):
        return value
    return {key: _set(each) for key, each in value.items() if each is not None}


def _requirement_table(requirement: Requirement) -> Inline:
    return Inline(
        requirement=_requirement_text(requirement),
        **{"any-of": [str(spec) for spec in requirement.any_of] or None},
        because=requirement.because or None,
        source=requirement.source or None,
    )


def _requirement_text(requirement: Requirement) -> str:
    """A requirement in the notation of PEP 508."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker is not None else ""
    return f"{requirement.name}{extras}{requirement.specifier}{marker}"


def _read_requirement(table: Table) -> Requirement:
    parsed = table.need("requirement", of(_parse_requirement))
    any_of = table.many("any-of", of(SpecifierSet))
    because = table.get("because", text) or ""
    source = table.get("source", text) or ""
    table.close()
    if not table.sound:
        return Requirement(name=normalize("faulty"))
    return Requirement(
        name=parsed.name,
        specifier=parsed.specifier,
        any_of=any_of,
        extras=parsed.extras,
        marker=parsed.marker,
        because=because,
        source=source,
    )


def _parse_requirement(value: str) -> Requirement:
    from packaging.requirements import Requirement as PackagingRequirement

    return Requirement.of(PackagingRequirement(value))


def _read_gpu(table: Table) -> Gpu:
    gpu = Gpu(name=table.need("name", text), capability=table.need("capability", of(ComputeCapability.parse)))
    table.close()
    return gpu


def _text(version: Version | None) -> str | None:
    return None if version is None else str(version)
