"""Functions that code declares itself: beside the registry, which counts first, with every difference told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from engine.contracts.registry import Author
from engine.entry import Entry
from tests.console import python_code
from tests.console.registry_cast import author, create, delete, update
from wippy_console import sdk
from wippy_console.models import Node
from wippy_console.permissions import ADMINISTRATOR
from wippy_console.services import drift, python_functions, registry
from wippy_console.services.python_functions import DeclaredWrongly, of_code
from wippy_console.services.registry import Changes, ChangesRefused, ForbiddenError, reading

pytestmark = pytest.mark.django_db(transaction=True)
ID = "code:charge"


@pytest.fixture(autouse=True)
def charge(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`charge` declared by code, for the time of the test."""
    settings.PYTHON_FUNCTIONS = ("tests.console.python_code.*",)
    monkeypatch.setattr(of_code, "_declared", {})
    sdk.function(ID, schema={"type": "object"}, options={"timeout": "30s"})(python_code.charge)


@pytest.fixture
def catalog() -> Iterator[registry.DatabaseCatalog]:
    """The registry as nodes see it."""
    found = registry.DatabaseCatalog(ttl=0)
    yield found
    found.close()


@pytest.fixture
def boss() -> User:
    """Who sees and may publish everything."""
    user = User.objects.create_user("boss")
    user.groups.add(Group.objects.get(name=ADMINISTRATOR))
    return user


def a_node(functions: dict[str, str]) -> Node:
    """A node that lives, of a process with that code."""
    now = timezone.now()
    return Node.objects.create(
        id=f"node-{Node.objects.count()}", hostname="h", os_pid=1, started_at=now, heartbeat_at=now, functions=functions
    )


def test_nodes_know_it_and_its_options_and_runs_of_any_version_do(catalog: registry.DatabaseCatalog) -> None:
    found = catalog.entry(ID)
    assert found is not None and found is catalog.written_at(ID, 0)
    assert (found.kind, found.meta["options"]) == ("function.python", {"timeout": "30s"})
    assert catalog.current(ID).method == "tests.console.python_code:charge"


def test_it_is_no_part_of_the_registry(catalog: registry.DatabaseCatalog) -> None:
    create(Entry("app:other", "registry.entry", {}, {}))
    assert ID not in registry.snapshot() and ID not in catalog.state(catalog.version())


def test_an_entry_of_the_registry_counts_before_it(catalog: registry.DatabaseCatalog, boss: User) -> None:
    create(Entry(ID, "function.python", {}, {"callable": "tests.console.python_code:careful"}))
    assert catalog.current(ID).method == "tests.console.python_code:careful"
    assert [each.entry_id for each in drift.of_all(boss)] == [ID]


def test_an_entry_that_says_the_same_is_no_drift(boss: User) -> None:
    found = python_functions.entry(ID)
    assert found is not None
    create(replace(found))
    assert not drift.of_all(boss)


def lua(text: str = "return {main = function() return 1 end}") -> Entry:
    """Lua code under the id that code declares."""
    return Entry(ID, "function.lua", {}, {"source": text, "method": "main"})


def test_its_calls_are_not_taken_by_authors_nor_by_lua_code(boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = author("ada")
    with pytest.raises(PermissionDenied, match=f"Code declares {ID}, and an entry there would get its calls"):
        create(lua(), user=ada)
    with pytest.raises(ForbiddenError):
        registry.publish_from_lua(Author("app:robot", "{h:1}"), Changes(create=(lua(),)), base=0)
    create(lua(), user=boss)
    with pytest.raises(PermissionDenied):
        update(lua("return {main = function() return 2 end}"), user=ada)
    update(replace(lua(), meta={"title": "Charge"}), user=ada)
    delete(ID, user=ada)
    monkeypatch.setattr(of_code, "_declared", {})
    create(lua(), user=ada)


def test_the_editor_says_that_code_has_the_name(client: Client) -> None:
    client.force_login(author("ada"))
    form = {"entry_id": ID, "kind": "function.lua", "source": "return {}"}
    answer = client.post("/registry/new/", form)
    assert answer.status_code in (403, 422) and "Code declares code:charge" in answer.content.decode()


def test_nodes_with_other_code_are_told(boss: User) -> None:
    a_node({ID: python_functions.digest(ID)})
    assert not drift.of_all(boss)
    without, other = a_node({}), a_node({ID: "0" * 16})
    (told,) = drift.of(boss, ID)
    assert f"not known to {without.id}" in told.text and f"another on {other.id}" in told.text


def test_a_function_that_only_nodes_have_is_told(boss: User) -> None:
    a_node({"code:new": "1" * 16})
    a_node({ID: python_functions.digest(ID)})
    assert {each.entry_id for each in drift.of_all(boss)} == {ID, "code:new"}


def test_home_tells_of_drift_beside_the_health_of_the_nodes(client: Client, boss: User) -> None:
    client.force_login(boss)
    a_node({ID: python_functions.digest(ID)})
    assert "Python function" not in client.get("/health/").content.decode()
    a_node({})
    assert "1 Python function amiss" in client.get("/health/").content.decode()


def test_an_entry_whose_app_was_taken_away_is_told_of_everywhere_with_what_to_do(
    client: Client, boss: User, settings: Any
) -> None:
    create(Entry("code:gone", "function.python", {}, {"callable": "tests.console.python_code:charge"}))
    settings.PYTHON_FUNCTIONS = ()
    (told,) = (each for each in drift.of_all(boss) if each.entry_id == "code:gone")
    assert "name the app in WIPPY_APPS" in told.text and "delete the entry" in told.text
    client.force_login(boss)
    for path in ("/registry/", "/registry/code:gone/"):
        assert client.get(path).content.decode().count(told.text) == 1
    assert "Python function amiss" in client.get("/health/").content.decode()
    with pytest.raises(ChangesRefused, match="the apps that WIPPY_APPS names: add it or its app"):
        update(
            Entry("code:gone", "function.python", {"title": "Gone"}, {"callable": "tests.console.python_code:charge"})
        )
    delete("code:gone", user=boss)


def test_entries_are_not_all_read_to_tell_of_some(boss: User) -> None:
    create(Entry("code:gone", "function.python", {}, {"callable": "tests.console.python_code:charge"}))
    with CaptureQueriesContext(connection) as asked:
        drift.of(boss, "code:gone")
        drift.of_all(boss)
    read = [each["sql"] for each in asked if 'FROM "wippy_console_revision"' in each["sql"]]
    assert read and all('"entry_id" IN' in each or '"kind" IN' in each for each in read)
    assert sum('"kind" IN' in each for each in read) == 1
    if connection.vendor == "sqlite":  # PostgreSQL reads a table this small as a whole
        assert "revision_kind" in reading.newest_revisions().filter(kind__in=["function.python"]).explain()


def test_drift_is_for_those_who_see_the_entry() -> None:
    a_node({})
    assert not drift.of_all(User.objects.create_user("nobody"))


def test_code_that_names_it_is_not_warned_of_it() -> None:
    source = f'return {{main = function() return require("funcs").call("{ID}", {{}}) end}}'
    version = create(Entry("app:caller", "function.lua", {}, {"source": source, "modules": ["funcs"]}))
    assert version is None or not getattr(version, "warnings", [])


def test_the_page_of_a_caller_says_that_code_no_longer_has_what_it_calls(
    client: Client, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = f'return {{main = function() return require("funcs").call("{ID}", {{}}) end}}'
    create(Entry("app:caller", "function.lua", {}, {"source": source, "modules": ["funcs"]}))
    client.force_login(boss)
    said = f"It names {ID}, which neither the registry nor code here has"
    assert said not in client.get("/registry/app:caller/").content.decode()
    monkeypatch.setattr(of_code, "_declared", {})
    assert said in client.get("/registry/app:caller/").content.decode()


def test_its_page_shows_the_code_and_offers_no_change(client: Client, boss: User) -> None:
    client.force_login(boss)
    text = client.get(f"/registry/{ID}/").content.decode()
    assert "def charge(ctx: Any, order: Any)" in text and "tests/console/python_code.py:" in text
    assert "from code" in text and f"/registry/{ID}/edit/" not in text
    assert str(python_code.__file__) not in text  # where this machine has it is nobody's business
    tags = '<span><span class="tag">from code</span> <span class="tag">function.python</span></span></a>'
    assert tags in client.get("/registry/").content.decode()  # one place of the row's grid: kind and title stay in line


def test_its_page_says_why_it_can_t_be_called(client: Client, boss: User, settings: Any) -> None:
    settings.PYTHON_FUNCTIONS = ()
    client.force_login(boss)
    text = client.get(f"/registry/{ID}/").content.decode()
    assert "WIPPY_PYTHON_FUNCTIONS" in text and "def charge" not in text


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"options": {"local": True}}, "local is for entries of the registry"),
        ({"options": {"activity.id": "x"}}, "id is for entries of the registry"),
        ({"temporal": {"activity": {"local": True}}}, "local is for entries of the registry"),
        ({"meta": {"title": "${env:TITLE}"}}, "placeholders"),
        ({"schema": {"type": object()}}, "plain data"),
        ({"meta": {"title": 7}}, "title"),
    ],
)
def test_what_a_replay_could_meet_otherwise_is_refused(told: dict[str, Any], text: str) -> None:
    with pytest.raises(DeclaredWrongly, match=text):
        sdk.function("code:other", **told)(python_code.careful)
    assert python_functions.entry("code:other") is None


def test_an_id_means_one_function() -> None:
    sdk.function(ID)(python_code.charge)  # a module that is imported twice says it twice
    with pytest.raises(DeclaredWrongly, match="already"):
        sdk.function(ID)(python_code.careful)


def test_a_function_within_another_can_t_be_found_again() -> None:
    def inner(ctx: Any) -> None:
        """Nobody finds it by a name."""

    with pytest.raises(DeclaredWrongly, match="of a module"):
        sdk.function("code:inner")(inner)
