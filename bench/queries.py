"""Queries of one row through Lua against sqlite3 and psycopg alone; and answers of 10, 1,000 and 100,000 rows."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from bench.figure import Figure
from engine.asks.sql.asks import SqlAsks
from engine.asks.sql.databases import Databases
from engine.contracts.host import CallRequest
from engine.entry import Entry
from engine.memory.catalog import MemoryCatalog
from engine.node import LocalNode
from tests.postgres_server import postgres

COUNT, ROWS, SIZES = 1_000, 100_000, (10, 1_000, 100_000)
QUERY = """
local sql = require("sql")
return { main = function(id, text, count, params)
  local db = assert(sql.get(id))
  for i = 1, count do assert(db:query(text, params)) end
end }
"""
FILL = f"""
CREATE TABLE t AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {ROWS})
SELECT i, 'name ' || i AS name, i * 1.5 AS price FROM c
"""
INDEX = "CREATE UNIQUE INDEX t_i ON t (i)"


def sqlite_through_lua() -> Figure:
    """One row by its key from a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        raw = sqlite3.connect(path, isolation_level=None)
        entry = Entry("bench:db", "db.sql.sqlite", {}, {"file": path.name})
        return asyncio.run(
            _measured("SQLite", 0.005, entry, Path(folder), "?", lambda q, p: raw.execute(q, p).fetchall())
        )


def postgres_through_lua() -> Figure:
    """One row by its key from a server on a socket."""
    with postgres() as host, psycopg.connect(host=host, user="wippy", dbname="postgres", autocommit=True) as raw:
        raw.cursor_factory = psycopg.RawCursor
        entry = Entry("bench:db", "db.sql.postgres", {}, {"host": host, "username": "wippy", "database": "postgres"})
        plain = lambda q, p: raw.execute(q.encode(), p)  # noqa: E731
        return asyncio.run(_measured("PostgreSQL", 0.02, entry, Path("/nowhere"), "$1", plain))


async def _measured(
    name: str, to_reach: float, entry: Entry, folder: Path, mark: str, plain: Callable[[str, list[int]], object]
) -> Figure:
    plain(FILL, [])
    plain(INDEX, [])
    one = f"SELECT * FROM t WHERE i = {mark}"
    async with _node(entry, folder) as node:
        await _seconds(node, one, 10)
        ours = COUNT / await _seconds(node, one, COUNT)
        began = time.perf_counter()
        for _ in range(COUNT):
            plain(one, [500])
        alone = COUNT / (time.perf_counter() - began)
        grown = [await _seconds(node, f"SELECT * FROM t LIMIT {size} OFFSET {mark}", 1, [0]) for size in SIZES]
    times = ", ".join(f"{size:,} rows {1000 * each:.1f} ms" for size, each in zip(SIZES, grown, strict=True))
    detail = f"{ours:.0f} a second in Lua, {alone:.0f} without; an answer of {times}"
    return Figure(f"queries of {name} through Lua against its driver", ours / alone, to_reach, detail)


async def _seconds(node: LocalNode, text: str, count: int, params: list[int] | None = None) -> float:
    began = time.perf_counter()
    await node.call(CallRequest("bench:query", ("bench:db", text, count, params or [500])))
    return time.perf_counter() - began


@asynccontextmanager
async def _node(entry: Entry, folder: Path) -> AsyncIterator[LocalNode]:
    catalog = MemoryCatalog([entry, Entry("bench:query", "function.lua", {}, {"source": QUERY, "modules": ["sql"]})])
    asks = SqlAsks(Databases(catalog, {}, folder))
    node = LocalNode("bench", catalog, operations=asks.operations())
    await node.start()
    try:
        yield node
    finally:
        await node.stop(1)
        await asks.close()
