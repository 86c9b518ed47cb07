"""A node with several clients: one that fails says why and harms nobody, and the registry mends it at run time."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.entry import Entry
from tests.console.test_worker import Server, lines, log, open_question, publish, queue, running_node, server, until
from wippy_console.management.operations import operator
from wippy_console.models import Run, Service
from wippy_console.services import registry

__all__ = ["log", "queue", "server"]

pytestmark = pytest.mark.django_db(transaction=True)

TRIES = """
local logger = require("logger")
return { main = function()
    local pid, err = process.spawn("app:approval", "app:far", 1)
    if pid then logger:info("tried") else
        logger:info("tried", { kind = err:kind(), message = err:message(), again = err:retryable() })
    end
    process.events():receive()
end }
"""


def client(entry_id: str, address: str, **data: object) -> Entry:
    return Entry(entry_id, "temporal.client", {}, {"address": address, "connection_timeout": "2s", **data})


def change(**changes: tuple[Entry, ...] | tuple[str, ...]) -> None:
    registry.publish(operator(), registry.Changes(**changes), base=None, message="test")  # type: ignore[arg-type]


def row(entry_id: str) -> Service | None:
    return Service.objects.filter(entry_id=entry_id).first()


def test_a_client_that_fails_says_why_and_is_mended_by_a_new_version(server: Server, log: Path) -> None:
    far = f"{server.queue}-far"
    publish(
        client("app:bad", "127.0.0.1:1"),
        Entry("app:far", "temporal.worker", {}, {"client": "app:bad", "task_queue": far}),
        Entry("app:tries", "process.lua", {}, {"source": TRIES, "method": "main", "modules": ["logger"]}),
        Entry(
            "app:trying",
            "process.service",
            {},
            {"process": "app:tries", "host": "app:processes", "lifecycle": {"auto_start": True}},
        ),
    )
    with running_node(log):
        run_id = server.start("of-the-good-client")
        until(lambda: open_question(run_id), log=log)
        (tried,) = until(lambda: lines(log, "tried"), log=log)
        assert (tried["fields"]["kind"], tried["fields"]["again"]) == ("Unavailable", True)
        assert "worker 'app:far' does not run" in tried["fields"]["message"]

        def says_why() -> bool:
            found = row("app:far")
            return found is not None and found.state == "failed" and "127.0.0.1:1 refuses the connection" in found.error

        until(says_why, log=log)
        change(update=(client("app:bad", server.address),))
        until(lambda: (found := row("app:far")) and found.state == "running", log=log)
        mended = Server(server.address, far).start("of-the-mended-client")
        until(lambda: open_question(mended), log=log)
        assert Run.objects.get(pk=mended).worker == "app:far"
        change(delete=("app:far", "app:bad"))
        until(lambda: row("app:far") is None, log=log)
        server.approve("of-the-good-client")
        until(lambda: Run.objects.filter(pk=run_id, status="completed").exists(), log=log)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"tls": {"enabled": True, "ca_file": "/no/such/ca.pem"}}, "/no/such/ca.pem"),
        ({"tls": {"enabled": True, "insecure_skip_verify": True}}, "insecure_skip_verify is not supported"),
        ({"auth": {"type": "api_key", "api_key_env": "NOT_SET"}}, "wants an API key and has none"),
    ],
)
def test_settings_that_can_not_be_used_are_told_in_the_row(
    server: Server, log: Path, data: dict[str, object], reason: str
) -> None:
    publish(
        client("app:bad", server.address, **data),
        Entry("app:far", "temporal.worker", {}, {"client": "app:bad", "task_queue": f"{server.queue}-far"}),
    )
    with running_node(log):

        def says_why() -> bool:
            found = row("app:far")
            return found is not None and reason in found.error

        until(says_why, log=log)
        assert until(lambda: row("app:worker"), log=log)
