"""Fields of databases: where they are, and that no password stands in the registry, nor in what is said of one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from engine.check import check_source
from engine.entry import Entry
from engine.registry.guarded import is_guarded
from engine.registry.kinds import DATABASES
from engine.registry.problems import Problem
from engine.registry.validate import validate

POSTGRES = {"host": "h", "database": "d", "username": "u"}


def problems(kind: str, data: Mapping[str, object]) -> tuple[Problem, ...]:
    return validate({"a:db": Entry("a:db", kind, {}, data)}, check_source)


def test_databases_are_valid_as_documented() -> None:
    full = {
        **POSTGRES,
        "port": "${env:PORT|5432}",
        "password": "${env:SECRET}",
        "lifecycle": {"auto_start": True},
        "pool": {"max_open": 5, "max_idle": 1, "max_lifetime": "30m"},
        "options": {"sslmode": "require", "connect_timeout": 5},
    }
    by_names = {f"{name}_env": name.upper() for name in ("host", "port", "database", "username", "password")}
    assert not problems("db.sql.postgres", full)
    assert not problems("db.sql.postgres", by_names)
    assert not problems("db.sql.sqlite", {"file": ":memory:", "pool": {"max_lifetime": "1h"}})
    assert not problems("db.django", {})


@pytest.mark.parametrize("password", ["hunter2", "${env:SECRET|hunter2}", "x${env:SECRET}hunter2", 471147])
def test_a_password_comes_from_the_environment_and_no_message_tells_it(password: object) -> None:
    (problem,) = problems("db.sql.postgres", {**POSTGRES, "password": password})
    assert problem.field == "password"
    assert "password_env" in problem.message
    assert "hunter2" not in str(problem).lower()
    assert "471147" not in str(problem)


def test_what_is_missing_or_leads_elsewhere_is_told() -> None:
    assert [each.field for each in problems("db.sql.sqlite", {})] == ["file"]
    assert len(problems("db.sql.postgres", {})) == 3
    (problem,) = problems("db.sql.postgres", {**POSTGRES, "options": {"passfile": "/etc/passwd"}})
    assert problem.field == "options.passfile"


@pytest.mark.parametrize("kind", ["db.sql.sqlite", "db.sql.postgres", "db.django"])
def test_publishing_a_database_takes_more_than_an_authors_right(kind: str) -> None:
    entry = Entry("a:db", kind, {}, {})
    assert is_guarded(entry, {entry.id: entry})


def test_a_store_is_guarded_as_its_database() -> None:
    table = Entry("app:table", "store.sql", {}, {"database": "db", "table_name": "users"})
    for kind in DATABASES:
        assert is_guarded(table, {"app:db": Entry("app:db", kind, {}, {}), table.id: table})
    assert not is_guarded(Entry("app:cache", "store.memory", {}, {}), {})
