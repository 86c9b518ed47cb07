"""What units hold of a database: given back however they end, and never for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.asks.sql import asks, binding
from engine.asks.sql.asks import SqlAsks
from engine.asks.sql.connection import Row
from engine.asks.sql.databases import Databases
from engine.contracts.operations import Doing
from engine.entry import Entry
from engine.errors import CANCELED, INVALID, UNAVAILABLE
from engine.memory.catalog import MemoryCatalog
from engine.steps import Value
from tests.engine.asks.sql.conftest import FILE, POSTGRES, entries
from tests.engine.hosts.actor import support
from tests.engine.hosts.actor.support import Lab, lab

pytestmark = pytest.mark.asyncio
MODULES = ["sql", "time", "funcs"]
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


class Stage:
    """A node whose units reach a database."""

    def __init__(self, it: Lab, databases: Databases, entry_id: str) -> None:
        self.lab, self.databases, self.entry_id = it, databases, entry_id

    async def rows(self) -> int:
        """How many rows the table has."""
        async with self.databases.connection(self.entry_id) as connection:
            return int(str((await connection.query("SELECT count(*) AS n FROM t"))[0]["n"]))

    async def idle(self) -> None:
        """Wait until nobody holds a connection."""
        pool = await self.databases.pool(self.entry_id)
        await self.lab.until(lambda: not pool.counts()["in_use"])

    def doing(self, pid: str) -> tuple[Doing, ...]:
        """What a unit does outside."""
        info = self.lab.node.describe(pid)
        return info.doing if info is not None else ()


def body(entry_id: str, text: str) -> str:
    """With `db`, a database that has a table `t`."""
    return f"local db = assert(sql.get('{entry_id}'))\n{text}"


def function(entry_id: str, text: str, **fields: Any) -> Entry:
    return support.lua("app:unit", body(entry_id, text), modules=MODULES, **fields)


def process(entry_id: str, text: str) -> Entry:
    return support.process("app:unit", body(entry_id, text), modules=MODULES)


@asynccontextmanager
async def stage(entry_id: str, folder: Path, host: str, unit: Entry) -> AsyncIterator[Stage]:
    databases = Databases(MemoryCatalog(entries(host)), {}, folder)
    async with databases.connection(entry_id) as connection:
        await connection.execute("DROP TABLE IF EXISTS t")
        await connection.execute("CREATE TABLE t (i INTEGER)")
    try:
        async with lab(unit, operations=SqlAsks(databases).operations()) as it:
            yield Stage(it, databases, entry_id)
    finally:
        await databases.close()


@pytest.fixture(params=[FILE, POSTGRES])
def entry_id(request: pytest.FixtureRequest) -> str:
    return str(request.param)


HELD = "local tx = assert(db:begin()) assert(tx:execute('INSERT INTO t VALUES (1)'))\n"


@pytest.mark.parametrize("end", ["return 1", "error('no')", "process.upgrade('app:next')", "local s = ('x'):rep(2^40)"])
async def test_a_transaction_that_its_unit_forgets_is_rolled_back(
    entry_id: str, end: str, tmp_path: Path, postgres_host: str
) -> None:
    async with stage(entry_id, tmp_path, postgres_host, process(entry_id, HELD + end)) as it:
        await it.lab.spawn("app:unit")
        await it.lab.until(lambda: not it.lab.node.processes())
        await it.idle()
        assert await it.rows() == 0


async def test_a_terminated_process_gives_its_transaction_and_its_statement_back(
    entry_id: str, tmp_path: Path, postgres_host: str
) -> None:
    unit = process(entry_id, f"{HELD} tx:query('{ENDLESS}')")
    async with stage(entry_id, tmp_path, postgres_host, unit) as it:
        pid = await it.lab.spawn("app:unit")
        await it.lab.until(lambda: any("query" in each.text for each in it.doing(pid)))
        assert [each.text for each in it.doing(pid)] == [f"query {entry_id}, in a transaction"]
        host = it.lab.node.host("app:procs")
        assert host is not None
        await host.terminate(pid, "", "")
        await it.idle()
        assert await it.rows() == 0


async def test_a_unit_that_is_asked_to_stop_hears_that_its_statement_was_stopped(
    entry_id: str, tmp_path: Path, postgres_host: str
) -> None:
    text = f"local rows, err = db:query('{ENDLESS}') process.inbox():receive() return err:kind()"
    async with stage(entry_id, tmp_path, postgres_host, process(entry_id, text)) as it:
        pid = await it.lab.spawn("app:unit")
        await it.lab.until(lambda: any("query" in each.text for each in it.doing(pid)))
        host = it.lab.node.host("app:procs")
        assert host is not None
        await host.cancel(pid, "", "")
        await it.idle()
        await it.lab.until(lambda: not it.doing(pid))
        assert it.lab.node.describe(pid) is not None


async def test_a_call_that_is_canceled_stops_its_statement(entry_id: str, tmp_path: Path, postgres_host: str) -> None:
    unit = function(entry_id, f"return db:query('{ENDLESS}')", meta={"options": {"timeout": 200}})
    async with stage(entry_id, tmp_path, postgres_host, unit) as it:
        assert (await it.lab.failure("app:unit")).kind in ("Timeout", CANCELED)
        await it.idle()


async def test_a_transaction_of_which_nothing_is_asked_is_rolled_back_and_says_so(
    entry_id: str, tmp_path: Path, postgres_host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.asks.sql.handles.IDLE_SECONDS", 0.05)
    waits = "process.inbox():receive() local ok, err = tx:commit() return { err:kind(), err:message() }"
    async with stage(entry_id, tmp_path, postgres_host, function(entry_id, HELD + waits)) as it:
        calling = asyncio.ensure_future(it.lab.call("app:unit"))
        pool = await it.databases.pool(entry_id)
        await it.lab.until(lambda: pool.counts()["in_use"] > 0 or calling.done())
        await it.idle()
        assert await it.rows() == 0
        (info,) = it.lab.node.processes()
        it.lab.node.send(info.pid, "go", ())
        kind, message = await calling
        assert kind == INVALID
        assert "nothing was asked of it" in message


async def test_statements_of_one_transaction_run_one_after_the_other(
    entry_id: str, tmp_path: Path, postgres_host: str
) -> None:
    text = """
    local tx, done = assert(db:begin()), channel.new(20)
    for i = 1, 20 do
      coroutine.spawn(function() done:send(tx:execute("INSERT INTO t VALUES (" .. i .. ")").rows_affected) end)
    end
    for i = 1, 20 do assert(done:receive() == 1) end
    assert(tx:commit())
    """
    async with stage(entry_id, tmp_path, postgres_host, function(entry_id, text)) as it:
        await it.lab.call("app:unit")
        assert await it.rows() == 20


async def test_a_unit_that_holds_all_connections_itself_is_told_so(
    entry_id: str, tmp_path: Path, postgres_host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.asks.sql.pool.WAIT_SECONDS", 0.05)
    text = """
    local held, err = {}, nil
    for i = 1, 20 do
      held[i], err = db:begin({ read_only = true })
      if err then return { err:kind(), err:message() } end
    end
    """
    async with stage(entry_id, tmp_path, postgres_host, function(entry_id, text)) as it:
        kind, message = await it.lab.call("app:unit")
        assert kind == UNAVAILABLE
        assert "app:unit {node-1@app:unit|" in message
        await it.idle()


async def test_a_server_that_ends_a_transaction_costs_one_clear_error(tmp_path: Path, postgres_host: str) -> None:
    text = """
    local tx = assert(db:begin())
    local pid = tx:query("SELECT pg_backend_pid() AS pid")[1].pid
    assert(db:query("SELECT pg_terminate_backend($1, 5000)", { pid }))
    local rows, first = tx:query("SELECT 1")
    local ok, second = tx:commit()
    return { first:kind(), tostring(first:retryable()), second:kind(), db:query("SELECT 1 AS one")[1].one }
    """
    async with stage(POSTGRES, tmp_path, postgres_host, function(POSTGRES, text)) as it:
        assert await it.lab.call("app:unit") == [UNAVAILABLE, "true", INVALID, 1]


async def test_policies_decide_who_gets_a_database(tmp_path: Path) -> None:
    databases = Databases(MemoryCatalog(entries()), {}, tmp_path)
    unit = support.lua("app:unit", f"local db, err = sql.get('{FILE}') return err:kind()", modules=MODULES)
    async with lab(unit, operations=SqlAsks(databases).operations(), strict=True) as it:
        assert await it.call("app:unit") == "PermissionDenied"
    await databases.close()


async def test_a_large_answer_becomes_a_table_off_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def table_of(rows: Sequence[Row]) -> dict[str, Value]:
        threads.append(threading.current_thread())
        return binding.table_of(rows)

    monkeypatch.setattr(asks, "table_of", table_of)
    many = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5000) SELECT x FROM c"
    async with stage(FILE, tmp_path, "/nowhere", function(FILE, f"return #assert(db:query('{many}'))")) as it:
        assert await it.lab.call("app:unit") == 5000
    assert threads and threading.current_thread() not in threads
