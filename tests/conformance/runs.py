"""The runs of one session: all cases that it wants, several at a time, each awaited by its own test."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from engine.errors import Failure
from engine.registry.problems import Problem
from tests.conformance.parsing import Case
from tests.conformance.stage import PROCESSES, WORKER, Hung, Stage
from tests.patience import PATIENCE

AT_ONCE = 12


class Runs:
    """Started in the order of the tests; `outcome` is what one came to, as text, "" when it held.

    The first that is asked for begins those on the same host: another process may run those on the other.
    """

    def __init__(self, stage: Stage, refused: dict[str, list[Problem]], wanted: list[tuple[Case, str]]) -> None:
        self._stage = stage
        self._refused = refused
        self._wanted = wanted
        self._tasks: dict[tuple[Case, str], asyncio.Task[str]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._turns: defaultdict[Case, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def outcome(self, case: Case, unit: str) -> str:
        """What is wrong, or ""."""
        if (case, unit) not in self._tasks:
            self._start(unit == "workflow")
        return await self._tasks[case, unit]

    def _start(self, on_temporal: bool) -> None:
        for case, unit in self._wanted:
            if (unit == "workflow") is on_temporal:
                self._tasks[case, unit] = asyncio.create_task(self._run(case, unit))

    async def stop(self) -> None:
        """Drop what is not awaited any more."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, case: Case, unit: str) -> str:
        if problems := self._refused.get(case.topic.name):
            return "\n".join(["its entries can't be published:", *map(str, problems)])
        env = {"process_host": PROCESSES, "worker": WORKER, "kind": unit}
        async with self._turns[case], self._places:  # units of one case use the same names and variables
            result = await self._stage.run(unit, case.entry_id(unit), (env,), PATIENCE)
        return "" if result is None else told(case, unit, result)


def told(case: Case, unit: str, result: Failure | Hung) -> str:
    """How a case failed, with the file and line of the Lua that did."""
    if isinstance(result, Hung):
        return f"{case.topic.file}:{case.line}: hangs for {PATIENCE:g} s, waiting in\n{result.waits}"
    text = f"{result.message}\n[{result.kind or 'no kind'}, retryable: {result.retryable}]\n{result.stack}"
    return text.replace(case.entry_id(unit), case.topic.file).rstrip()
