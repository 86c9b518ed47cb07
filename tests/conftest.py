"""Fixtures that every test may use, and how tests share the cores. Fixtures of one area stand in that area's folder."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.sharing import is_slow, processes, scheduler, turn_of
from tests.temporal_server import running_temporal

# A slow machine is no fault of the code. What Hypothesis finds is printed to be pasted, so two runs at once share no
# memory of it.
hypothesis.settings.register_profile(
    "wippy",
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("wippy")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what `make quick` leaves out."""
    if is_slow(item.nodeid):
        item.add_marker(pytest.mark.slow)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: turn_of(item.nodeid))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Say how many processes share the tests."""
    return processes(config)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Share the tests out as tests/sharing.py says, whatever --dist says."""
    return scheduler(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, object, object]:
    """Keep the garbage collector away while a failure is described, which parses the test's source.

    In Python 3.11 two threads that parse at once end the session with "AST constructor recursion depth mismatch", and
    a callback of the collector, as Hypothesis has one, lets another thread in: one that logs an exception parses too.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """No test is refused for what others sent: their rows begin with the same ids."""
    from django.core.cache import caches
    from django.core.cache.backends.locmem import LocMemCache

    for each in caches.all(initialized_only=True):
        if isinstance(each, LocMemCache):
            each.clear()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data folder."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """pytest-django's fixture; the groups that a migration makes come back whenever a test has emptied the tables.

    So no test depends on whether another went before it. At the end, connections that threads left open are closed,
    since PostgreSQL drops no database that somebody uses.
    """
    from django.apps import apps
    from django.contrib.auth.models import Group, Permission
    from django.db import connection
    from django.db.models.signals import post_migrate

    from wippy_console.database import append_only
    from wippy_console.models import AuditRow
    from wippy_console.permissions import install_groups

    def install(**_: Any) -> None:
        install_groups(Group, Permission)

    # By then the permissions of the console and of auth itself are there.
    post_migrate.connect(install, sender=apps.get_app_config("auth"), weak=False, dispatch_uid="tests")
    with django_db_blocker.unblock():
        append_only.remove(connection, AuditRow._meta.db_table)  # tests begin with empty tables
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The host:port of a real Temporal dev server on a database of its own, ended with the session."""
    with running_temporal(tmp_path_factory.mktemp("temporal")) as address:
        yield address
