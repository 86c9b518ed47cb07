"""The registry module on the real database: versions, rights, feed, rivals; and on a real worker."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied

from engine.asks.registry import RegistryAsks
from engine.contracts.host import CallRequest
from engine.contracts.registry import Author
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.hosts.temporal.settings import FLEET_QUEUE
from engine.node import LocalNode
from tests.console.registry_cast import author, create, function, update
from tests.console.test_registry_concurrency import RIVALS, at_once
from tests.console.test_worker import Server, log, queue, running_node, server, until  # noqa: F401 - fixtures
from tests.patience import PATIENCE
from wippy_console import permissions
from wippy_console.models import FeedEvent, Node, Program, Revision, Version
from wippy_console.services import processes, registry
from wippy_console.services.registry import Changes, ForbiddenError, StaleBaseError
from wippy_console.services.registry.catalog import DatabaseCatalog
from wippy_console.templatetags.feed import feed_text
from wippy_console.worker.asks.registry import DatabaseRegistry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def groups(transactional_db: None) -> None:
    permissions.install_groups(Group, Permission)


ROBOT = Author("{app:robot|0x1}", "app:robot")
MODULES = ["registry", "funcs"]


def lua(name: str, body: str) -> Entry:
    """A function of the namespace app, of `...`."""
    return function(name, f"return {{ main = function(...)\n{body}\nend }}", modules=MODULES)


def run(body: str, *args: Any) -> Any:
    """Run a function `app:robot` on a node over the database; its value, or its Failure."""
    publish = update if Revision.objects.filter(entry_id="app:robot").exists() else create
    publish(lua("robot", body))
    return asyncio.run(_run(args))


async def _run(args: tuple[Any, ...]) -> Any:
    catalog = DatabaseCatalog()

    def reconcile() -> None:
        node.reconcile()

    node = LocalNode("n", catalog, ask_handlers=RegistryAsks(DatabaseRegistry(catalog, reconcile)).handlers())
    await node.start()
    try:
        return await asyncio.wait_for(node.call(CallRequest("app:robot", args)), PATIENCE)
    except UnitFailed as error:
        return error.failure
    finally:
        await node.stop(0)
        catalog.close()


CREATE = """
    local source = "return { main = function(n: number) return n * 2 end }"
    local made = { id = "app:made", kind = "function.lua", meta = {}, data = { source = source } }
    local version = assert(registry.snapshot():changes():create(made):apply())
    return { version:id(), (funcs.call("app:made", 21)), registry.get("app:made").data.source == source }
"""


def test_what_lua_publishes_is_a_version_a_program_and_a_row_of_the_feed_that_says_who() -> None:
    assert run(CREATE) == [2, 42, True]
    version = Version.objects.get(number=2)
    assert (version.source, version.author, version.publisher) == ("lua", None, "Lua code")
    assert Program.objects.filter(entry_id="app:made", version=version).count() == 1
    event = FeedEvent.objects.filter(kind="PUBLISHED").latest("id")
    assert (event.entry_id, event.data["source"], event.data["created"]) == ("app:robot", "lua", ["app:made"])
    assert "app:robot|" in event.pid
    assert feed_text(event) == "registry version 2 by Lua code, 1 entry: by app:robot"


def test_versions_and_old_states_are_read_from_the_database() -> None:
    create(Entry("app:note", "registry.entry", {}, {"text": "old"}))
    update(Entry("app:note", "registry.entry", {}, {"text": "new"}))
    found = run("""
        local old = registry.snapshot_at(1)
        local numbers = {}
        for i, version in ipairs(registry.versions()) do numbers[i] = version:id() end
        local _, missing = registry.snapshot_at(9)
        local texts = { old:get("app:note").data.text, registry.get("app:note").data.text }
        return { texts, numbers, missing:kind(), #old:entries() }
    """)
    assert found == [["old", "new"], [1, 2, 3], "NotFound", 1]


def test_entries_are_found_in_the_order_of_their_ids() -> None:
    create(function("b"), function("d"))
    create(function("a"), function("c"))
    body = """
        local ids = {}
        for i, entry in ipairs(registry.find({ [".name"] = "?" , x = 1 })) do ids[i] = entry.id end
        for i, entry in ipairs(registry.find({ [".ns"] = "app" })) do ids[#ids + 1] = entry.id end
        return ids
    """
    assert run(body) == ["app:a", "app:b", "app:c", "app:d", "app:robot"]


def test_an_unsound_change_leaves_no_trace() -> None:
    failure = run("""
        return registry.snapshot():changes()
            :create({ id = "app:fine", kind = "registry.entry", data = {} })
            :create({ id = "app:broken", kind = "function.lua", data = { source = "x =\\n= 1" } }):apply()
    """)
    assert failure.kind == "Invalid" and "app:broken" in failure.message
    assert [(each["entry"], each["field"], each["line"]) for each in failure.details["problems"]] == [
        ("app:broken", "source", 2)
    ]
    assert Version.objects.count() == 1
    assert FeedEvent.objects.filter(kind="PUBLISHED").count() == 1


def test_lua_publishes_no_client_unless_a_setting_says_so(settings: Any) -> None:
    body = """
        local client = { id = "app:client", kind = "temporal.client", data = { address = "evil.example:7233" } }
        local version, err = registry.snapshot():changes():create(client):apply()
        return version and version:id(), err
    """
    failure = run(body)
    assert failure.kind == "PermissionDenied" and "app:client" in failure.message
    assert not Revision.objects.filter(kind="temporal.client").exists()
    settings.LUA_PUBLISHES = ("temporal.client",)
    assert run(body) == 2


def test_authors_publish_no_entries_that_open_the_environment_to_lua() -> None:
    ada = author("ada")
    storage = Entry("app:os", "env.storage.os")
    with pytest.raises(PermissionDenied):
        create(storage, user=ada)
    create(storage, Entry("app:memory", "env.storage.memory"))
    for name in ("os", "router"):
        with pytest.raises(PermissionDenied):
            create(
                Entry("app:router", "env.storage.router", {}, {"storages": ["os"]}),
                Entry("app:secret", "env.variable", {}, {"variable": "AWS_SECRET_ACCESS_KEY", "storage": name}),
                user=ada,
            )
    create(Entry("app:mode", "env.variable", {}, {"variable": "MODE", "storage": "memory"}), user=ada)


def test_a_change_of_what_somebody_else_changed_is_a_conflict_that_names_them() -> None:
    note = Entry("app:note", "registry.entry", {}, {"text": "old"})
    create(note)
    update(Entry("app:note", "registry.entry", {}, {"text": "by ada"}), user=author("ada"))
    body = """
        local note = { id = "app:note", kind = "registry.entry", data = { text = "by lua" } }
        return registry.snapshot_at(1):changes():update(note):apply()
    """
    failure = run(body)
    assert (failure.kind, failure.retryable, failure.details["entries"]) == ("Conflict", True, ["app:note"])
    assert "version 2 by ada" in failure.message
    assert registry.entry("app:note").data == {"text": "by ada"}


def test_of_lua_and_people_who_change_one_entry_at_once_one_wins() -> None:
    create(function("a"))
    people = [partial(update, function("a", f"return {n}"), base=1) for n in range(RIVALS // 2)]
    robots = [
        partial(registry.publish_from_lua, ROBOT, Changes(update=(function("a", f"return -{n}"),)), base=1)
        for n in range(1, RIVALS // 2 + 1)
    ]
    results = at_once([*people, *robots])
    assert sum(isinstance(each, Version) for each in results) == 1, results
    assert sum(isinstance(each, StaleBaseError) for each in results) == RIVALS - 1
    assert Revision.objects.filter(entry_id="app:a").count() == 2


def test_the_guard_looks_at_what_an_entry_was_as_well() -> None:
    create(Entry("app:client", "temporal.client", {}, {"address": "127.0.0.1:7233"}))
    for changes in (
        Changes(delete=("app:client",)),
        Changes(update=(Entry("app:client", "registry.entry", {}, {}),)),
    ):
        with pytest.raises(ForbiddenError, match="app:client"):
            registry.publish_from_lua(ROBOT, changes, base=1)


def test_on_a_worker_lua_reads_the_environment_but_none_of_the_console_s_secrets(
    server: Server,  # noqa: F811
    log: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", "of the console")
    monkeypatch.setenv("SHOP_MODE", "open")
    names = ("SHOP_MODE", "SECRET_KEY", "DATABASE_URL", "PGPASSWORD", "TEMPORAL_API_KEY")
    variables = [Entry(f"app:{n.lower()}", "env.variable", {}, {"variable": n, "storage": "os"}) for n in names]
    source = "return { main = function() return (require('env').get_all()) end }"
    create(Entry("app:os", "env.storage.os"), *variables, function("robot", source, modules=["env"]))
    with running_node(log):
        until(lambda: any(FLEET_QUEUE in node.task_queues for node in Node.objects.all()), log=log)
        assert processes.call(User(is_superuser=True), "app:robot", [], 60) == {"SHOP_MODE": "open"}


def test_on_a_worker_a_function_publishes_a_function_and_calls_it_at_once(server: Server, log: Path) -> None:  # noqa: F811
    hears = """
        local sub = require("events").subscribe("registry", "entry.*")
        assert(registry.snapshot():changes():update(registry.get("app:made")):delete("app:robot"):apply())
        local event = sub:channel():receive()
        return { event.kind, event.path }
    """
    listener = function("hears", f"return {{ main = function() {hears} end }}", modules=["registry", "events"])
    create(lua("robot", CREATE), listener)
    with running_node(log):
        until(lambda: any(FLEET_QUEUE in node.task_queues for node in Node.objects.all()), log=log)
        assert processes.call(User(is_superuser=True), "app:robot", [], 60) == [3, 42, True]
        assert processes.call(User(is_superuser=True), "app:hears", [], 60) == ["entry.delete", "app:robot"]


def test_a_restored_version_is_in_force_for_code_and_one_more_version_for_people() -> None:
    create(function("kept", "return 1"))
    body = """
        local before = registry.current_version()
        assert(registry.snapshot():changes():delete("app:kept"):apply())
        local after = registry.current_version():id()
        assert(registry.apply_version(before))
        local listed = registry.versions()
        local versions = {before:id(), after, registry.current_version():id(), listed[#listed]:id()}
        return {versions = versions, kept = registry.get("app:kept") ~= nil, next = before:next():id()}
    """
    told = run(body)
    before, after, current, last = told["versions"]
    assert (current, last) == (before, after) and told["kept"] and told["next"] == after
    row = Version.objects.get(number=after + 1)
    assert (row.restores, row.message) == (before, f"by app:robot: version {before} again")
