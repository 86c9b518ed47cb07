"""What a run may ask its host (`Ask`): for the module `workflow`, and a secret for `crypto`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from temporalio import workflow

from engine.errors import UnitFailed, invalid
from engine.hosts.temporal.wire import attributes, payloads
from engine.hosts.temporal.wire.bounds import check_name
from engine.hosts.temporal.wire.lookups import ATTRIBUTES, ENTROPY
from engine.hosts.temporal.workflow.asking import ask_worker
from engine.hosts.temporal.workflow.budget import TaskBudget
from engine.hosts.temporal.workflow.event_queue import EventQueue
from engine.steps import Ask, Value

# A replay asks for each mark, from the newest version down.
MAX_VERSIONS = 1000


class WorkflowAsks:
    """Answers the asks of one run."""

    def __init__(self, events: EventQueue, budget: TaskBudget) -> None:
        self._events = events
        self._budget = budget
        self._versions: dict[str, int] = {}

    async def answer(self, ask: Ask) -> Value:
        """The answer; raises UnitFailed (Invalid) for what workflows can't ask."""
        match ask.name, ask.args:
            case "workflow.version", (str(change), int(least), int(most)):
                return self._version(change, least, most)
            case "workflow.attrs", (Mapping() as attributes,):
                return await self._attributes(attributes)
            case "random.secret", ():
                return payloads.decode((await self._events.alone(ask_worker(ENTROPY))).payload)
            case name, _:
                raise UnitFailed(invalid(f"{name} is not supported in workflow context"))

    def _version(self, change: str, least: int, most: int) -> int:
        """The newest version that this run knew when it first came here.

        Temporal's Python SDK records only "patched" marks: there is one per version of a change. A run that
        passes here for the first time marks the newest; a replay finds the mark that was set, or none.
        """
        if least > most:
            raise UnitFailed(invalid(f"version: min {least} is greater than max {most}"))
        if most - least > MAX_VERSIONS:
            raise UnitFailed(invalid(f"version: more than {MAX_VERSIONS} versions from min {least} to max {most}"))
        check_name(change, "change id")
        if change not in self._versions:
            marks = (v for v in range(most, least, -1) if workflow.patched(f"{change}@{v}"))
            self._versions[change] = next(marks, least)
        return self._versions[change]

    async def _attributes(self, attributes: Mapping[str, Any]) -> bool:
        memo, search = attributes.get("memo"), attributes.get("search")
        if not memo and not search:
            raise UnitFailed(invalid("attrs needs search or memo"))
        if search:
            await self._search(search)
        if memo:
            self._memo(memo)
        return True

    def _memo(self, memo: Any) -> None:
        if not isinstance(memo, Mapping):
            raise UnitFailed(invalid("memo must be a table with text keys"))
        data = payloads.memo(memo, "memo")
        self._budget.spend(payloads.encode(data, "memo").ByteSize(), "the memo")
        workflow.upsert_memo(data)

    async def _search(self, search: Any) -> None:
        """Set search attributes, but only known ones: an unknown one would fail the task for ever."""
        if not isinstance(search, Mapping) or not attributes.are_values(search):
            raise UnitFailed(invalid(f"search attributes must be {attributes.VALUES}"))
        answer = await self._events.alone(ask_worker(ATTRIBUTES))
        typed = attributes.typed(search, payloads.decode(answer.payload))
        workflow.upsert_search_attributes([pair.key.value_set(pair.value) for pair in typed])
