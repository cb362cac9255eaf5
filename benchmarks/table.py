"""The results as a table in Markdown."""

from __future__ import annotations

from typing import Any

BASE = "uv pip compile"
START = 'python -c "import typer"'


def markdown(values: dict[str, Any]) -> str:
    """Every case: one line a tool."""
    lines = [f"{values['machine']}; {', '.join(sorted(set(values['versions'].values())))}", ""]
    if values["start"]:
        lines += _starts(values["start"])
    cases = sorted({key.split("|")[0] for key in values["runs"]})
    tools = list(values["versions"])
    times = sorted({float(key.split("|")[3]) for key in values["runs"]})
    for rtt in times:
        lines += [
            f"Round trip {rtt:g} ms",
            "",
            "| case | tool | cold | ratio | requests | MB | warm | ratio | CPU, warm | memory, MB | runs |",
            "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        ]
        lines += [
            row
            for case in cases
            for tool in tools
            if (row := _row(values["runs"], values["start"], case, tool, rtt)) is not None
        ]
        lines.append("")
    return "\n".join(lines)


def _starts(start: dict[str, Any]) -> list[str]:
    base = start[START]["seconds"]
    lines = ["| start-up | seconds | ratio |", "|---|--:|--:|"]
    lines += [f"| `{name}` | {one['seconds']:.3f} | {one['seconds'] / base:.2f} |" for name, one in start.items()]
    return [*lines, ""]


def _row(runs: dict[str, Any], start: dict[str, Any], case: str, tool: str, rtt: float) -> str | None:
    cold, warm = (runs.get(f"{case}|{tool}|{state}|{rtt:g}", {}) for state in ("cold", "warm"))
    if not cold and not warm:
        return None
    cells = [case, f"`{tool}`", _seconds(cold), _ratio(runs, case, cold, "cold", rtt, 0.0)]
    cells += [str(cold.get("requests", "")), f"{cold['bytes'] / 1e6:.1f}" if "bytes" in cold else ""]
    beyond = start.get(START, {}).get("seconds", 0.0) if tool.startswith("tfenv") else 0.0
    cells += [_seconds(warm), _ratio(runs, case, warm, "warm", rtt, beyond)]
    best = warm if "cpu" in warm else cold
    cells += [f"{best['cpu']:.2f}" if "cpu" in best else "", f"{max(cold.get('memory', 0), warm.get('memory', 0)):.0f}"]
    cells.append("/".join(str(one["times"]) for one in (cold, warm) if "times" in one))
    return f"| {' | '.join(cells)} |"


def _seconds(found: dict[str, Any]) -> str:
    if not found:
        return ""
    return f"{found['seconds']:.3f}" if "times" in found else f"failed ({found['code']})"


def _ratio(runs: dict[str, Any], case: str, found: dict[str, Any], state: str, rtt: float, beyond: float) -> str:
    """To `uv pip compile` in the same state; for tfenv, warm, what goes beyond the start-up of typer."""
    base = runs.get(f"{case}|{BASE}|{state}|{rtt:g}", {})
    if "times" not in found or "times" not in base:
        return ""
    return f"{(found['seconds'] - beyond) / base['seconds']:.2f}"
