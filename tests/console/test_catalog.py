from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection

from engine.contracts.catalog import Catalog
from engine.entry import Entry
from engine.errors import ProgramError
from tests.console.registry_cast import create, delete, function, library, update
from wippy_console.services.registry import catalog as catalogs
from wippy_console.services.registry import reading
from wippy_console.services.registry.catalog import DatabaseCatalog

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalog() -> Iterator[DatabaseCatalog]:
    """A catalog that looks at every question."""
    made = DatabaseCatalog(ttl=0)
    yield made
    made.close()


def test_it_is_a_catalog_and_empty_at_first(catalog: DatabaseCatalog) -> None:
    contract: Catalog = catalog
    assert contract.version() == 0
    assert contract.entry("app:a") is None
    assert contract.entries("function.lua") == []
    with pytest.raises(ProgramError, match="no entry app:a"):
        contract.current("app:a")
    with pytest.raises(ProgramError, match="no program"):
        contract.pinned("0" * 64)


def test_a_publish_is_seen_at_once_without_a_ttl(catalog: DatabaseCatalog) -> None:
    create(function("b"), function("a"), Entry("app:h", "process.host"))
    assert catalog.version() == 1
    assert [each.id for each in catalog.entries("function.lua")] == ["app:a", "app:b"]
    update(function("a", "return 2"))
    found = catalog.entry("app:a")
    assert found is not None
    assert found.data["source"] == "return 2"
    delete("app:b")
    assert [each.id for each in catalog.entries("function.lua")] == ["app:a"]


def test_with_a_ttl_the_answer_may_be_a_moment_old_but_not_after_a_refresh() -> None:
    catalog = DatabaseCatalog(ttl=60)
    assert catalog.version() == 0
    create(function("a"))
    assert catalog.version() == 0
    assert catalog.refresh() == 1
    assert catalog.entry("app:a") is not None
    catalog.close()


def test_a_pinned_program_stays_whatever_is_published_or_deleted(catalog: DatabaseCatalog) -> None:
    create(library("l", "return 1"), function("a", imports={"l": "l"}))
    before = catalog.current("app:a")
    update(library("l", "return 2"))
    after = catalog.current("app:a")
    assert before.digest != after.digest
    delete("app:a", "app:l")
    assert catalog.pinned(before.digest).chunks["app:l"].source == "return 1"
    assert catalog.pinned(after.digest).chunks["app:l"].source == "return 2"
    with pytest.raises(ProgramError):
        catalog.current("app:a")


def test_every_current_program_is_stored_also_after_going_back(catalog: DatabaseCatalog) -> None:
    create(function("a", "return 1"))
    first = catalog.current("app:a")
    update(function("a", "return 2"))
    catalog.current("app:a")
    update(function("a", "return 1"))
    assert catalog.current("app:a").digest == first.digest
    assert catalog.pinned(catalog.current("app:a").digest).to_json() == first.to_json()


def test_programs_of_untouched_entries_are_linked_once(catalog: DatabaseCatalog) -> None:
    create(function("a"), function("b"))
    program = catalog.current("app:a")
    update(function("b", "return 2"))
    assert catalog.current("app:a") is program


def test_an_entry_of_the_past_stays_as_it_was(catalog: DatabaseCatalog) -> None:
    create(function("a", "return 1"))
    update(function("a", "return 2"))
    delete("app:a")
    sources = [found.data["source"] if (found := catalog.entry_at("app:a", n)) else None for n in (1, 2, 3)]
    assert sources == ["return 1", "return 2", None]


def test_event_loops_and_any_thread_may_ask(catalog: DatabaseCatalog) -> None:
    create(function("a"))

    async def ask() -> int:
        assert catalog.current("app:a").entry_id == "app:a"
        return catalog.version()

    assert asyncio.run(ask()) == 1
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: catalog.version(), range(200))) == {1}


def test_all_queries_run_on_one_thread(catalog: DatabaseCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()
    original = reading.current_number

    def watched() -> int:
        threads.add(threading.current_thread().name)
        return original()

    monkeypatch.setattr(reading, "current_number", watched)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: catalog.version(), range(40)))
    assert len(threads) == 1
    assert threading.current_thread().name not in threads


def test_a_version_at_hand_serves_on_while_the_database_does_not_answer(
    catalog: DatabaseCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(function("a"))
    assert catalog.version() == 1

    def broken() -> int:
        raise OperationalError("gone")

    monkeypatch.setattr(reading, "current_number", broken)
    assert catalog.version() == 1
    monkeypatch.undo()
    create(function("b"))
    assert catalog.version() == 2


def test_a_database_that_hangs_does_not_hang_who_asks(
    catalog: DatabaseCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(function("a"))
    assert catalog.version() == 1
    release = threading.Event()
    monkeypatch.setattr(catalogs, "PATIENCE", 0.05)
    monkeypatch.setattr(reading, "current_number", lambda: release.wait(60) and 1)
    assert [catalog.version() for _ in range(20)] == [1] * 20
    assert not release.is_set()
    release.set()


def test_a_broken_connection_is_replaced(catalog: DatabaseCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    create(function("a"))
    original, failures = reading.current_number, [OperationalError("server closed the connection")]

    def flaky() -> int:
        if failures:
            raise failures.pop()
        return original()

    monkeypatch.setattr(reading, "current_number", flaky)
    assert catalog.version() == 1


def test_a_closed_catalog_leaves_no_thread_and_no_connection() -> None:
    before = set(threading.enumerate())
    catalog = DatabaseCatalog()
    catalog.version()
    closed: list[Any] = []
    catalog._thread.submit(lambda: closed.append(connection.connection)).result()
    catalog.close()
    catalog.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("catalog") and each not in before]
    with pytest.raises(Exception, match=r"closed|Cannot operate"):
        closed[0].execute("SELECT 1")
