"""Policies that units ask for are those that they act under: with `${env:NAME}` filled in."""

from __future__ import annotations

from typing import Any, cast

import pytest

from engine.entry import Entry
from engine.errors import UnitFailed
from engine.memory.catalog import MemoryCatalog
from wippy_console.worker.node import ask_handlers
from wippy_console.worker.variables import NodeVariables

pytestmark = pytest.mark.django_db(transaction=True)

ANN = {"id": "user:ann"}


def policy(name: str, resources: str) -> Entry:
    definition = {"actions": "*", "resources": resources, "effect": "deny"}
    return Entry(f"app:{name}", "security.policy", {}, {"policy": definition, "groups": [f"group_{name}"]})


CATALOG = MemoryCatalog(
    [
        Entry("app:tokens", "security.token_store", {}, {}),
        policy("region", "${env:NOWHERE_SET|eu}:*"),
        policy("unset", "${env:NOWHERE_SET}:*"),
    ]
)


async def ask(name: str, *args: Any) -> Any:
    handlers = ask_handlers(cast("Any", CATALOG), NodeVariables(CATALOG), lambda: None)
    return await handlers[name]("", args)


async def test_a_policy_and_those_of_a_group_are_filled_in() -> None:
    filled = {"id": "app:region", "definition": {"actions": "*", "resources": "eu:*", "effect": "deny"}}
    assert await ask("security.policy", "app:region") == filled
    assert await ask("security.group", "app:group_region") == [filled]


async def test_the_policies_of_a_token_are_filled_in() -> None:
    token = await ask("security.token.create", "app:tokens", ANN, ["app:region"])
    [found] = (await ask("security.token.validate", "app:tokens", token))["scope"]
    assert found["definition"]["resources"] == "eu:*"


@pytest.mark.parametrize("wanted", [("security.policy", "app:unset"), ("security.group", "app:group_unset")])
async def test_a_policy_whose_variable_is_not_set_is_none(wanted: tuple[str, str]) -> None:
    with pytest.raises(UnitFailed, match="NOWHERE_SET is not set"):
        await ask(*wanted)
