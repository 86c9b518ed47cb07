"""The same databases for every test: a file, one in memory, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from engine.asks.sql.databases import Databases
from engine.entry import Entry
from engine.memory.catalog import MemoryCatalog
from tests.postgres_server import postgres

FILE, MEMORY, POSTGRES = "a:file", "a:memory", "a:postgres"
ALL = (FILE, MEMORY, POSTGRES)


@pytest.fixture(scope="session")
def postgres_host() -> Iterator[str]:
    with postgres() as host:
        yield host


def entries(host: str = "/nowhere") -> list[Entry]:
    at = {"host": host, "database": "postgres", "username": "wippy"}
    return [
        Entry(FILE, "db.sql.sqlite", {}, {"file": "folder/file.db"}),
        Entry(MEMORY, "db.sql.sqlite", {}, {"file": ":memory:"}),
        Entry(POSTGRES, "db.sql.postgres", {}, {**at, "pool": {"max_open": 3}}),
        Entry("a:inert", "registry.entry", {}, {}),
    ]


@pytest.fixture(params=ALL)
def entry_id(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    return str(request.param)


@pytest_asyncio.fixture
async def databases(entry_id: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Databases]:
    host = request.getfixturevalue("postgres_host") if entry_id == POSTGRES else "/nowhere"
    found = Databases(MemoryCatalog(entries(host)), {}, tmp_path)
    if entry_id == POSTGRES:
        async with found.connection(entry_id) as connection:
            await connection.execute("DROP SCHEMA public CASCADE")
            await connection.execute("CREATE SCHEMA public")
    yield found
    await found.close()
