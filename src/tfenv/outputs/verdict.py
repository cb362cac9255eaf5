"""The JSON document of a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfenv.model.report import Fix, Verdict


def document(verdict: Verdict) -> dict[str, object]:
    """The verdict in `check --json` and `doctor --json`."""
    return {
        "verdict": str(verdict.answer),
        "problems": [
            {
                "code": problem.code,
                "subject": problem.subject,
                "because": list(problem.because),
                "sources": list(problem.sources),
                "fixes": [_fix(fix) for fix in problem.fixes],
            }
            for problem in verdict.problems
        ],
        "warnings": [{"code": caution.code, "message": caution.message} for caution in verdict.warnings],
        "unknown": list(verdict.unknown),
    }


def _fix(fix: Fix) -> dict[str, object]:
    """A fix; changes of packages are in the table `packages`, as in the input."""
    change: dict[str, object] = {}
    packages: dict[str, str] = {}
    for key, value in fix.change:
        if key.startswith("packages."):
            packages[key.removeprefix("packages.")] = value
        else:
            change[key] = value
    if packages:
        change["packages"] = packages
    return {"change": change, "command": fix.command, "cost": fix.cost, "solved": fix.solved}
