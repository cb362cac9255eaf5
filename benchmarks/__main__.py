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
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import measure, table
from benchmarks.cases import CASES, Case
from benchmarks.local import Index, serving
from benchmarks.tools import TOOLS, Tool, empty
from benchmarks.world import FOLDER

RESULTS = FOLDER / "results.json"
_LIMIT, _QUICK_LIMIT = 900.0, 75.0
"""seconds after which a run is stopped"""

_QUICK = "ABE"
"""cases that slow tools are timed on with `--quick`"""


def main() -> None:
    """Measure, or record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("run", "record", "serve", "table"), default="run")
    parser.add_argument("--quick", action="store_true", help="the whole table in some ten minutes: slow tools once")
    parser.add_argument("--cases", default="ABCDEF", help="letters")
    parser.add_argument("--tools", help="names that contain one of these words, such as `tfenv,compile`")
    parser.add_argument("--rtt", type=float, nargs="*", default=[20.0], help="round-trip times in milliseconds")
    parser.add_argument("--times", type=int, default=10, help="runs of each; the table has their median")
    parser.add_argument("--again", action="store_true", help="measure again what was measured")
    parser.add_argument("--file", type=Path, default=RESULTS)
    options = parser.parse_args()
    words = (options.tools or "").split(",")
    tools = [tool for tool in TOOLS if any(word in tool.name for word in words)]
    cases = [case for case in CASES if case.key in options.cases]
    results = Results(options.file)
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
                _record(tools, cases, index)
                return
            _start_up(results, options.times, again=options.again)
            for rtt in options.rtt:
                for slow in (False, True):
                    for case in cases:
                        if not (slow and options.quick and case.key not in _QUICK):
                            _measure(case, [one for one in tools if one.slow is slow], index, rtt, results, options)
    sys.stdout.write(table.markdown(results.values))


class Results:
    """A JSON file, written after every measurement."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.values: dict[str, Any] = {"versions": {}, "machine": "", "start": {}, "runs": {}}
        if path.exists():
            self.values = json.loads(path.read_text())

    def keep(self) -> None:
        """Write it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.values, indent=1, sort_keys=True) + "\n")


def _record(tools: list[Tool], cases: list[Case], index: Index) -> None:
    for case in cases:
        for tool in tools:
            folder, environment = _place(tool, case, index)
            for held in (True, False) if case.held else (False,):
                tool.feed(case, folder, index.url, held)
                if (command := tool.command(case, index.url, False)) is not None and not case.check:
                    ran = measure.run(command, cwd=folder, environment=environment, limit=3600)
                    _say(f"{case.key} {tool.name}: exit {ran.code} in {ran.seconds:.0f} s, {index.counts()}")
                    if ran.code:
                        _say(ran.said)


def _place(tool: Tool, case: Case, index: Index, *, keep: bool = False) -> tuple[Path, dict[str, str]]:
    """Its folders for a case, emptied unless they are to be kept; a check looks at the lock of the case before it."""
    home = FOLDER / "work" / re.sub(r"\W+", "-", tool.name) / ("B" if case.check else case.key)
    if not keep:
        empty(home)
    for name in ("project", "home", "cache"):
        (home / name).mkdir(parents=True, exist_ok=True)
    return home / "project", tool.environment(home / "home", home / "cache", index.ca)


def _start_up(results: Results, times: int, *, again: bool) -> None:
    """What a process costs that does nothing yet."""
    if results.values["start"] and not again:
        return
    tfenv = TOOLS[0]
    environment = {"PATH": f"{tfenv.folder / 'bin'}:/usr/bin:/bin", "HOME": str(FOLDER)}
    for name, command in (
        ("python -c pass", ["python", "-c", "pass"]),
        ('python -c "import typer"', ["python", "-c", "import typer"]),
        ("tfenv --version", ["tfenv", "--version"]),
        ("tfenv --help", ["tfenv", "--help"]),
    ):
        runs = [measure.run(command, cwd=FOLDER, environment=environment, limit=60) for _ in range(2 * times)]
        results.values["start"][name] = _summary(runs, {})
        results.keep()


def _measure(case: Case, tools: list[Tool], index: Index, rtt: float, results: Results, options: Any) -> None:
    for tool in tools:
        times = options.times if not tool.slow else 1 if options.quick else 3
        for cached in (False, True):
            key = f"{case.key}|{tool.name}|{'warm' if cached else 'cold'}|{rtt:g}"
            if key in results.values["runs"] and not options.again:
                continue
            command = tool.command(case, index.url, cached)
            if command is None or (not cached and (case.check or case.upgraded or tool.forgets)):
                continue
            limit = _QUICK_LIMIT if options.quick and tool.slow else _LIMIT
            found = _runs(tool, case, command, index, rtt, times, cached=cached, limit=limit)
            results.values["runs"][key] = found
            results.keep()
            _say(f"{key}: {found}")


def _runs(
    tool: Tool, case: Case, command: list[str], index: Index, rtt: float, times: int, *, cached: bool, limit: float
) -> dict[str, Any]:
    """Before a cold run the cache is emptied; before warm ones it is filled, and the lock taken away.

    Slow tools go on with what the cold run before has filled.
    """
    folder, environment = _place(tool, case, index, keep=cached and tool.slow)
    runs: list[measure.Run] = []
    counts: dict[str, int] = {}
    before: dict[str, bytes] = {}
    if cached:
        index.wait_for(0)
        plain = replace(case, check=False, upgraded="")
        filled = tool.slow and not case.held and all((folder / name).exists() for name in tool.keeps)
        ran = measure.Run(code=0, seconds=0, cpu=0, memory=0, said="")
        for held in () if filled else (True, False) if case.held else (False,):
            tool.feed(case, folder, index.url, held)
            first = tool.command(plain, index.url, False)
            ran = measure.run(first or [], cwd=folder, environment=environment, limit=limit)
            if case.held and held:
                before = {name: (folder / name).read_bytes() for name in tool.keeps if (folder / name).exists()}
                tool.forget(folder, folder.parent / "cache")
        if ran.code:
            return {"code": ran.code, "said": ran.said[-400:]}
    index.wait_for(rtt)
    started = time.perf_counter()
    for number in range(times):
        if not cached:
            folder, environment = _place(tool, case, index)
        tool.feed(case, folder, index.url, False)
        if not case.check:
            tool.forget(folder, folder.parent / "cache")
        for name, content in before.items():
            (folder / name).write_bytes(content)
        index.counts()
        ran = measure.run(command, cwd=folder, environment=environment, limit=limit)
        counts = index.counts()
        runs.append(ran)
        if ran.code or (number and time.perf_counter() - started > _LIMIT):
            break
    return _summary(runs, counts)


def _summary(runs: list[measure.Run], counts: dict[str, int]) -> dict[str, Any]:
    last = runs[-1]
    if last.code:
        return {"code": last.code, "said": last.said[-400:], "seconds": round(last.seconds, 1)}
    return {
        "times": len(runs),
        "seconds": round(measure.middle([one.seconds for one in runs]), 4),
        "least": round(min(one.seconds for one in runs), 4),
        "most": round(max(one.seconds for one in runs), 4),
        "cpu": round(measure.middle([one.cpu for one in runs]), 4),
        "memory": round(max(one.memory for one in runs), 1),
        **counts,
    }


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
