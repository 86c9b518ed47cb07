"""What a connection promises, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest

from engine.asks.sql.connection import SQLITE, Connection, Done, Limits, transaction
from engine.asks.sql.databases import Databases
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.memory.catalog import MemoryCatalog
from tests.engine.asks.sql.conftest import FILE, MEMORY, POSTGRES
from tests.patience import PATIENCE

pytestmark = pytest.mark.asyncio
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "


def mark(connection: Connection) -> str:
    return "?" if connection.dialect == SQLITE else "$1"


async def kind_of(connection: Connection, text: str, *params: object, limits: Limits | None = None) -> str:
    """The kind of the failure of a query."""
    with pytest.raises(UnitFailed) as caught:
        await connection.query(text, params, limits or Limits())
    return caught.value.failure.kind


async def insert_and_fail(connection: Connection) -> None:
    async with transaction(connection):
        await connection.execute("INSERT INTO t VALUES (2)")
        await connection.execute("INSERT INTO nowhere VALUES (2)")


async def test_values_go_in_bound_and_come_out_alike(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        binary = "BLOB" if connection.dialect == SQLITE else "BYTEA"
        await connection.execute(f"CREATE TABLE t (i BIGINT, f FLOAT, s TEXT, b {binary}, n TEXT)")
        values = (2**63 - 1, float("inf"), "'; DROP TABLE t; --", b"\xff\0", None)
        marks = "?, ?, ?, ?, ?" if connection.dialect == SQLITE else "$1, $2, $3, $4, $5"
        done = await connection.execute(f"INSERT INTO t VALUES ({marks})", values)
        assert done.rows_affected == 1
        assert await connection.query("SELECT * FROM t") == [dict(zip("ifsbn", values, strict=True))]


async def test_what_is_no_number_stays_so_or_is_refused(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        if connection.dialect == SQLITE:
            for run in (connection.query, connection.execute):
                with pytest.raises(UnitFailed, match="parameter 2: SQLite would keep NaN as NULL"):
                    await run("SELECT ?, ?", (1, float("nan")))
        else:
            (row,) = await connection.query("SELECT $1::float8 AS n", (float("nan"),))
            assert math.isnan(row["n"])


@pytest.mark.parametrize("entry_id", [FILE, MEMORY], indirect=True)
async def test_what_a_statement_of_sqlite_did_is_told_of_no_other(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        await connection.execute("CREATE TABLE t (i INTEGER PRIMARY KEY, n UNIQUE)")
        assert await connection.execute("INSERT INTO t VALUES (77, 1), (78, 2)") == Done(2, 78)
        assert await connection.execute("UPDATE t SET n = n + 10") == Done(2)
        assert await connection.execute("INSERT OR IGNORE INTO t VALUES (5, 11)") == Done(0)
        assert await connection.execute("WITH x AS (SELECT 1) INSERT INTO t SELECT 9, 9 FROM x") == Done(1, 9)
        assert await connection.execute("/* all */ DELETE FROM t RETURNING i") == Done(3)
        assert await connection.execute("SELECT 1") == Done(0)


async def test_one_text_is_one_statement(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        await connection.execute("CREATE TABLE t (i INTEGER)")
        for text in ("SELECT 1; DROP TABLE t", "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)"):
            assert await kind_of(connection, text) == "Invalid"
            with pytest.raises(UnitFailed):
                await connection.execute(text)
            with pytest.raises(UnitFailed):
                await connection.check(text)
        assert await connection.query("SELECT * FROM t") == []


async def test_an_answer_is_bounded_in_rows_bytes_and_time_and_the_connection_goes_on(
    databases: Databases, entry_id: str
) -> None:
    async with databases.connection(entry_id) as connection:
        assert await kind_of(connection, f"{ENDLESS}SELECT x FROM c", limits=Limits(rows=1000)) == "LimitExceeded"
        wide = f"{ENDLESS}SELECT {mark(connection)} || x AS s FROM c"
        assert await kind_of(connection, wide, "x" * 1000, limits=Limits(bytes=100_000)) == "LimitExceeded"
        assert await kind_of(connection, f"{ENDLESS}SELECT count(*) FROM c", limits=Limits(seconds=0.1)) == "Timeout"
        assert await connection.query("SELECT 1 AS one") == [{"one": 1}]


async def test_a_cancelled_statement_is_stopped_in_the_database(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        running = asyncio.ensure_future(connection.query(f"{ENDLESS}SELECT count(*) FROM c"))
        await asyncio.wait([running], timeout=0.1)
        running.cancel()
        done, _ = await asyncio.wait([running], timeout=PATIENCE)
        assert running in done
        assert running.cancelled()
        assert await connection.query("SELECT 1 AS one") == [{"one": 1}]


async def test_a_transaction_is_kept_or_undone_as_a_whole(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        await connection.execute("CREATE TABLE t (i INTEGER)")
        async with transaction(connection):
            await connection.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(UnitFailed):
            await insert_and_fail(connection)
        assert await connection.query("SELECT i FROM t") == [{"i": 1}]


async def test_what_one_holder_leaves_open_the_next_does_not_find(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        await connection.execute("CREATE TABLE t (i INTEGER)")
    async with databases.connection(entry_id) as connection:
        await connection.begin(read_only=False)
        await connection.execute("INSERT INTO t VALUES (1)")
    async with databases.connection(entry_id) as connection:
        assert not connection.in_transaction
        assert await connection.query("SELECT i FROM t") == []


async def test_a_read_only_transaction_writes_nothing(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        await connection.execute("CREATE TABLE t (i INTEGER)")
        await connection.begin(read_only=True)
        with pytest.raises(UnitFailed) as caught:
            await connection.execute("INSERT INTO t VALUES (1)")
        assert caught.value.failure.kind == "PermissionDenied"
    async with databases.connection(entry_id) as connection:
        await connection.execute("INSERT INTO t VALUES (1)")


async def test_who_waits_in_vain_hears_who_holds_all_connections(
    databases: Databases, entry_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.asks.sql.pool.WAIT_SECONDS", 0.05)
    pool = await databases.pool(entry_id)
    held = [await pool.take("{n@a|1} (transaction)") for _ in range(pool.counts()["max_open_connections"])]
    with pytest.raises(UnitFailed) as caught:
        await pool.take("another")
    assert caught.value.failure.kind == "Unavailable"
    assert "{n@a|1} (transaction)" in caught.value.failure.message
    for lease in held:
        pool.give_back(lease)
    async with databases.connection(entry_id) as connection:
        assert await connection.query("SELECT 1 AS one") == [{"one": 1}]


@pytest.mark.parametrize("entry_id", [FILE], indirect=True)
@pytest.mark.parametrize(
    "text",
    [
        "ATTACH '/tmp/other.db' AS o",
        "VACUUM INTO '/tmp/other.db'",
        "SELECT load_extension('x')",
        "PRAGMA journal_mode = OFF",
        "PRAGMA writable_schema = 1",
        "SELECT * FROM pragma_journal_mode",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT s",
    ],
)
async def test_no_statement_leaves_the_file_or_the_transaction(databases: Databases, entry_id: str, text: str) -> None:
    async with databases.connection(entry_id) as connection:
        assert await kind_of(connection, text) == "PermissionDenied"


@pytest.mark.parametrize("entry_id", [FILE], indirect=True)
async def test_a_writer_waits_for_another_without_keeping_readers(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as first, databases.connection(entry_id) as second:
        await first.execute("CREATE TABLE t (i INTEGER)")
        await first.begin()
        await first.execute("INSERT INTO t VALUES (1)")
        waiting = asyncio.ensure_future(second.execute("INSERT INTO t VALUES (2)"))
        async with databases.connection(entry_id) as third:
            assert await third.query("SELECT i FROM t") == []
        assert not waiting.done()
        await first.control("COMMIT")
        assert (await waiting).rows_affected == 1


@pytest.mark.parametrize("entry_id", [FILE], indirect=True)
async def test_a_file_that_was_replaced_is_opened_anew(databases: Databases, entry_id: str, tmp_path: Path) -> None:
    async with databases.connection(entry_id) as connection:
        await connection.execute("CREATE TABLE t (i INTEGER)")
    for each in (tmp_path / "folder").iterdir():
        each.unlink()
    async with databases.connection(entry_id) as connection:
        assert await connection.query("SELECT name FROM sqlite_master") == []


async def test_a_full_database_says_so_and_goes_on(tmp_path: Path) -> None:
    entry = Entry(FILE, "db.sql.sqlite", {}, {"file": "small.db", "max_bytes": 65536})
    databases = Databases(MemoryCatalog([entry]), {}, tmp_path)
    async with databases.connection(FILE) as connection:
        await connection.execute("CREATE TABLE t (b BLOB)")
        with pytest.raises(UnitFailed) as caught:
            await connection.execute("INSERT INTO t VALUES (?)", [b"\0" * 100_000])
        assert caught.value.failure.kind == "LimitExceeded"
        assert await connection.query("SELECT count(*) AS n FROM t") == [{"n": 0}]
        await connection.execute("CREATE TEMP TABLE u (b BLOB)")
        with pytest.raises(UnitFailed) as caught:
            await connection.execute("INSERT INTO u VALUES (zeroblob(1000000))")
        assert caught.value.failure.kind == "LimitExceeded"
    await databases.close()


@pytest.mark.parametrize("file", ["../out.db", "/etc/passwd", "", ".", "a/../../out.db"])
async def test_a_file_out_of_the_folder_is_refused(file: str, tmp_path: Path) -> None:
    databases = Databases(MemoryCatalog([Entry(FILE, "db.sql.sqlite", {}, {"file": file})]), {}, tmp_path / "own")
    with pytest.raises(UnitFailed) as caught:
        await databases.pool(FILE)
    assert caught.value.failure.kind == "Invalid"


@pytest.mark.parametrize("entry_id", [POSTGRES], indirect=True)
async def test_settings_locks_and_temporary_tables_end_with_the_holder(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        await connection.query("SELECT set_config('search_path', 'pg_catalog', false)")
        await connection.execute("CREATE TEMPORARY TABLE mine (i INTEGER)")
        await connection.execute("BEGIN")
    async with databases.connection(entry_id) as connection:
        assert not connection.in_transaction
        assert await connection.query("SELECT to_regclass('mine') AS t") == [{"t": None}]
        assert "public" in str(await connection.query("SHOW search_path"))


@pytest.mark.parametrize("entry_id", [POSTGRES], indirect=True)
async def test_copy_to_the_client_is_refused(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        await connection.execute("CREATE TABLE t (i INTEGER)")
        assert await kind_of(connection, "COPY t FROM STDIN") == "Invalid"
    async with databases.connection(entry_id) as connection:
        assert await connection.query("SELECT 1 AS one") == [{"one": 1}]


@pytest.mark.parametrize("entry_id", [POSTGRES], indirect=True)
async def test_a_connection_that_the_server_ended_is_replaced(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as first, databases.connection(entry_id) as second:
        pid = (await first.query("SELECT pg_backend_pid() AS pid"))[0]["pid"]
        await first.begin()
        await second.query("SELECT pg_terminate_backend($1, 5000)", [pid])
        assert await kind_of(first, "SELECT 1") == "Unavailable"
    async with databases.connection(entry_id) as connection:
        assert await connection.query("SELECT 1 AS one") == [{"one": 1}]


@pytest.mark.parametrize("entry_id", [POSTGRES], indirect=True)
async def test_types_that_lua_lacks_come_as_the_servers_text(databases: Databases, entry_id: str) -> None:
    text = (
        "SELECT 1.50::numeric AS n, '2026-01-02'::date AS d, '{\"a\":1}'::jsonb AS j, interval '1 day' AS i, "
        "ARRAY[1, NULL, 2] AS a, ARRAY[true] AS b"
    )
    async with databases.connection(entry_id) as connection:
        [row] = await connection.query(text)
    assert row == {"n": "1.50", "d": "2026-01-02", "j": '{"a": 1}', "i": "1 day", "a": [1, None, 2], "b": [True]}


async def test_a_server_that_is_away_is_unavailable_and_no_error_tells_its_address_or_password(tmp_path: Path) -> None:
    data = {"host": "127.0.0.1", "port": 1, "database": "d", "username": "u", "password": "hunter2"}
    databases = Databases(MemoryCatalog([Entry(POSTGRES, "db.sql.postgres", {}, data)]), {}, tmp_path)
    with pytest.raises(UnitFailed) as caught:
        async with databases.connection(POSTGRES):
            pass
    assert caught.value.failure.kind == "Unavailable"
    assert "127.0.0.1" not in str(caught.value)
    assert "hunter2" not in repr(databases._pools)
    await databases.close()


async def test_other_entries_are_no_databases(tmp_path: Path) -> None:
    databases = Databases(MemoryCatalog([Entry("a:inert", "registry.entry", {}, {})]), {}, tmp_path)
    for entry_id, kind in (("a:inert", "Invalid"), ("a:none", "NotFound")):
        with pytest.raises(UnitFailed) as caught:
            await databases.pool(entry_id)
        assert caught.value.failure.kind == kind


@pytest.mark.parametrize("entry_id", [POSTGRES], indirect=True)
async def test_no_error_quotes_a_bound_value(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        for text in ("SELECT $1::integer", "SELECT $1::timestamp", "SELECT $1::jsonb", "SELECT $1::uuid"):
            with pytest.raises(UnitFailed) as caught:
                await connection.query(text, ["hunter2"])
            assert "hunter2" not in str(caught.value.failure.to_json())
            assert caught.value.failure.kind == "Invalid"


@pytest.mark.parametrize("entry_id", [FILE], indirect=True)
async def test_a_row_is_bounded_before_it_is_read(databases: Databases, entry_id: str) -> None:
    async with databases.connection(entry_id) as connection:
        assert await kind_of(connection, "SELECT zeroblob(20000000)") == "LimitExceeded"
        wide = ", ".join(["zeroblob(8000000)"] * 200)
        assert await kind_of(connection, f"SELECT {wide}") == "Invalid"
        assert (
            await kind_of(connection, "SELECT zeroblob(8000000), zeroblob(8000000), zeroblob(8000000)")
            == "LimitExceeded"
        )


@pytest.mark.parametrize("entry_id", [FILE], indirect=True)
async def test_temporary_tables_of_sqlite_end_with_their_holder(databases: Databases, entry_id: str) -> None:
    for text in ("CREATE TEMP TABLE mine (i)", "CREATE TABLE temp.mine (i)", "CREATE TEMP VIEW mine AS SELECT 1"):
        async with databases.connection(entry_id) as connection:
            await connection.execute(text)
            assert await connection.query("SELECT * FROM mine") in ([], [{"1": 1}])
        async with databases.connection(entry_id) as connection:
            assert await kind_of(connection, "SELECT * FROM mine") == "Invalid"


@pytest.mark.parametrize("entry_id", [FILE], indirect=True)
@pytest.mark.parametrize(
    "text",
    [
        "BEGIN IMMEDIATE",
        "BEGIN DEFERRED",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT s",
        "PRAGMA query_only = 0",
        "PRAGMA busy_timeout = 0",
    ],
)
async def test_no_text_passes_since_the_connection_used_it_itself(
    databases: Databases, entry_id: str, text: str
) -> None:
    async with databases.connection(entry_id) as connection:
        for read_only in (False, True):
            await connection.begin(read_only=read_only)
            await connection.control("SAVEPOINT s")
            await connection.control("ROLLBACK")
            await connection.begin(read_only=read_only)
            await connection.control("COMMIT")
            await connection.reset()
        assert await kind_of(connection, text) == "PermissionDenied"
        assert not connection.in_transaction
