"""What is known of a release, as the JSON document of `tfenv facts show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfenv.errors import UsageError

if TYPE_CHECKING:
    from packaging.version import Version

    from tfenv.facts.releases import ReleaseTable
    from tfenv.model.package import Name


def document(name: Name, version: Version, table: ReleaseTable) -> dict[str, Any]:
    """The row of a release as values of JSON.

    Raises:
        UsageError: there is no such row.
    """
    row = table.release(name, version)
    if row is None:
        known = ", ".join(str(one) for one in table.versions(name)[:8])
        hint = f"newest known: {known}; `tfenv facts update --user` reads new ones" if known else None
        raise UsageError(f"there are no facts on `{name}=={version}`", hint=hint)
    return {
        "name": row.name,
        "version": str(row.version),
        "requires_python": row.requires_python,
        "uploaded": row.uploaded.strftime("%Y-%m-%dT%H:%M:%SZ") if row.uploaded else None,
        "wheels": [
            {
                "python": wheel.python,
                "platform": wheel.platform_tag.split(".")[0],
                "size": wheel.size,
                "sha256": wheel.sha256,
                "requires_dist": None if wheel.requires_dist is None else list(wheel.requires_dist),
                "requires_python": wheel.requires_python,
                "filename": wheel.filename,
                "glibc": _text(wheel.glibc),
                "glibcxx": _text(wheel.glibcxx),
                "yanked": wheel.yanked,
            }
            for wheel in row.wheels
        ],
        "builds": [
            {
                "platform": build.platform.value,
                "cuda": _text(build.cuda),
                "cudnn": _text(build.cudnn),
                "cudnn_floor": _text(build.cudnn_floor),
                "sass": [str(architecture) for architecture in build.sass],
                "ptx": [str(architecture) for architecture in build.ptx],
                "partial": [str(architecture) for architecture in build.partial],
                "compiler": build.compiler,
                "tensorrt": build.tensorrt,
                "inferred": list(build.inferred),
                "unknown": list(build.unknown),
                "sources": [build.source, *build.evidence],
            }
            for build in row.builds
        ],
        "sources": list(row.sources),
        "tier": row.tier,
    }


def _text(version: Version | None) -> str | None:
    return None if version is None else str(version)
