"""The answer of `infer` as the JSON document of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfenv.model.inferred import Finding, Inferred


def document(answer: Inferred) -> dict[str, object]:
    """The document that `tfenv infer --json` prints."""
    fields: dict[str, object] = {
        "releases": list(answer.releases),
        "spec": answer.spec,
        "python": answer.python,
        "companions": list(answer.companions),
        "legacy_keras": answer.legacy_keras,
        "findings": [_finding(one) for one in answer.findings],
        "unknown": list(answer.unknown),
        "files": answer.files,
        "lines": answer.lines,
        "facts": {"rows": answer.facts, "symbols": answer.symbols},
    }
    if answer.legacy_keras:
        fields["legacy_spec"] = answer.legacy_spec
    if answer.conflict:
        fields["conflict"] = True
        fields["fit"], fields["misfit"] = list(answer.fit), list(answer.misfit)
        fields["contradictions"] = [[_finding(one), _finding(two)] for one, two in answer.contradictions]
        fields["lost"] = {release: [_finding(one) for one in findings] for release, findings in answer.lost}
    return fields


def _finding(one: Finding) -> dict[str, object]:
    fields: dict[str, object] = {
        "file": one.file,
        "line": one.line,
        "symbol": one.symbol,
        "first": one.first,
        "last": one.last,
        "became": one.became,
        "guarded": one.guarded,
    }
    if one.cell is not None:
        fields["cell"] = one.cell
    if one.python:
        fields["python"] = one.python
    if one.note:
        fields["note"] = one.note
    if one.legacy:
        fields["legacy"] = True
    return fields
