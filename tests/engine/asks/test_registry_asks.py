"""The registry module over a registry in memory; what Lua can see of it is in the conformance cases."""

from __future__ import annotations

from typing import Any

import pytest

from engine.asks.registry import RegistryAsks
from engine.entry import Entry
from engine.errors import Failure
from engine.memory.catalog import MemoryCatalog
from engine.memory.registry import MemoryRegistry
from engine.testing import Driver, program_of

NOTE = Entry("app:note", "registry.entry", {"tags": ["a", "b"], "options": {}}, {"text": "hi", "map": {}, "list": []})


def run(body: str, *entries: Entry, catalog: MemoryCatalog | None = None, allowed: tuple[str, ...] = ()) -> Any:
    """Run a function body over a registry that holds the entries; its value, or its Failure."""
    catalog = catalog or MemoryCatalog(entries)
    asks = RegistryAsks(MemoryRegistry(catalog, allowed=allowed)).handlers()
    source = f"local registry = require('registry')\nreturn {{ main = function()\n{body}\nend }}"
    driver = Driver.of_source(source, asks=asks)
    return getattr(driver.status, "value", None) if not hasattr(driver.status, "failure") else driver.failure


def test_an_entry_is_seen_as_id_kind_meta_and_data() -> None:
    assert run("return (registry.get('app:note'))", NOTE) == {
        "id": "app:note",
        "kind": "registry.entry",
        "meta": {"tags": ["a", "b"], "options": {}},
        "data": {"text": "hi", "map": {}, "list": []},
    }


def test_an_update_keeps_what_was_an_empty_map_a_map() -> None:
    catalog = MemoryCatalog([NOTE])
    body = """
        local snapshot = registry.snapshot()
        local entry = snapshot:get('app:note')
        entry.data.text = 'ho'
        return (snapshot:changes():update(entry):apply()):id()
    """
    assert run(body, catalog=catalog) == 2
    assert catalog.state(2)["app:note"] == Entry(
        "app:note", "registry.entry", NOTE.meta, {**NOTE.data, "text": "ho"}
    )  # fmt: skip


def test_a_snapshot_stays_what_it_was() -> None:
    body = """
        local before = registry.snapshot()
        before:changes():delete('app:note'):apply()
        local _, gone = registry.get('app:note')
        return {before:get('app:note').data.text, #before:entries(), #registry.snapshot():entries(), gone:kind()}
    """
    assert run(body, NOTE) == ["hi", 1, 0, "NotFound"]


def test_a_failing_change_changes_nothing_and_names_entry_field_and_line() -> None:
    catalog = MemoryCatalog([NOTE])
    body = """
        return registry.snapshot():changes()
            :create({id = 'app:fine', kind = 'registry.entry', data = {}})
            :create({id = 'app:broken', kind = 'function.lua', data = {source = 'local x = 1\\nreturn = 2'}})
            :apply()
    """
    failure = run(body, catalog=catalog)
    assert isinstance(failure, Failure) and failure.kind == "Invalid" and failure.retryable is False
    assert "app:broken" in failure.message and "source" in failure.message
    (problem,) = failure.details["problems"]
    assert (problem["entry"], problem["field"], problem["line"]) == ("app:broken", "source", 2)
    assert catalog.version() == 1


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("{id = 'app:c', kind = 'temporal.client', data = {address = 'x:1'}}", "app:c"),
        ("{id = 'app:s', kind = 'env.storage.os'}", "app:s"),
        ("{id = 'app:f', kind = 'env.storage.file', data = {file_path = 'a.env'}}", "app:f"),
        ("{id = 'app:v', kind = 'env.variable', data = {variable = 'V', storage = 'app:env'}}", "app:v"),
        ("{id = 'app:r', kind = 'env.storage.router', data = {storages = {'app:env'}}}", "app:r"),
        ("{id = 'app:p', kind = 'security.policy', data = {policy = {actions = '*', effect = 'allow'}}}", "app:p"),
        (
            "{id = 'app:srv', kind = 'process.service', data = {process = 'app:p', host = 'app:h',"
            " lifecycle = {security = {actor = {id = 'root'}}}}}",
            "app:srv",
        ),
    ],
)
def test_lua_code_gives_itself_neither_reach_nor_rights(entry: str, named: str) -> None:
    catalog = MemoryCatalog([Entry("app:env", "env.storage.os")])
    failure = run(f"return registry.snapshot():changes():create({entry}):apply()", catalog=catalog)
    assert isinstance(failure, Failure) and failure.kind == "PermissionDenied", failure
    assert failure.details["entries"] == [named]
    assert catalog.version() == 1


def test_what_is_allowed_by_kind_may_be_published() -> None:
    body = "return registry.snapshot():changes():create({id = 'app:s', kind = 'env.storage.os'}):apply():id()"
    assert run(body, NOTE, allowed=("env.storage.os",)) == 2


def test_neither_deleting_nor_replacing_gets_around_the_guard() -> None:
    catalog = MemoryCatalog([Entry("app:c", "temporal.client", {}, {"address": "x:1"})])
    for change in ("delete('app:c')", "update({id = 'app:c', kind = 'registry.entry', data = {}})"):
        failure = run(f"return registry.snapshot():changes():{change}:apply()", catalog=catalog)
        assert failure.kind == "PermissionDenied"


def test_two_that_change_one_entry_conflict_and_two_that_change_different_ones_do_not() -> None:
    catalog = MemoryCatalog([NOTE, Entry("app:other", "registry.entry")])
    body = """
        local snapshot = registry.snapshot()
        local function note(text) return {id = 'app:note', kind = 'registry.entry', data = {text = text}} end
        assert(snapshot:changes():update(note('first')):apply())
        local _, late = snapshot:changes():update(note('second')):apply()
        assert(snapshot:changes():delete('app:other'):apply())
        return {late:kind(), late:retryable(), late:details().entries, registry.get('app:note').data.text}
    """
    assert run(body, catalog=catalog) == ["Conflict", True, ["app:note"], "first"]


def test_a_slow_regular_expression_is_refused() -> None:  # it would take for ever without the bound
    entries = [Entry(f"app:e{n}", "registry.entry", {"text": "a" * 400}) for n in range(500)]
    failure = run("return registry.find({['~meta.text'] = '^(a+)+$!'})", *entries)
    assert failure.kind == "Invalid" and "filter" in failure.message


def test_a_workflow_that_lists_the_registry_does_not_start() -> None:
    driver = Driver(program_of("return {main = function() end}", "workflow", ("registry",)), "workflow")
    assert driver.failure.kind == "PermissionDenied"
    assert "registry" in driver.failure.message and "allowed class" in driver.failure.message


def test_an_earlier_version_is_in_force_again() -> None:
    catalog = MemoryCatalog([NOTE])
    body = """
        assert(registry.snapshot():changes():delete('app:note'):apply())
        assert(registry.apply_version(registry.current_version():previous()))
        return {registry.current_version():id(), registry.get('app:note').data.text, #registry.versions()}
    """
    assert run(body, catalog=catalog) == [1, "hi", 2]
    assert catalog.state(3) == catalog.state(1)


def test_the_next_change_after_a_restored_version_has_a_number_above_all() -> None:
    body = """
        assert(registry.snapshot():changes():delete('app:note'):apply())
        assert(registry.apply_version(1))
        local restored = registry.current_version()
        local made = assert(registry.snapshot():changes():create({id = 'app:more', kind = 'registry.entry'}):apply())
        assert(registry.apply_version(restored) and registry.apply_version(restored))
        local back = registry.current_version()
        return {
            restored:id(), restored:previous() == nil, restored:next():id(), made:id(), made:previous():id(),
            made:next() == nil, back == restored, registry.get('app:more') == nil, #registry.snapshot():entries(),
        }
    """
    assert run(body, catalog=MemoryCatalog([NOTE])) == [1, True, 2, 4, 2, True, True, True, 1]


def test_an_earlier_version_does_not_bring_guarded_entries_back() -> None:
    catalog = MemoryCatalog([Entry("app:c", "temporal.client", {}, {"address": "x:1"})])
    catalog.publish(delete=["app:c"])
    assert run("local _, err = registry.apply_version(1) return err:kind()", catalog=catalog) == "PermissionDenied"


def test_one_entry_twice_in_one_change_is_named() -> None:
    body = """
        local entry = {id = 'app:twice', kind = 'registry.entry'}
        return registry.snapshot():changes():create(entry):create(entry):apply()
    """
    failure = run(body, NOTE)
    assert failure.kind == "Invalid" and "app:twice" in failure.message and "twice" in failure.message


def test_an_entry_in_a_circle_is_invalid() -> None:
    body = """
        local entry = {id = 'app:circle', kind = 'registry.entry', data = {}}
        entry.data.self = entry
        return registry.snapshot():changes():create(entry):apply()
    """
    failure = run(body, NOTE)
    assert failure.kind == "Invalid" and "cyclic" in failure.message
