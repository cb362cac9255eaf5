"""`python -m benchmarks`: time the lockers side by side on one recorded index, and print the table.

`record` makes the recording: every tool locks every case once through the local index, which asks the real one for what
it lacks. `serve` lets the local index run by itself, for a profiler. Results are written as they come; what was
measured is not measured again unless `--again` is given.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import measure, table
from benchmarks.cases import CASES, Case
from benchmarks.local import Index, serving
from benchmarks.results import Results, say
from benchmarks.tools import TOOLS, Tool, empty
from benchmarks.world import FOLDER

RESULTS, IMAGES = FOLDER / "results.json", FOLDER / "images.json"
_LIMIT, _QUICK_LIMIT = 900.0, 75.0
"""seconds after which a run is stopped"""

_QUICK = "ABE"
"""cases on which slow tools are timed with `--quick`"""


def main() -> None:
    """Measure the tools, or record the index."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("run", "record", "serve", "table"), default="run")
    parser.add_argument("--quick", action="store_true", help="the whole table in some ten minutes: slow tools once")
    parser.add_argument("--cases", default="ABCDEF", help="letters")
    parser.add_argument("--tools", help="names that contain one of these words, such as `tfenv,compile`")
    parser.add_argument(
        "--rtt",
        type=float,
        nargs="*",
        default=[20.0, 0.0, 100.0],
        help="round-trip times in milliseconds, the usual one first",
    )
    parser.add_argument("--times", type=int, default=10, help="runs of each; the table has their median")
    parser.add_argument("--again", action="store_true", help="measure again what was measured")
    parser.add_argument("--file", type=Path, default=RESULTS)
    options = parser.parse_args()
    words = (options.tools or "").split(",")
    tools = [tool for tool in TOOLS if any(word in tool.name for word in words)]
    cases = [case for case in CASES if case.key in options.cases]
    results = Results(options.file)
    results.values = {"versions": {}, "machine": "", "start": {}, "runs": {}} | results.values
    if options.what == "serve":
        with serving() as index:
            index.wait_for(options.rtt[0])
            print(f"SSL_CERT_FILE={index.ca}\n--index-url {index.url}", flush=True)
            signal.sigwait([signal.SIGINT, signal.SIGTERM])
        return
    if options.what != "table":
        results.values["versions"] |= {tool.name: tool.install() for tool in tools}
        results.values["machine"] = f"{platform.machine()}, Python {platform.python_version()}, {platform.system()}"
        with serving(record=options.what == "record") as index:
            if options.what == "record":
                _record(tools, cases, index, options.rtt)
                return
            _start_up(results, options.times, again=options.again)
            fast, slow = ([tool for tool in tools if tool.slow is slow] for slow in (False, True))
            for rtt in options.rtt[:1] if options.quick else options.rtt:
                for case in cases:
                    _measure(case, fast, index, rtt, results, options)
            # with the first round trip only
            for case in cases:
                for tool in slow if not options.quick or case.key in _QUICK else ():
                    _measure(case, [tool], index, options.rtt[0], results, options)
    images = json.loads(IMAGES.read_text()) if IMAGES.exists() else {}
    sys.stdout.write(table.markdown(results.values, images))


def _record(tools: list[Tool], cases: list[Case], index: Index, times: list[float]) -> None:
    """Record with every round-trip time: what a tool requests ahead depends on the order of the responses."""
    for case, tool, rtt in ((case, tool, rtt) for case in cases for tool in tools for rtt in times):
        if tool.slow and rtt != times[0]:
            continue
        folder, environment = _place(tool, case, index)
        for held in (True, False) if case.held else (False,):
            tool.feed(case, folder, index.url, held)
            if (command := tool.command(case, index.url, False)) is not None and not case.check:
                index.wait_for(rtt)
                ran = measure.run(command, cwd=folder, environment=environment, limit=3600)
                say(f"{case.key} {tool.name}: exit {ran.code} in {ran.seconds:.0f} s, {index.counts()}")
                if ran.code:
                    say(ran.output)


def _place(tool: Tool, case: Case, index: Index, *, keep: bool = False) -> tuple[Path, dict[str, str]]:
    """The folders of a tool for a case, emptied unless they are kept; a check needs the lock of the case before it."""
    home = FOLDER / "work" / re.sub(r"\W+", "-", tool.name) / ("B" if case.check else case.key)
    if not keep:
        empty(home)
    for name in ("project", "home", "cache"):
        (home / name).mkdir(parents=True, exist_ok=True)
    return home / "project", tool.environment(home / "home", home / "cache", index.ca)


def _start_up(results: Results, times: int, *, again: bool) -> None:
    """The cost of processes that only start."""
    if results.values["start"] and not again:
        return
    tfenv = TOOLS[0]
    environment = {"PATH": f"{tfenv.folder / 'bin'}:/usr/bin:/bin", "HOME": str(FOLDER)}
    commands = {
        "python -c pass": ["python", "-c", "pass"],
        table.START: ["python", "-c", "import typer"],
        "tfenv --version": ["tfenv", "--version"],
        "tfenv --help": ["tfenv", "--help"],
    }
    runs: dict[str, list[measure.Run]] = {name: [] for name in commands}
    for _ in range(2 * times):
        for name, command in commands.items():
            runs[name].append(measure.run(command, cwd=FOLDER, environment=environment, limit=60))
    results.values["start"] = {name: _summary(each, {}) for name, each in runs.items()}
    results.keep()


def _measure(case: Case, tools: list[Tool], index: Index, rtt: float, results: Results, options: Any) -> None:
    """Time all tools in turn, so that other load on the machine affects them alike; first cold, then warm."""
    # what is cached does not depend on the round trip
    for cached in (False, True) if rtt == options.rtt[0] else (False,):
        series = {}
        for tool in tools:
            key = f"{case.key}|{tool.name}|{'warm' if cached else 'cold'}|{rtt:g}"
            command = tool.command(case, index.url, cached)
            if command is None or (not cached and (case.check or case.upgraded or tool.forgets)):
                continue
            before = f"{'B' if case.check or case.upgraded else case.key}|{tool.name}|cold|{options.rtt[0]:g}"
            if cached and tool.slow and "code" in results.values["runs"].get(before, {}):
                continue  # what ends nowhere from nothing is not tried again
            if key not in results.values["runs"] or options.again:
                limit = _QUICK_LIMIT if options.quick and tool.slow else _LIMIT
                series[key] = _Series(tool, case, command, index, cached=cached, limit=limit)
        index.wait_for(0)
        for one in series.values():
            one.prepare()
        index.wait_for(rtt)
        slow = any(tool.slow for tool in tools)
        for _ in range(options.times if not slow else 1 if options.quick else 3):
            for one in series.values():
                one.once()
        for key, one in series.items():
            results.values["runs"][key] = one.summary()
            results.keep()
            say(f"{key}: {one.summary()}")


class _Series:
    """One tool on one case. Its cache is empty before a cold run, full before warm ones, and there is no lock."""

    def __init__(self, tool: Tool, case: Case, command: list[str], index: Index, *, cached: bool, limit: float) -> None:
        self._tool, self._case, self._command, self._index = tool, case, command, index
        self._cached, self._limit = cached, limit
        self._before: dict[str, bytes] = {}
        self._counts: dict[str, int] = {}
        self._runs: list[measure.Run] = []

    def prepare(self) -> None:
        """Fill the caches for warm runs; slow tools use the caches of the preceding cold run."""
        if not self._cached:
            return
        tool, case = self._tool, self._case
        folder, environment = _place(tool, case, self._index, keep=tool.slow)
        if tool.slow and not case.held and all((folder / name).exists() for name in tool.keeps):
            return
        first = tool.command(replace(case, check=False, upgraded=""), self._index.url, False)
        for held in (True, False) if case.held else (False,):
            tool.feed(case, folder, self._index.url, held)
            ran = measure.run(first or [], cwd=folder, environment=environment, limit=self._limit)
            if ran.code:
                self._runs = [ran]
                return
            if held:
                self._before = {name: (folder / name).read_bytes() for name in tool.keeps if (folder / name).exists()}
                tool.forget(folder, folder.parent / "cache")

    def once(self) -> None:
        """Do one run, unless an earlier one failed or they take too long."""
        if any(ran.code for ran in self._runs) or sum(ran.seconds for ran in self._runs) > self._limit:
            return
        folder, environment = _place(self._tool, self._case, self._index, keep=self._cached)
        self._tool.feed(self._case, folder, self._index.url, False)
        if not self._case.check:
            self._tool.forget(folder, folder.parent / "cache")
        for name, content in self._before.items():
            (folder / name).write_bytes(content)
        self._index.counts()
        self._runs.append(measure.run(self._command, cwd=folder, environment=environment, limit=self._limit))
        self._counts = self._index.counts()

    def summary(self) -> dict[str, Any]:
        """The figures of all runs for the table."""
        return _summary(self._runs, self._counts)


def _summary(runs: list[measure.Run], counts: dict[str, int]) -> dict[str, Any]:
    last = runs[-1]
    if last.code:
        return {"code": last.code, "output": last.output[-400:], "seconds": round(last.seconds, 1)}
    return {
        "times": len(runs),
        "seconds": round(measure.middle([one.seconds for one in runs]), 4),
        "least": round(min(one.seconds for one in runs), 4),
        "most": round(max(one.seconds for one in runs), 4),
        "cpu": round(measure.middle([one.cpu for one in runs]), 4),
        "memory": round(max(one.memory for one in runs), 1),
        **counts,
    }


if __name__ == "__main__":
    main()
