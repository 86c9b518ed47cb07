"""Stores in tables: what a row holds, races, time, tables of others, and what is swept; in each database."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from engine.asks.sql.databases import Databases
from engine.asks.store.asks import StoreAsks
from engine.asks.store.keeping import Wish
from engine.asks.store.sql import SqlStore, Table
from engine.contracts.operation import Asker
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.memory.catalog import MemoryCatalog
from tests.engine.asks.sql.conftest import MEMORY, POSTGRES

ASKER = cast("Asker", None)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.4

    def __call__(self) -> float:
        return self.now


def store_of(databases: Databases, entry_id: str, clock: Clock | None = None, **fields: Any) -> SqlStore:
    """As one node has it: what others know of the table it does not."""
    table = Table.of(Entry("app:cache", "store.sql", {}, {"database": entry_id, **fields}))
    return SqlStore(table, databases, set(), clock or Clock())


async def test_a_value_is_kept_until_its_time_has_passed(databases: Databases, entry_id: str) -> None:
    clock = Clock()
    store = store_of(databases, entry_id, clock)
    await store.put(Wish("a", b"\x00\xff", ttl=0.5))
    await store.put(Wish("b", b'"text"'))
    clock.now += 0.4
    found = [(await store.get("a")), (await store.get("b"))]
    assert [each and each.data for each in found] == [b"\x00\xff", b'"text"']
    clock.now += 1.2
    assert await store.get("a") is None and not await store.delete("a")
    await store.put(Wish("a", b"2"))
    assert await store.delete("a") and not await store.delete("a") and await store.delete("b")


async def test_nodes_that_begin_and_write_at_once_lose_nothing(databases: Databases, entry_id: str) -> None:
    stores = [store_of(databases, entry_id) for _ in range(6)]
    writes = [store.put(Wish(f"k{n % 5}", b"%d" % n)) for n, store in enumerate(stores * 10)]
    await asyncio.gather(*writes)
    assert [each.key for each in await stores[0].list("", "", 100)] == [f"k{n}" for n in range(5)]
    gone = await asyncio.gather(*(store.delete("k1") for store in stores))
    assert sum(gone) == 1


async def test_keys_come_in_the_order_of_their_bytes_by_prefix(databases: Databases, entry_id: str) -> None:
    store = store_of(databases, entry_id)
    names = ["b", "ä", "a", "Z", "😀", "a%", "a_", "A'\"", "\U0010ffff", "\ud7ff", "\ue000"]
    for name in names:
        await store.put(Wish(name, b"1"))
    assert [each.key for each in await store.list("", "", 100)] == sorted(names)
    assert [each.key for each in await store.list("a", "", 100)] == ["a", "a%", "a_"]
    assert [each.key for each in await store.list("a", "a", 1)] == ["a%"]
    assert [each.key for each in await store.list("\ud7ff", "", 9)] == ["\ud7ff"]
    assert [each.key for each in await store.list("\U0010ffff", "", 9)] == []


async def test_a_table_of_others_is_used_by_its_names(databases: Databases, entry_id: str) -> None:
    names: dict[str, Any] = {"id_column_name": "Order", "payload_column_name": "user", "expire_column_name": "until"}
    store = store_of(databases, entry_id, table_name="select", **names)
    with pytest.raises(UnitFailed, match="select"):
        await store.get("a")
    async with databases.connection(entry_id) as connection:
        data = "BYTEA" if entry_id == POSTGRES else "BLOB"
        await connection.execute(
            f'CREATE TABLE "select" ("Order" VARCHAR(255) PRIMARY KEY, "user" {data} NOT NULL, until BIGINT, more INT)'
        )
    await store.put(Wish("a", b"1"))
    await store.put(Wish("a", b"2"))
    assert [each.data for each in await store.list("", "", 9)] == [b"2"]


async def test_no_name_leads_out_of_its_place(databases: Databases, entry_id: str) -> None:
    victim = store_of(databases, entry_id)
    await victim.put(Wish("a", b"1"))
    [made] = victim._made
    evil = f'x" WHERE 1=1; DROP TABLE {made.name}; --'
    named: list[dict[str, Any]] = [{"table_name": evil}, {"table_name": made.name, "id_column_name": evil}]
    for fields in named:
        with pytest.raises(UnitFailed):
            await store_of(databases, entry_id, **fields).delete("a")
    assert await victim.get("a") is not None


async def test_what_expired_is_swept_by_any_number_of_nodes(databases: Databases, entry_id: str) -> None:
    clock = Clock()
    store = store_of(databases, entry_id, clock)
    await store.put(Wish("kept", b"1"))
    [made] = store._made
    async with databases.connection(entry_id) as connection:
        count = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 2005)"
        value = "'v'::bytea" if entry_id == POSTGRES else "'v'"
        rows = f"{count} SELECT 'k' || n, {value}, 5 FROM s"
        await connection.execute(f"INSERT INTO {made.name} (key, value, expires_at) {rows}")
    await asyncio.gather(*(store_of(databases, entry_id, clock).sweep() for _ in range(3)))
    async with databases.connection(entry_id) as connection:
        assert await connection.query(f"SELECT key FROM {made.name}") == [{"key": "kept"}]


async def test_a_table_of_the_product_that_was_dropped_is_made_anew(databases: Databases, entry_id: str) -> None:
    store = store_of(databases, entry_id)
    await store.put(Wish("a", b"1"))
    [made] = store._made
    async with databases.connection(entry_id) as connection:
        await connection.execute(f"DROP TABLE {made.name}")
    with pytest.raises(UnitFailed):
        await store.get("a")
    assert await store.get("a") is None


async def test_large_values_come_in_pages(databases: Databases, entry_id: str) -> None:
    if entry_id == MEMORY:
        pytest.skip("as a file")
    catalog = MemoryCatalog([Entry("app:cache", "store.sql", {}, {"database": entry_id})])
    asks = StoreAsks(catalog, databases)

    async def ask(name: str, *args: Any) -> Any:
        return await asks.operations()[name].work(ASKER, ("app:cache", *args))

    for n in range(5):
        await ask("store.write", str(n), "x" * 3_000_000, 0, False, "")
    seen, after, more = [], "", True
    while more:
        page = await ask("store.list", "", after, 2)
        seen += [each["key"] for each in page["items"]]
        after, more = page["cursor"], page["has_more"]
    assert seen == list("01234")
    with pytest.raises(UnitFailed, match="no conditional writes"):
        await ask("store.write", "a", 1, 0, True, "")
    await asks.close()


def test_each_entry_has_a_table_of_its_own() -> None:
    ids = ["a.b:c", "a_b:c", "a:b_c", "A.b:c", "a" * 200 + ":b", "a" * 200 + ":c"]
    tables = [Table.of(Entry(each, "store.sql", {}, {"database": "a:db"})).name for each in ids]
    assert len(set(tables)) == len(ids) and max(map(len, tables)) <= 55
