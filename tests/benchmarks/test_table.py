"""The tables say of every bar what was measured, and whether that is good enough."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import table


def measured(**seconds: float) -> dict[str, Any]:
    """Results of case A with these medians: `tfenv_cold`, `uv_warm`, …; `import typer` takes 0.1 s."""
    names = {"tfenv": "tfenv", "uv": table.BASE}
    runs = {}
    for key, value in seconds.items():
        tool, state = key.split("_")
        runs[f"A|{names[tool]}|{state}|20"] = {"times": 10, "seconds": value, "cpu": value, "memory": 50.0}
    versions = {"tfenv": "tfenv==1", table.BASE: "uv==1"}
    return {"machine": "here", "versions": versions, "start": {table.START: {"seconds": 0.1}}, "runs": runs}


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        ({"tfenv_cold": 0.8, "uv_cold": 1.0}, "| A cold, `tfenv` to `uv pip compile` | 0.8 | ≤ 0.8 | met |"),
        ({"tfenv_cold": 0.9, "uv_cold": 1.0}, "| A cold, `tfenv` to `uv pip compile` | 0.9 | ≤ 0.8 | **missed** |"),
        ({"tfenv_warm": 0.2, "uv_warm": 0.05}, "| A warm, `tfenv` to `uv pip compile` | 2 | ≤ 2 | met |"),
        ({"tfenv_warm": 0.3, "uv_warm": 0.05}, "| A warm, `tfenv` to `uv pip compile` | 4 | ≤ 2 | **missed** |"),
    ],
)
def test_bars_of_lockers(seconds: dict[str, float], line: str) -> None:
    """A cold ratio is that of the times; a warm one leaves the start-up of typer out."""
    assert line in table.markdown(measured(**seconds), {}).splitlines()


def test_a_tool_that_failed_has_no_ratio() -> None:
    """Its exit status is shown, and no bar is said to be met."""
    values = measured(uv_cold=1.0)
    values["runs"]["A|tfenv|cold|20"] = {"code": 3, "output": "", "seconds": 0.1}
    shown = table.markdown(values, {})
    assert "| A | `tfenv` | failed (3) |  |" in shown
    assert "A cold" not in shown


def test_bars_of_images() -> None:
    """Rebuilds are held against pip's, speed counts upwards, and an image may be 150 MB more than what is in it."""
    usual, tool = "pip in a Dockerfile|wheels cached", "tfenv build --format oci|wheels cached"
    images = {
        "sizes": {"base": 100_000_000, "unpacked": 1_000_000_000},
        f"{usual}|small package|0": {"seconds": 200.0, "written": 1, "size": 1},
        f"{tool}|small package|0": {"seconds": 30.0, "written": 1, "size": 1},
        f"{tool}|code|0": {"seconds": 1.0, "written": 1, "size": 1_200_000_000},
        "download": {"tfenv": [10.0, 10.0], "curl": [7.0, 7.0]},
        "sync": {"tfenv": [1.5], "uv": [1.0]},
    }
    lines = [line for line in table.markdown(measured(), images).splitlines() if "≤" in line or "≥" in line]
    assert [line.split(" | ")[1:] for line in lines] == [
        ["0.15", "≤ 0.1", "**missed** |"],
        ["100", "≤ 150", "met |"],
        ["0.7", "≥ 0.8", "**missed** |"],
        ["1.5", "≤ 1.5", "met |"],
    ]
