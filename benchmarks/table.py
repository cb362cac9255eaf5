"""The results as tables in Markdown, and the state of each bar."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import measure

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "uv pip compile"
START = 'python -c "import typer"'
_USUAL_RTT = "20"
_ASKED, _ANEW = "tfenv", "tfenv (not asked before)"
_SLOW = ("pip-compile", "pdm lock", "poetry lock")

Row = tuple[str, float, str, float]
"""A bar: description, measured value, `≤` or `≥`, and the required value."""


def markdown(values: dict[str, Any], images: dict[str, Any]) -> str:
    """Everything that was measured."""
    blocks = [[f"{values['machine']}; {', '.join(sorted(set(values['versions'].values())))}"]]
    if values["runs"]:
        blocks += [_main(values), *([] if len(_times(values)) < 2 else [_round_trips(values)])]
    if values["start"]:
        blocks.append(_starts(values["start"]))
    if images:
        blocks += list(_images(images))
    blocks.append(_bars([*_locking(values), *_building(images)]))
    return "\n".join("\n".join([*lines, ""]) for lines in blocks if lines)


def _table(head: str, rows: list[list[str]]) -> list[str]:
    """The first column is text, and so are others whose head ends in a colon; the rest are numbers."""
    names = [name.strip() for name in head.split("|")]
    line = "|".join("---" if not number or name.endswith(":") else "--:" for number, name in enumerate(names))
    heads = " | ".join(name.rstrip(":") for name in names)
    return [f"| {heads} |", f"|{line}|", *(f"| {' | '.join(row)} |" for row in rows)]


def _times(values: dict[str, Any]) -> list[str]:
    return sorted({key.split("|")[3] for key in values["runs"]}, key=float)


def _cases(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Cases with their tools, in order."""
    cases = sorted({key.split("|")[0] for key in values["runs"]})
    return [(case, tool) for case in cases for tool in values["versions"]]


def _main(values: dict[str, Any]) -> list[str]:
    rows = []
    for case, tool in _cases(values):
        cold, warm = (values["runs"].get(f"{case}|{tool}|{state}|{_USUAL_RTT}", {}) for state in ("cold", "warm"))
        if not cold and not warm:
            continue
        best = warm if "cpu" in warm else cold
        rows.append(
            [
                case,
                f"`{tool}`",
                _seconds(cold),
                _shown(_ratio(values, case, tool, "cold")),
                str(cold.get("requests", "")),
                f"{cold['bytes'] / 1e6:.1f}" if "bytes" in cold else "",
                _seconds(warm),
                _shown(_ratio(values, case, tool, "warm")),
                f"{best['cpu']:.2f}" if "cpu" in best else "",
                f"{max(cold.get('memory', 0), warm.get('memory', 0)):.0f}" if "cpu" in best else "",
                "/".join(str(one["times"]) for one in (cold, warm) if "times" in one),
            ]
        )
    head = "case | tool: | cold | ratio | requests | MB | warm | ratio | CPU, warm | memory, MB | runs"
    return [f"Round trip {_USUAL_RTT} ms, seconds", "", *_table(head, rows)]


def _round_trips(values: dict[str, Any]) -> list[str]:
    rows = []
    for case, tool in _cases(values):
        found = [values["runs"].get(f"{case}|{tool}|cold|{rtt}", {}) for rtt in _times(values)]
        if sum("times" in one for one in found) > 1:
            pairs = [
                text
                for rtt, one in zip(_times(values), found, strict=True)
                for text in (_seconds(one), _shown(_ratio(values, case, tool, "cold", rtt)))
            ]
            rows.append([case, f"`{tool}`", *pairs])
    return _table(" | ".join(["case", "tool:", *(f"{rtt} ms | ratio" for rtt in _times(values))]), rows)


def _starts(start: dict[str, Any]) -> list[str]:
    base = start[START]["seconds"]
    rows = [[f"`{name}`", f"{one['seconds']:.3f}", f"{one['seconds'] / base:.2f}"] for name, one in start.items()]
    return _table("start-up | seconds | ratio", rows)


def _images(images: dict[str, Any]) -> Iterator[list[str]]:
    """The medians of repeated builds."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for key, value in images.items():
        if "|" in key:
            way, mode, step, _ = key.split("|")
            found.setdefault((way, mode, step), []).append(value)
    steps = list(dict.fromkeys(step for _, _, step in found))
    for mode in dict.fromkeys(mode for _, mode, _ in found):
        rows = []
        for way in dict.fromkeys(way for way, one, _ in found if one == mode):
            cells = [f"`{way}`" if way.startswith("tfenv") else way]
            for step in steps:
                runs = found.get((way, mode, step), [])
                cells += (
                    [f"{median(run['seconds'] for run in runs):.1f}", _giga(runs[-1]["written"])] if runs else ["", ""]
                )
            last = [runs[-1] for (one, other, _), runs in found.items() if (one, other) == (way, mode)]
            cells += [_giga(sum(run.get("fetched", 0) for run in last)), _giga(last[-1]["size"])]
            rows.append(cells)
        yield _table(" | ".join([mode, *(f"{step} | GB" for step in steps), "fetched, GB", "image, GB"]), rows)


def _giga(size: float) -> str:
    return f"{size / 1e9:.2f}"


def _bars(rows: list[Row]) -> list[str]:
    shown = []
    for what, value, sign, bar in rows:
        met = value <= bar if sign == "≤" else value >= bar
        shown.append([what, f"{value:.3g}", f"{sign} {bar:g}", "met" if met else "**missed**"])
    return _table("bar | measured | must be | is:", shown) if rows else []


def _locking(values: dict[str, Any]) -> Iterator[Row]:
    """The bars of the lockers: ratios to `uv pip compile`, warm ones beyond the start-up of typer."""
    wanted = [(case, _ASKED, "cold", 0.8) for case in "AB"]
    wanted += [(case, tool, "warm", 2.0) for case in "AB" for tool in (_ASKED, _ANEW)]
    wanted += [("E", _ASKED, "warm", 1.0), ("C", _ASKED, "cold", 1.5)]
    wanted += [("C", tool, "warm", 1.5) for tool in (_ASKED, _ANEW)]
    for case, tool, state, bar in wanted:
        if (ratio := _ratio(values, case, tool, state)) is not None:
            yield f"{case} {state}, `{tool}` to `{BASE}`", ratio, "≤", bar
    for case in "AB":
        for other in _SLOW:
            for tool in (_ASKED, _ANEW):
                if (ratio := _ratio(values, case, tool, "warm", base=other)) is not None:
                    yield f"{case} warm, `{tool}` to `{other}`", ratio, "≤", 0.01
    for name in ("tfenv --help", "tfenv --version"):
        if name in values["start"]:
            ratio = values["start"][name]["seconds"] / values["start"][START]["seconds"]
            yield f"`{name}` to `{START}`", ratio, "≤", 1.3
    held = [one["memory"] for key, one in values["runs"].items() if key.startswith("B|tfenv") and "memory" in one]
    if held:
        yield "B, most memory of `tfenv`, MB", max(held), "≤", 150


def _building(images: dict[str, Any]) -> Iterator[Row]:
    """The bars of images, downloads and environments."""

    def seconds(way: str, mode: str, step: str) -> float:
        runs = [value["seconds"] for key, value in images.items() if key.startswith(f"{way}|{mode}|{step}|")]
        return median(runs) if runs else 0.0

    usual = "pip in a Dockerfile"
    ways = [way for way in dict.fromkeys(key.split("|")[0] for key in images if "|" in key) if way != usual]
    for mode in ("wheels cached", "nothing cached"):
        for way in ways:
            one, other = (seconds(each, mode, "small package") for each in (way, usual))
            if one and other:
                yield f"rebuilt after a small package, {mode}, `{way}` to {usual}", one / other, "≤", 0.1
    for way in ways:
        one, other = (seconds(each, "wheels cached", "nothing") for each in (way, usual))
        if one and other and "oci" in way:
            yield f"from nothing, wheels cached, `{way}` to {usual}", one / other, "≤", 0.4
        last = images.get(f"{way}|wheels cached|code|0")
        if last is not None:
            more = (last["size"] - images["sizes"]["base"] - images["sizes"]["unpacked"]) / 1e6
            yield f"image beyond base and unpacked wheels, `{way}`, MB", more, "≤", 150
    if "download" in images:
        ratio = median(images["download"]["curl"]) / median(images["download"]["tfenv"])
        yield "speed of downloads, to `curl --parallel`", ratio, "≥", 0.8
    if "sync" in images:
        yield "`tfenv sync` to `uv pip sync`", median(images["sync"]["tfenv"]) / median(images["sync"]["uv"]), "≤", 1.5


def _seconds(found: dict[str, Any]) -> str:
    if not found:
        return ""
    if "times" in found:
        return f"{found['seconds']:.3f}"
    return f"over {found['seconds']:.0f}" if found["code"] == measure.STOPPED else f"failed ({found['code']})"


def _shown(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _ratio(
    values: dict[str, Any], case: str, tool: str, state: str, rtt: str = _USUAL_RTT, base: str = BASE
) -> float | None:
    """The ratio to another tool in the same state; for warm runs of tfenv, of the time beyond the start-up of typer."""
    found, other = (values["runs"].get(f"{case}|{each}|{state}|{rtt}", {}) for each in (tool, base))
    if "times" not in found or "times" not in other:
        return None
    beyond = values["start"][START]["seconds"] if tool.startswith("tfenv") and state == "warm" else 0.0
    return float((found["seconds"] - beyond) / other["seconds"])
