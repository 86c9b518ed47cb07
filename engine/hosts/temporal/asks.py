"""Services that a run may ask its host for: of the module `workflow` (lua-api 13), and a secret for `crypto`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from temporalio import workflow

from engine.errors import UnitFailed, invalid
from engine.hosts.temporal import payloads
from engine.hosts.temporal.arrivals import Arrivals
from engine.hosts.temporal.calls import ATTRIBUTES, ENTROPY, ask_worker
from engine.hosts.temporal.start_options import search_attribute_pairs
from engine.steps import Ask, Value


class Asks:
    """Answers the asks of one run."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._versions: dict[str, int] = {}

    async def answer(self, ask: Ask) -> Value:
        """The answer; raises UnitFailed (Invalid) for a service that workflows don't have."""
        match ask.service, ask.args:
            case "workflow.version", (str(change), int(least), int(most)):
                return self._version(change, least, most)
            case "workflow.attrs", (Mapping() as attributes,):
                return await self._attributes(attributes)
            case "random.secret", ():
                return payloads.decode((await self._arrivals.alone(ask_worker(ENTROPY))).payload)
            case service, _:
                raise UnitFailed(invalid(f"{service} is not supported in workflow context"))

    def _version(self, change: str, least: int, most: int) -> int:
        """The newest version that this run knew when it first came here.

        Temporal's Python SDK records only "patched" marks: there is one per version of a change. A run that
        passes here for the first time marks the newest; a replay finds the mark that was set, or none.
        """
        if least > most:
            raise UnitFailed(invalid(f"version: min {least} is greater than max {most}"))
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
            workflow.upsert_memo({key: _json(key, value) for key, value in memo.items()})
        return True

    async def _search(self, search: Mapping[str, Any]) -> None:
        """Set search attributes, but only known ones: an unknown one would fail the task for ever."""
        pairs = search_attribute_pairs(search)
        if pairs is None:
            raise UnitFailed(invalid("search attributes must be text, numbers, booleans or lists of text"))
        answer = await self._arrivals.alone(ask_worker(ATTRIBUTES))
        known = payloads.decode(answer.payload)
        for pair in pairs:
            _check(pair.key.name, pair.key.indexed_value_type.name, known)
        workflow.upsert_search_attributes([pair.key.value_set(pair.value) for pair in pairs])


def _check(name: str, wanted: str, known: Mapping[str, str]) -> None:
    if name not in known:
        raise UnitFailed(invalid(f"search attribute '{name}' is not known to the namespace"))
    if known[name] != wanted:
        raise UnitFailed(invalid(f"search attribute '{name}' is a {known[name]}, not a {wanted}"))


def _json(key: str, value: Value) -> Any:
    try:
        return payloads.plain(value)
    except TypeError as error:
        raise UnitFailed(invalid(f"memo '{key}': {error}")) from error
