"""`make bench`: print each figure with what is to be reached. ARGS=--json prints one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

from bench.commands import command_against_setup
from bench.embedded import embedded_against_plain
from bench.figure import Figure
from bench.kernel import channels_against_switches, idle_processes, messages_against_queues
from bench.workflows import lua_against_python

FIGURES: tuple[Callable[[], Figure], ...] = (
    lua_against_python,
    embedded_against_plain,
    idle_processes,
    messages_against_queues,
    channels_against_switches,
    command_against_setup,
)


@dataclass(frozen=True)
class Result:
    """A figure and whether it was reached."""

    figure: Figure
    reached: bool


def main(arguments: list[str]) -> None:
    """Measure one figure after the other; a run takes about a minute per figure."""
    results = [Result(figure, figure.value >= figure.to_reach) for figure in (measure() for measure in FIGURES)]
    if "--json" in arguments:
        print(json.dumps({"results": [asdict(result) for result in results]}))
        return
    for result in results:
        figure = result.figure
        word = "reached" if result.reached else "NOT reached"
        print(f"{figure.name}: {figure.value:.2f}, to reach {figure.to_reach:g}: {word}\n    {figure.detail}")


if __name__ == "__main__":
    main(sys.argv[1:])
