"""Databases that are full, locked, broken, silent or killed under a transaction: one call's error, nobody else's."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from engine.entry import Entry
from tests.hostile.scene import Left, Scene, scene
from tests.postgres_server import postgres

SQL = ("sql",)
FILE, OTHER, SERVER, SILENT, CACHE = "app:file", "app:other", "app:server", "app:silent", "app:cache"
ENDLESS = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT count(*) AS n FROM s"
QUERY = "local db, text = ... local rows, err = sql.get(db):query(text) if err then return nil, err end return #rows"
EXECUTE = (
    "local db, text = ... local done, err = sql.get(db):execute(text) if err then return nil, err end return 'done'"
)
KEEPING = """
local db, topic = ...
local tx = assert(sql.get(db):begin())
assert(tx:execute("INSERT INTO t VALUES (1)"))
local go = process.listen(topic)
process.registry.register("keeper", process.pid())
go:receive()
local _, err = tx:execute("INSERT INTO t VALUES (2)")
if err then return nil, err end
local _, why = tx:commit()
return "committed", why
"""


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as server:
        yield int(server.getsockname()[1])


@pytest_asyncio.fixture
async def here(tmp_path: Path, silent: int) -> AsyncIterator[Scene]:
    at = {"host": "127.0.0.1", "port": silent, "database": "x", "username": "x"}
    entries = [
        Entry(FILE, "db.sql.sqlite", {}, {"file": "file.db", "max_bytes": 1 << 20}),
        Entry(OTHER, "db.sql.sqlite", {}, {"file": "other.db"}),
        Entry(SILENT, "db.sql.postgres", {}, at),
        Entry(CACHE, "store.sql", {}, {"database": FILE}),
    ]
    async with scene(tmp_path, *entries) as it:
        await it.neighbours()
        for name in (FILE, OTHER):
            assert (await it.told(EXECUTE, name, "CREATE TABLE t (n INTEGER)", modules=SQL)).text == "done"
        yield it


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as host:
        yield host


@pytest_asyncio.fixture
async def at_server(tmp_path: Path, server: str) -> AsyncIterator[Scene]:
    at = {"host": server, "database": "postgres", "username": "wippy", "pool": {"max_open": 3}}
    async with scene(tmp_path, Entry(SERVER, "db.sql.postgres", {}, at)) as it:
        await it.neighbours()
        assert (await it.told(EXECUTE, SERVER, "DROP TABLE IF EXISTS t", modules=SQL)).text == "done"
        assert (await it.told(EXECUTE, SERVER, "CREATE TABLE t (n INTEGER)", modules=SQL)).text == "done"
        yield it


def running(it: Scene, word: str) -> bool:
    """Whether a unit does what is so told."""
    return any(word in doing.text for info in it.node.processes() for doing in info.doing)


async def test_a_full_disk_is_one_error_and_what_is_there_stays(here: Scene) -> None:
    fill = f"INSERT INTO t SELECT n FROM ({ENDLESS.replace('count(*) AS n', 'n')} LIMIT 1000000)"
    told = await here.told(EXECUTE, FILE, fill, modules=SQL)
    assert (told.kind, "full" in told.text) == ("LimitExceeded", True)
    keep = "local s = store.get(...) for i = 1, 99 do local _, err = s:set('k' .. i, ('x'):rep(99999))"
    keep += " if err then return nil, err end end"
    told = await here.told(keep, CACHE, modules=("store",))
    assert (told.kind, "full" in told.text) == ("LimitExceeded", True)
    assert (await here.told("return store.get(...):get('k1'):len()", CACHE, modules=("store",))).text == "99999"
    assert (await here.told(EXECUTE, OTHER, "INSERT INTO t VALUES (1)", modules=SQL)).text == "done"
    await here.neighbours()


async def test_an_endless_statement_stops_with_its_unit(here: Scene) -> None:
    before = Left.now()
    failure = await here.canceled(QUERY, FILE, ENDLESS, modules=SQL, until=lambda: running(here, "query"))
    assert failure.kind == "Canceled"
    await here.terminated(QUERY, FILE, ENDLESS, modules=SQL, until=lambda: running(here, "query"))
    await here.neighbours()
    assert (await here.told(QUERY, FILE, "SELECT 1", modules=SQL)).text == "1"
    await here.comes_back_to(before)


async def test_as_many_endless_statements_as_there_are_connections_hold_up_their_database_alone(here: Scene) -> None:
    loop = f"for _ = 1, 8 do coroutine.spawn(function() sql.get({FILE!r}):query({ENDLESS!r}) end) end time.sleep('1h')"
    ending = asyncio.create_task(here.terminated(loop, modules=SQL, until=lambda: False))
    await here.until(lambda: running(here, "query"))
    assert (await here.told(QUERY, OTHER, "SELECT 1", modules=SQL)).text == "1"
    await here.neighbours()
    ending.cancel()
    for info in here.node.processes():
        await here.node.host_of(info.pid).terminate(info.pid, "enough", "")  # type: ignore[union-attr]
    assert (await here.told(QUERY, FILE, "SELECT 1", modules=SQL)).text == "1"


async def test_another_program_that_locks_the_file_costs_a_while(here: Scene, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "file.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        other.execute("INSERT INTO t VALUES (1)")
        told = await here.meanwhile(EXECUTE, FILE, "INSERT INTO t VALUES (2)", modules=SQL, until=lambda: True)
        assert told.kind == "Conflict" or "locked" in told.text
        other.execute("ROLLBACK")
    assert (await here.told(EXECUTE, FILE, "INSERT INTO t VALUES (2)", modules=SQL)).text == "done"


async def test_a_file_that_is_no_database_any_more_is_one_error(here: Scene, tmp_path: Path) -> None:
    for each in tmp_path.glob("file.db*"):
        each.unlink()
    (tmp_path / "file.db").write_bytes(os.urandom(8192))
    told = await here.told(QUERY, FILE, "SELECT * FROM t", modules=SQL)
    assert told.kind not in ("ok", "") and not told.kind.startswith("died")
    (tmp_path / "file.db").unlink()
    (tmp_path / "file.db").mkdir()
    told = await here.told(QUERY, FILE, "SELECT * FROM t", modules=SQL)
    assert told.kind not in ("ok", "") and not told.kind.startswith("died")
    shutil.rmtree(tmp_path / "file.db")
    assert (await here.told(EXECUTE, FILE, "CREATE TABLE t (n INTEGER)", modules=SQL)).text == "done"


async def test_a_server_that_says_nothing_holds_up_nobody_else(here: Scene) -> None:
    before = Left.now()
    told = await here.meanwhile(QUERY, SILENT, "SELECT 1", modules=SQL, until=lambda: True)
    assert told.kind == "Unavailable" and "app:silent" in told.text
    failure = await here.canceled(QUERY, SILENT, "SELECT 1", modules=SQL, until=lambda: running(here, "query"))
    assert failure.kind == "Canceled"
    await here.comes_back_to(before)


async def test_a_backend_that_is_killed_in_a_transaction_is_one_error(at_server: Scene) -> None:
    keeper = asyncio.create_task(at_server.told(KEEPING, SERVER, "go", modules=SQL))
    find = "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction' AND usename = 'wippy'"
    count = f"SELECT pg_terminate_backend(pid) FROM ({find}) AS p"
    async with asyncio.timeout(60):
        while (await at_server.told(QUERY, SERVER, count, modules=SQL)).text != "1":
            await asyncio.sleep(0.01)
    await at_server.told("return process.send('keeper', 'go', 1)")
    told = await keeper
    assert told.kind == "Unavailable" and "closed the connection" in told.text
    assert (await at_server.told(QUERY, SERVER, "SELECT * FROM t", modules=SQL)).text == "0"


async def test_transactions_that_units_forget_are_rolled_back(at_server: Scene) -> None:
    forget = "local tx = assert(sql.get(...):begin()) assert(tx:execute('INSERT INTO t VALUES (1)')) return 'forgot'"
    for _ in range(10):  # more than there are connections
        assert (await at_server.told(forget, SERVER, modules=SQL)).text == "forgot"
    assert (await at_server.told(QUERY, SERVER, "SELECT * FROM t", modules=SQL)).text == "0"


async def test_a_server_that_is_killed_is_unavailable_and_costs_nobody_else(tmp_path: Path) -> None:
    with postgres() as host:
        at = {"host": host, "database": "postgres", "username": "wippy"}
        async with scene(tmp_path, Entry(SERVER, "db.sql.postgres", {}, at)) as it:
            folder = "local rows = assert(sql.get(...):query('SHOW data_directory')) return rows[1].data_directory"
            found = Path((await it.told(folder, SERVER, modules=SQL)).text)
            leader = int((found / "postmaster.pid").read_text().split()[0])
            sleeping = asyncio.create_task(it.told(QUERY, SERVER, "SELECT pg_sleep(600)", modules=SQL))
            await it.neighbours()
            os.kill(leader, signal.SIGKILL)
            await it.neighbours()
            told = await it.told(QUERY, SERVER, "SELECT 1", modules=SQL)
            while told.kind == "ok":  # its children take a moment to see it
                told = await it.told(QUERY, SERVER, "SELECT 1", modules=SQL)
            assert told.kind == "Unavailable"
            assert (await sleeping).kind == "Unavailable"
            await it.neighbours()
