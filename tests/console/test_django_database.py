"""`db.django`: a room beside the console's tables, out of which no statement leads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.db import connection as console

from engine.asks.sql.connection import SQLITE
from engine.asks.sql.databases import Databases
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.memory.catalog import MemoryCatalog
from wippy_console.worker.asks.django_database import DjangoDatabases, room_of

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
NOTES, OTHERS = "a.b:notes", "a:b_notes"


@pytest_asyncio.fixture
async def databases(tmp_path: Path, settings: Any) -> AsyncIterator[Databases]:
    settings.WIPPY_DATA = tmp_path
    entries = [Entry(each, "db.django", {}, {}) for each in (NOTES, OTHERS)]
    found = Databases(MemoryCatalog(entries), {}, tmp_path, DjangoDatabases())
    yield found
    await found.close()


async def test_it_keeps_tables_of_its_own_under_plain_names(databases: Databases) -> None:
    for entry_id in (NOTES, OTHERS):
        async with databases.connection(entry_id) as connection:
            await connection.execute("DROP TABLE IF EXISTS wippy_console_run")
            await connection.execute("CREATE TABLE wippy_console_run (text TEXT)")
    async with databases.connection(NOTES) as connection:
        await connection.execute("INSERT INTO wippy_console_run VALUES ('mine')")
    async with databases.connection(OTHERS) as connection:
        assert await connection.query("SELECT * FROM wippy_console_run") == []


async def test_no_statement_reaches_the_consoles_tables_or_another_room(databases: Databases) -> None:
    async with databases.connection(OTHERS) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS secrets (text TEXT)")
    room = room_of(Entry(OTHERS, "db.django", {}, {}))
    for text in (
        "SELECT * FROM auth_user",
        "SELECT * FROM public.auth_user",
        "SELECT * FROM secrets",
        f"SELECT * FROM {room}.secrets",
    ):
        async with databases.connection(NOTES) as connection:
            with pytest.raises(UnitFailed):
                await connection.query(text)


@pytest.mark.skipif(console.vendor != "postgresql", reason="roles are PostgreSQL's")
@pytest.mark.parametrize(
    "escape",
    [
        "RESET ROLE",
        "RESET SESSION AUTHORIZATION",
        "SELECT set_config('role', 'none', false)",
        "SELECT set_config('search_path', 'public', false)",
        "DO $$ BEGIN EXECUTE 'RESET ROLE'; END $$",
        "SET search_path = public",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "CREATE EXTENSION dblink",
        "CREATE ROLE mine SUPERUSER",
    ],
)
async def test_no_escape_leads_out_of_the_role(databases: Databases, escape: str) -> None:
    async with databases.connection(NOTES) as connection:
        assert connection.dialect != SQLITE
        with suppress(UnitFailed):
            await connection.execute(escape)
        with pytest.raises(UnitFailed) as caught:
            await connection.query("SELECT * FROM public.auth_user")
        assert caught.value.failure.kind == "PermissionDenied"


async def test_names_that_look_alike_have_different_rooms() -> None:
    rooms = {room_of(Entry(each, "db.django", {}, {})) for each in (NOTES, OTHERS, "a:b.notes", "A:b_notes")}
    assert len(rooms) == 4
    assert all(len(each) <= 63 for each in rooms)
