"""What policies let the registry, the environment and the bus do for Lua code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.asks.env import EnvAsks
from engine.asks.registry import RegistryAsks
from engine.asks.storages import Storages
from engine.entry import Entry
from engine.memory.catalog import MemoryCatalog
from engine.memory.registry import MemoryRegistry
from engine.security.context import Actor, Policy, Security
from engine.testing import Driver

ENTRIES = (
    Entry("app:open", "registry.entry"),
    Entry("secret:closed", "registry.entry"),
    Entry("app:v", "env.variable", {}, {"variable": "OPEN", "default": "1"}),
    Entry("app:w", "env.variable", {}, {"variable": "CLOSED", "default": "2"}),
)


def run(body: str, *policies: dict[str, Any]) -> Any:
    """Run a body as an actor under policies that allow; its value."""
    catalog = MemoryCatalog(ENTRIES)
    asks = {
        **RegistryAsks(MemoryRegistry(catalog)).handlers(),
        **EnvAsks(catalog, Storages(catalog, {}, Path("unused"))).handlers(),
    }
    scope = tuple(Policy(f"t:p{n}", {"effect": "allow", **each}) for n, each in enumerate(policies))
    return Driver.of_source(
        f"return {{ main = function()\n{body}\nend }}", asks=asks, security=Security(Actor("ada"), scope)
    ).value


def test_what_may_not_be_read_is_refused_by_id_and_left_out_of_what_is_found() -> None:
    body = """
        local _, err = registry.get("secret:closed")
        local snapshot = registry.snapshot()
        local ids = {}
        for i, entry in ipairs(snapshot:find({ [".kind"] = "registry.entry" })) do ids[i] = entry.id end
        return { err:kind(), ids, #snapshot:namespace("secret"), registry.get("app:open").id }
    """
    found = run(body, {"actions": "registry.get", "resources": "app:*"})
    assert found == ["PermissionDenied", ["app:open"], 0, "app:open"]


def test_publishing_takes_the_right_to_publish() -> None:
    body = """
        local changes = registry.snapshot():changes():create({ id = "app:new", kind = "registry.entry" })
        local _, err = changes:apply()
        local ok, refused = registry.apply_version(1)
        return { err and err:kind() or "fine", ok, refused and refused:kind() or "fine" }
    """
    assert run(body) == ["PermissionDenied", False, "PermissionDenied"]
    assert run(body, {"actions": ["registry.apply", "registry.apply_version"], "resources": "*"}) == [
        "fine",
        True,
        "fine",
    ]


def test_rights_go_by_the_name_of_a_variable_also_where_code_writes_its_id() -> None:
    body = """
        local function kind(name) local _, err = env.get(name) return err and err:kind() or "fine" end
        local _, set = env.set("OPEN", "x")
        return { kind("OPEN"), kind("app:v"), kind("CLOSED"), kind("app:w"), env.get_all(), set:kind() }
    """
    found = run(body, {"actions": "env.get", "resources": "OPEN"})
    assert found == ["fine", "fine", "PermissionDenied", "PermissionDenied", {"OPEN": "1"}, "PermissionDenied"]


def test_the_bus_asks_for_the_right_to_listen_and_to_send() -> None:
    body = """
        local _, listen = events.subscribe("orders.*")
        local _, send = events.send("orders", "k", "p")
        return { listen:kind(), send:kind() }
    """
    assert run(body) == ["PermissionDenied", "PermissionDenied"]
