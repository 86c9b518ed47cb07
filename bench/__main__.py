"""`make bench`: print each figure with what is to be reached. ARGS=--json prints one JSON object; other ARGS choose.

Each figure is measured in an OS process of its own and within a time limit: on a loaded machine a figure may be
"not measured", the others are.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from bench import fanout, feed, growth, inbox, kernel, prices, queries, requests, searching, timeline, workflows
from bench.commands import command_against_setup
from bench.embedded import embedded_against_plain
from bench.figure import Figure

FIGURES: dict[str, Callable[[], Figure]] = {
    "lua": workflows.lua_against_python,
    "embedded": embedded_against_plain,
    "fan-out": fanout.fan_out,
    "replay": fanout.replay,
    **growth.figures(),
    "prices": prices.prices,
    "messages": kernel.messages_against_queues,
    "channels": kernel.channels_against_switches,
    "minimal": kernel.minimal_processes,
    "typical": kernel.typical_processes,
    "burst": kernel.memory_after_burst,
    "requests": requests.lua_against_httpx,
    "sqlite": queries.sqlite_through_lua,
    "postgresql": queries.postgres_through_lua,
    "command": command_against_setup,
    "inbox": inbox.pages_by_questions,
    "feed": feed.page_by_events,
    "timeline": timeline.page_by_events,
    "updates": timeline.update_by_events,
    "runs": searching.pages_by_runs,
}
LIMIT_SECONDS = 240
ONE = "--one"


@dataclass(frozen=True)
class Result:
    """A figure and whether it was reached; without a figure, why it was not measured."""

    name: str
    figure: Figure | None
    reached: bool
    problem: str = ""


def main(arguments: Sequence[str]) -> None:
    """Measure one figure after the other; most take half a minute or less."""
    if arguments[:1] == [ONE]:
        print(json.dumps(asdict(FIGURES[arguments[1]]())), flush=True)
        os._exit(0)  # threads of the SDK crash some interpreters that exit while they wind down
    chosen = [name for name in FIGURES if name in arguments] or list(FIGURES)
    results = []
    for name in chosen:
        results.append(_result(name))
        if "--json" not in arguments:
            print(_line(results[-1]), flush=True)
    if "--json" in arguments:
        print(json.dumps({"results": [asdict(result) for result in results]}))


def _result(name: str) -> Result:
    command = [sys.executable, "-m", "bench", ONE, name]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, errors = process.communicate(timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return Result(name, None, False, f"took longer than {LIMIT_SECONDS} s")
    if process.returncode:
        return Result(name, None, False, (errors.strip().splitlines() or ["no reason given"])[-1])
    figure = Figure(**json.loads(out.splitlines()[-1]))
    return Result(name, figure, figure.value >= figure.to_reach)


def _line(result: Result) -> str:
    figure = result.figure
    if figure is None:
        return f"{result.name}: not measured: {result.problem}"
    word = "reached" if result.reached else "NOT reached"
    return f"{figure.name}: {figure.value:.2f}, to reach {figure.to_reach:.2g}: {word}\n    {figure.detail}"


if __name__ == "__main__":
    main(sys.argv[1:])
