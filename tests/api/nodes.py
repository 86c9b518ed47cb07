"""A real node behind the API: functions, processes and a service, on a Temporal of the tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.entry import Entry
from tests.console.operating import Cast, make_cast
from tests.console.test_worker import entries, publish, running_node, until
from wippy_console.models import Service
from wippy_console.services import temporal

SCHEMA = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string", "minLength": 1}}}
MASKED = {"mask": ["secret"]}

TELLS = "return { main = function(given) return given end }"
FAILS = """
local errors = require("errors")
return { main = function(kind)
    if kind == "raise" then error("it broke") end
    local details = { secret = "hidden-away" }
    return nil, errors.new({ message = "not today", kind = kind, retryable = true, details = details })
end }
"""
LISTENS = """
return { main = function()
    local inbox, events = process.inbox(), process.events()
    while true do
        local got = channel.select({ inbox:case_receive(), events:case_receive() })
        if got.channel == events then return "stopped" end
        process.registry.register(got.value:topic() .. " " .. tostring(got.value:payload():data()))
    end
end }
"""
WAITS = "return { main = function() process.events():receive() end }"


@contextmanager
def node(address: str, folder: Path) -> Iterator[Cast]:
    """People, entries, and a node that serves them."""
    cast = make_cast()
    temporal.reset()
    publish(
        *entries(address, f"queue-{uuid.uuid4().hex[:8]}"),
        Entry("app:tells", "function.lua", MASKED, {"source": TELLS}),
        Entry("app:asks", "function.lua", {"input_schema": SCHEMA}, {"source": TELLS}),
        Entry("app:fails", "function.lua", MASKED, {"source": FAILS, "modules": ["errors"]}),
        Entry("app:listens", "process.lua", {"input_schema": SCHEMA}, {"source": LISTENS}),
        Entry("app:waits", "process.lua", {}, {"source": WAITS}),
        Entry("app:service", "process.service", {}, {"process": "waits", "host": "processes", "lifecycle": {}}),
    )
    with running_node(folder / "node.log"):
        until(lambda: Service.objects.filter(entry_id="app:client", state="running").exists())
        yield cast
    temporal.reset()
