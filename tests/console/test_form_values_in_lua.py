"""What a form sent is what Lua has: through Temporal to a real node, and back as the run's result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from engine.entry import Entry
from tests.console.test_worker import Server, log, publish, queue, running_node, server, until
from wippy_console.forms.schema.values import same
from wippy_console.models import Run

__all__ = ["log", "queue", "server"]

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = {"type": "string", "maxLength": 500}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "large": {"type": "integer"}, "small": {"type": "integer"}, "tenth": {"type": "number"},
        "whole": {"type": "number"}, "tiny": {"type": "number"}, "far": {"type": "number"}, "a.b/c": TEXT, "text": TEXT,
        "at": {"type": "string", "format": "date-time"}, "list": {"type": "array", "items": {"type": "number"}},
        "none": {"type": ["string", "null"], "default": None},
    },
}  # fmt: skip
SOURCE = """
return { main = function(x)
    return { back = x, kind = math.type(x.large), sum = x.large + 1, next = x.small - 0 }
end }
"""
TYPED = {
    "f-large": str(2**63 - 2), "f-small": str(-(2**63)), "f-tenth": "0.1", "f-whole": "3544790567247868102",
    "f-tiny": "5e-324", "f-far": str(2**70), "f-a~2e~b/c": "x", "f-text": " ü\r\n\r\n ",
    "f-at": "2026-03-29T08:30:00+02:00", "f-list": "1\r\n0.5\r\n-7", "f-none:empty": "null",
}  # fmt: skip


def test_values_are_in_lua_what_they_were_in_the_form(server: Server, log: Path, client: Client) -> None:
    publish(Entry("app:echo", "workflow.lua", {"input_schema": SCHEMA}, {"source": SOURCE, "method": "main"}))
    client.force_login(User.objects.create_superuser("root"))
    with running_node(log):
        answer = client.post("/runs/start/", {**TYPED, "entry": "app:echo", "worker": "app:worker"})
        assert answer.status_code == 302, answer.content.decode()
        run = until(lambda: Run.objects.filter(entry_id="app:echo", status="completed").first(), log=log)
    sent = {
        "large": 2**63 - 2, "small": -(2**63), "tenth": 0.1, "whole": 3544790567247868102, "tiny": 5e-324,
        "a.b/c": "x", "text": " ü\n\n ", "at": "2026-03-29T08:30:00+02:00", "list": [1, 0.5, -7],
    }  # fmt: skip
    assert same(run.input[0], {**sent, "far": 2**70, "none": None})
    back = run.result["back"]
    assert back.pop("far") == 2**70
    assert same({name: back[name] for name in sent}, sent)
    assert run.result["kind"] == "integer"
    assert run.result["sum"] == 2**63 - 1
