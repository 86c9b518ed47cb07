"""Connections of Django under Python functions: on SQLite and a PostgreSQL of the test's own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import IntegrityError, connections, transaction

from engine.entry import Entry
from engine.hosts.python.functions import PythonFunctions
from tests.engine.hosts.actor.support import Lab, lab
from tests.patience import PATIENCE
from tests.postgres_server import postgres
from wippy_console.sdk.context import Context
from wippy_console.worker.python import surroundings

SHOP = "python_functions"
"""The alias of the database that the functions below use."""
THREADS = 4


@pytest.fixture(scope="module")
def postgres_host() -> Iterator[str]:
    with postgres() as host:
        yield host


@pytest.fixture(params=["sqlite3", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    """A database of its own with one empty table, as Django knows databases."""
    kind = request.param
    given: dict[str, Any] = {"ENGINE": f"django.db.backends.{kind}", "NAME": str(tmp_path / "shop.sqlite3")}
    if kind == "postgresql":
        host = request.getfixturevalue("postgres_host")
        given |= {"NAME": "postgres", "USER": "wippy", "HOST": host, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    defaults = {name: value for name, value in connections.settings["default"].items() if name != "OPTIONS"}
    connections.settings[SHOP] = {**defaults, "CONN_MAX_AGE": 0, "OPTIONS": {}, **given}
    with django_db_blocker.unblock():
        with connections[SHOP].cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS item")
            cursor.execute("CREATE TABLE item (name text NOT NULL UNIQUE)")
        yield kind
        connections[SHOP].close()
    del connections[SHOP]
    del connections.settings[SHOP]


@pytest_asyncio.fixture
async def it(database: str) -> AsyncIterator[Lab]:
    """A node whose Python functions are those of this file."""
    here: dict[str, Any] = globals()
    before = {*threading.enumerate()}
    functions = PythonFunctions(surroundings(lambda _, text: here[text]), threads=THREADS)
    names = [name for name, value in here.items() if callable(value) and name.startswith("f_")]
    entries = [Entry(f"app:{name}", "function.python", {}, {"callable": name, "pool": {"size": 50}}) for name in names]
    try:
        async with lab(*entries, operations=functions.operations()) as found:
            yield found
    finally:
        await functions.close()
        await _ended(before)


async def _ended(before: set[threading.Thread]) -> None:
    """Its threads close what they opened when they end, which takes that the database is still known."""
    async with asyncio.timeout(PATIENCE):
        while any(each.name.startswith("python function") for each in {*threading.enumerate()} - before):
            await asyncio.sleep(0.01)


def f_put(ctx: Context, name: str) -> int:
    with connections[SHOP].cursor() as cursor:
        cursor.execute("INSERT INTO item VALUES (%s)", [name])
        cursor.execute("SELECT COUNT(*) FROM item")
        return int(cursor.fetchone()[0])


async def f_put_later(ctx: Context, name: str) -> int:
    return await sync_to_async(f_put)(ctx, name)


def f_fails_within(ctx: Context) -> None:
    with transaction.atomic(using=SHOP):
        f_put(ctx, "within")
        raise RuntimeError("no")


def f_leaves_atomic(ctx: Context) -> str:
    transaction.atomic(using=SHOP).__enter__()
    f_put(ctx, "left")
    return "done"


def f_leaves_raw(ctx: Context) -> str:
    with connections[SHOP].cursor() as cursor:
        cursor.execute("BEGIN")
    f_put(ctx, "left")
    return "done"


def f_leaves_autocommit(ctx: Context) -> str:
    transaction.set_autocommit(False, using=SHOP)
    f_put(ctx, "left")
    return "done"


async def f_leaves_later(ctx: Context) -> str:
    return await sync_to_async(f_leaves_atomic)(ctx)


def f_leaves_and_fails(ctx: Context) -> None:
    f_leaves_atomic(ctx)
    raise RuntimeError("no")


def f_breaks_statement(ctx: Context) -> None:
    with connections[SHOP].cursor() as cursor:
        cursor.execute("SELECT nonsense FROM nowhere")


def f_lacks_table(ctx: Context) -> None:
    with connections[SHOP].cursor() as cursor:
        cursor.execute("SELECT 1 FROM bills")


def f_lacks_column(ctx: Context) -> None:
    with connections[SHOP].cursor() as cursor:
        cursor.execute("SELECT colour FROM item")


def f_waits_in_atomic(ctx: Context) -> None:
    with transaction.atomic(using=SHOP):
        f_put(ctx, "waits")
        while True:
            ctx.heartbeat()
            f_began.append(1)


f_began: list[int] = []


async def test_two_hundred_calls_hold_no_more_connections_than_threads(it: Lab, database: str) -> None:
    numbers = await asyncio.gather(*(it.call("app:f_put", f"item {n}") for n in range(200)))
    assert max(numbers) == 200
    assert await _count(database) <= THREADS


async def test_async_functions_end_their_connections(it: Lab, database: str) -> None:
    await asyncio.gather(*(it.call("app:f_put_later", f"item {n}") for n in range(40)))
    async with asyncio.timeout(PATIENCE):
        while await _count(database):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("name", "lacked"), [("f_lacks_table", "bills"), ("f_lacks_column", "colour")])
async def test_a_table_or_column_that_no_migration_made_says_what_to_do(it: Lab, name: str, lacked: str) -> None:
    failure = await it.failure(f"app:{name}")
    assert failure.kind == "Internal" and lacked in failure.message
    assert failure.message.endswith("(is its app migrated? manage.py makemigrations, manage.py migrate)")


@pytest.mark.parametrize("name", ["f_leaves_atomic", "f_leaves_raw", "f_leaves_autocommit", "f_leaves_later"])
async def test_a_transaction_that_is_left_open_is_rolled_back_and_fails_the_call(it: Lab, name: str) -> None:
    failure = await it.failure(f"app:{name}")
    assert failure.message == f"the function left a transaction open on {SHOP}: what it wrote there was rolled back"
    for number in range(1, 2 * THREADS):
        assert await it.call("app:f_put", f"item {number}") == number


async def test_an_exception_within_a_transaction_is_told_as_it_is(it: Lab) -> None:
    for name in ("f_fails_within", "f_leaves_and_fails"):
        assert (await it.failure(f"app:{name}")).message == "RuntimeError: no"
    assert await it.call("app:f_put", "first") == 1
    failure = await it.failure("app:f_put", "first")
    assert failure.kind == "Internal" and failure.message.startswith("IntegrityError")
    assert await it.call("app:f_put", "second") == 2


async def test_a_wrong_statement_is_no_outage(it: Lab) -> None:
    assert (await it.failure("app:f_breaks_statement")).kind == "Internal"


async def test_a_function_that_is_stopped_within_a_transaction_writes_nothing(it: Lab) -> None:
    assert (await it.failure("app:f_waits_in_atomic", options={"timeout": "50ms"})).kind == "Timeout"
    await it.until(lambda: not it.node.processes())
    assert await it.call("app:f_put", "first") == 1


async def test_a_database_that_was_restarted_between_calls_is_met_anew(it: Lab, database: str) -> None:
    if database == "sqlite3":
        pytest.skip("SQLite has no server")
    await asyncio.gather(*(it.call("app:f_put", f"item {n}") for n in range(20)))
    await asyncio.to_thread(_end_all_others)
    numbers = await asyncio.gather(*(it.call("app:f_put", f"later {n}") for n in range(20)))
    assert max(numbers) == 40


def f_raises(ctx: Context, name: str) -> None:
    raise ERRORS[name]


ERRORS: dict[str, Exception] = {
    "wrong": ValidationError({"price": ["too high"]}),
    "missing": ObjectDoesNotExist("no such order"),
    "forbidden": PermissionDenied(),
    "conflict": IntegrityError("duplicate"),
}


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("wrong", "Invalid", "too high"),
        ("missing", "NotFound", "no such order"),
        ("forbidden", "PermissionDenied", "permission denied"),
        ("conflict", "Internal", "IntegrityError: duplicate"),
    ],
)
async def test_exceptions_of_django_have_their_kinds(it: Lab, name: str, kind: str, text: str) -> None:
    failure = await it.failure("app:f_raises", name)
    assert (failure.kind, failure.message) == (kind, text)
    assert failure.details == ({"price": ["too high"]} if name == "wrong" else {})


async def _count(database: str) -> int:
    return await asyncio.to_thread(_open_files if database == "sqlite3" else _backends)


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    links = [os.readlink(each) for each in folder.iterdir() if each.is_symlink()]
    return sum(link.endswith("shop.sqlite3") for link in links) - 1  # the test's own


_OTHERS = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


def _backends() -> int:
    with connections[SHOP].cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) {_OTHERS}")
        found = int(cursor.fetchone()[0])
    connections[SHOP].close()
    return found - 1  # the fixture's


def _end_all_others() -> None:
    with connections[SHOP].cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) {_OTHERS}")
    connections[SHOP].close()
