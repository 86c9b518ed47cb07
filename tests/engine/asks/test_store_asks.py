"""Memory stores beside the loop: sweeping, bounds of a node, changes of their entries, policies."""

from __future__ import annotations

from typing import Any, cast

import pytest

from engine.asks.store.asks import StoreAsks
from engine.asks.store.keeping import Wish
from engine.asks.store.memory import MemoryStore, Total
from engine.asks.store.values import decode, encode
from engine.contracts.operation import Asker
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.memory.catalog import MemoryCatalog
from engine.security.context import Actor, Policy, Security
from tests.engine.hosts.actor.support import lab, lua

ASKER = cast("Asker", None)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Stage:
    """Stores of one node, on a clock that is moved by hand."""

    def __init__(self, **fields: Any) -> None:
        self.clock = Clock()
        self.catalog = MemoryCatalog([Entry("app:cache", "store.memory", {}, fields)])
        self.asks = StoreAsks(self.catalog, clock=self.clock)

    async def ask(self, name: str, *args: Any) -> Any:
        return await self.asks.operations()[name].work(ASKER, ("app:cache", *args))

    async def set(self, key: str, value: Any = 1, ttl: float = 0) -> None:
        await self.ask("store.write", key, value, ttl, False, "")

    async def keys(self) -> list[str]:
        return [each["key"] for each in (await self.ask("store.list", "", "", False))["items"]]

    def publish(self, **fields: Any) -> None:
        self.catalog.publish(Entry("app:cache", "store.memory", {}, fields))


async def test_what_expired_leaves_the_memory_when_it_is_swept() -> None:
    stage = Stage(cleanup_interval="1m")
    for n in range(300):
        await stage.set(f"k{n:03}", n, ttl=10 if n % 3 else 0)
    before = stage.asks._total.bytes
    stage.clock.now += 30
    await stage.asks.sweep()
    assert stage.asks._total.bytes == before, "its interval has not passed"
    stage.clock.now += 30
    await stage.asks.sweep()
    assert 0 < stage.asks._total.bytes < before / 2.9
    assert await stage.keys() == [f"k{n:03}" for n in range(0, 300, 3)]
    await stage.asks.close()
    assert stage.asks._total.bytes == 0


async def test_without_an_interval_nothing_is_swept_and_a_full_store_makes_room_by_itself() -> None:
    stage = Stage(cleanup_interval=0, max_size=2)
    await stage.set("a", ttl=5)
    await stage.set("b")
    stage.clock.now += 1000
    await stage.asks.sweep()
    assert await stage.keys() == ["b"]
    await stage.set("c")
    assert await stage.keys() == ["b", "c"]
    await stage.asks.close()


async def test_keys_that_are_written_again_and_again_leave_no_trace() -> None:
    stage = Stage()
    for n in range(5000):
        await stage.set("a", n, ttl=100)
    store = stage.asks._memory["app:cache"]
    assert len(store._expiring) < 1500 and store._order == ["a"]
    await stage.asks.close()


async def test_the_stores_of_a_node_are_bounded_together() -> None:
    total = Total(most=2000)
    stores = [MemoryStore(f"app:{n}", total) for n in range(3)]
    await stores[0].put(Wish("k", b"x" * 500))
    await stores[1].put(Wish("k", b"x" * 500))
    with pytest.raises(UnitFailed, match="of this node are full together"):
        await stores[2].put(Wish("k", b"x" * 500))
    stores[0].clear()
    await stores[2].put(Wish("k", b"x" * 500))


async def test_an_entry_that_changes_keeps_what_its_store_holds_and_one_that_goes_takes_it_along() -> None:
    stage = Stage(max_size=10)
    for n in range(5):
        await stage.set(str(n))
    stage.publish(max_size=3)
    with pytest.raises(UnitFailed, match="max_size"):
        await stage.set("new")
    assert len(await stage.keys()) == 5
    stage.catalog.publish(Entry("app:cache", "registry.entry", {}, {}))
    with pytest.raises(UnitFailed, match="not found"):
        await stage.keys()
    await stage.asks.sweep()
    assert stage.asks._total.bytes == 0
    stage.publish()
    assert await stage.keys() == []
    await stage.asks.close()


async def test_a_page_of_large_values_is_cut_where_an_answer_is_full() -> None:
    stage = Stage()
    for n in range(4):
        await stage.set(str(n), "x" * 3_000_000)
    page = await stage.ask("store.list", "", "", False)
    assert [each["key"] for each in page["items"]] == ["0"] and page["has_more"]
    assert page["cursor"] == "0"
    await stage.asks.close()


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b'{"$bytes": "?"}', b'{"$pairs": [1]}', b"[" * 99_999, b'{"$error": 1}']
)
def test_what_others_wrote_is_no_value(data: bytes) -> None:
    with pytest.raises(UnitFailed, match="no value of a store"):
        decode(data)


@pytest.mark.parametrize(
    "value", [{"$bytes": 1}, {"$x": {"$y": b"\xff"}}, {1: 2, "1": 3}, {"a": [[], {"b": None}]}, {True: 1}]
)
def test_values_come_back_as_they_went(value: Any) -> None:
    assert repr(decode(encode(value))) == repr(value)


TRY = """
local cache, why = store.get("app:cache")
if not cache then return tostring(why) end
local told = {}
local function note(what, _, err) table.insert(told, what .. ": " .. (err and err:kind() or "ok")) end
note("set", cache:set("own:1", 1))
note("put", cache:put("other:1", 1))
note("get", cache:get("own:1"))
note("entry", cache:entry("other:1"))
note("has", cache:has("own:1"))
note("list", cache:list({ prefix = "own:" }))
note("list", cache:list())
note("delete", cache:delete("own:1"))
note("info", cache:info())
return table.concat(told, ", ")
"""


def policy(name: str, actions: Any, resources: str, effect: str = "allow", **condition: Any) -> Entry:
    definition: dict[str, Any] = {"actions": actions, "resources": resources, "effect": effect}
    if condition:
        definition["conditions"] = [condition]
    return Entry(f"app:{name}", "security.policy", {}, {"policy": definition})


async def test_policies_decide_by_store_and_key() -> None:
    own = {"field": "meta.key", "operator": "matches", "value": "^own:"}
    entries = [
        Entry("app:cache", "store.memory", {}, {}),
        lua("app:try", TRY, modules=["store"]),
        policy("use", ["store.get", "store.info"], "app:cache"),
        policy("keys", ["store.key.get", "store.key.set", "store.key.has"], "app:cache", **own),
        policy("lists", "store.key.list", "app:cache", field="meta.prefix", operator="eq", value="own:"),
    ]
    policies = tuple(Policy(f"app:{name}") for name in ("use", "keys", "lists"))
    async with lab(*entries, operations=StoreAsks(MemoryCatalog(entries)).operations()) as it:
        told = await it.call("app:try", security=Security(Actor("user:ann", {}), policies))
        assert told == (
            "set: ok, put: PermissionDenied, get: ok, entry: PermissionDenied, has: ok, list: ok, "
            "list: PermissionDenied, delete: PermissionDenied, info: ok"
        )
        assert (
            await it.call("app:try", security=Security(Actor("user:ann", {}), policies[1:])) == "not allowed: app:cache"
        )
