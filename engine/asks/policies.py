"""The asks of the `security` module about policies (docs/lua.md#security): one by its id, those of a group."""

from __future__ import annotations

from collections.abc import Mapping

from engine.asks.threads import on_thread
from engine.contracts.ask import AskHandler
from engine.contracts.catalog import Catalog
from engine.errors import INTERNAL, Failure, UnitFailed
from engine.registry import policies
from engine.security.context import Policy
from engine.steps import Value


class PolicyAsks:
    """Answers by the current registry version. Missing ones are Internal, as the documented table of errors says."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def handlers(self) -> Mapping[str, AskHandler]:
        """Every ask by name."""
        return {"security.policy": self.policy, "security.group": self.group}

    async def policy(self, asker: str, args: tuple[Value, ...]) -> Value:
        """The policy {id, definition} of an id."""
        found = await on_thread(policies.policy, args[0], self._catalog.entry)
        if found.definition is None:
            raise UnitFailed(Failure(INTERNAL, f"policy '{args[0]}' not found", retryable=False))
        return found.to_value()

    async def group(self, asker: str, args: tuple[Value, ...]) -> Value:
        """The policies of a group by id; a group is what policies say that they belong to, so it has some."""
        found = await on_thread(self._group, args[0])
        if not found:
            raise UnitFailed(Failure(INTERNAL, f"policy group '{args[0]}' not found", retryable=False))
        return [policy.to_value() for policy in found]

    def _group(self, group_id: str) -> list[Policy]:
        """Each as it is found by its id, where a variable that is not set fails; a list leaves it as it is written."""
        return [policies.policy(each.id, self._catalog.entry) for each in policies.group(group_id, self._catalog)]
