"""What the tests of `/hooks/` play on: a web process, a node and Temporal, all real, for a whole module."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from django.core.management import call_command
from django.db import connection

from engine.entry import Entry
from tests.console.serving import environment, wait_for_port
from tests.console.test_worker import MANAGE, entries, publish, running_node, until
from tests.patience import PATIENCE
from tests.ports import free_port
from wippy_console.models import Delivery, Service
from wippy_console.services import temporal

SECRET = "a secret of the tests"
SCHEMA = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


@dataclass
class Hooks:
    """The processes, and requests to them."""

    port: int = 0
    web: Any = None
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=PATIENCE, trust_env=False))

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/hooks{path}"

    def send(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return self.client.request(method, self.url(path), **rest)

    def post(self, path: str, **rest: Any) -> httpx.Response:
        return self.send("POST", path, **rest)

    def stream(self, method: str, path: str, **rest: Any) -> Any:
        return self.client.stream(method, self.url(path), **rest)


@contextmanager
def running_web(**variables: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A web process as the product starts it; yields its port and process."""
    port = free_port()
    with subprocess.Popen([sys.executable, str(MANAGE), "web"], env=environment(PORT=str(port), **variables)) as web:
        try:
            wait_for_port(port, web)
            yield port, web
        finally:
            web.kill()


def endpoint(name: str, path: str, method: str = "POST", **data: Any) -> Entry:
    """One below the router `app:router`, open to all unless it says otherwise."""
    given = {"method": method, "path": path, "func": f"app:{name}", "auth": "none", **data}
    return Entry(f"app:{name}.endpoint", "http.endpoint", {"router": "app:router"}, given)


def function(name: str, source: str, *modules: str) -> Entry:
    """A handler; `source` is the body of its function."""
    text = f'local http = require("http")\n{"".join(f"local {m} = require({m!r})" + chr(10) for m in modules)}'
    text += f"return {{ main = function()\nlocal req, res = http.request(), http.response()\n{source}\nend }}"
    return Entry(f"app:{name}", "function.lua", {}, {"source": text, "modules": ["http", *modules]})


def router(**data: Any) -> Entry:
    return Entry("app:router", "http.router", {}, {"prefix": "/t", **data})


@contextmanager
def served(address: str, folder: Path, *more: Entry, with_node: bool = True) -> Iterator[Hooks]:
    """Publish entries, and run what serves them."""
    temporal.reset()
    publish(*entries(address, f"queue-{uuid.uuid4().hex[:8]}"), *more)
    hooks = Hooks()
    with ExitStack() as stack:
        stack.enter_context(hooks.client)
        hooks.port, hooks.web = stack.enter_context(running_web())
        if with_node:
            stack.enter_context(working(folder))
        yield hooks
    temporal.reset()


@contextmanager
def working(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A node that takes requests."""
    with running_node(folder / "node.log") as node:
        ours = {"node__os_pid": node.pid, "entry_id": "app:client", "state": "running"}
        until(lambda: Service.objects.filter(**ours).exists(), log=folder / "node.log")
        yield node


def forget() -> None:
    """Empty the database, as each test of its own does."""
    call_command("flush", verbosity=0, interactive=False)
    connection.close()


def last() -> Delivery:
    """The newest row."""
    return Delivery.objects.order_by("received_at").last() or Delivery()


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """What a refusal tells; it looks as all of them do."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == status
    assert told["title"] and told["detail"]
    assert "Traceback" not in response.text
    return told
