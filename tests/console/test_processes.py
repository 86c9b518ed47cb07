"""What people do to processes and services, by the console's pages and through a real node."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from engine.entry import Entry
from engine.errors import NOT_FOUND, TIMEOUT, Failure, UnitFailed
from tests.console.operating import Cast
from tests.console.registry_cast import create
from tests.console.test_worker import entries, publish, running_node, until
from wippy_console import permissions
from wippy_console.models import FeedEvent, Node, Process, Service
from wippy_console.services import processes, temporal
from wippy_console.services.errors import NotFoundError

ODD = "{node-1@app.a/b:h-1/../x|ü “q” 'a' #%25?&x=1;日本 %2F//}"
WAITS = "return { main = function() process.events():receive() end }"


# --- who may do what -------------------------------------------------------------------------------

SEE, OPERATE, WRITE = {"see"}, {"see", "spawn", "message", "cancel", "start", "stop", "restart"}, {"terminate"}
MATRIX = {
    "stranger": set[str](), "viewer": SEE, "operator": OPERATE, "approver": OPERATE, "author": OPERATE | WRITE,
    "administrator": OPERATE | WRITE, "root": OPERATE | WRITE,
}  # fmt: skip


@pytest.fixture
def service(cast: Cast) -> Service:
    create(Entry("app:h", "process.host", {}, {}), Entry("app:p", "process.lua", {}, {"source": WAITS}))
    now = timezone.now()
    node = Node.objects.create(id="node-1", hostname="h", os_pid=1, started_at=now, heartbeat_at=now)
    return Service.objects.create(node=node, entry_id="app:s", state="running", since=now)


def request_of(action: str, service: Service) -> tuple[str, dict[str, str]]:
    """Where an action is posted, and what; nothing of it exists in any node."""
    key, pid = str(uuid.uuid4()), "{gone@app:h|0x1}"
    match action:
        case "see":
            return reverse("processes"), {}
        case "spawn":
            return reverse("spawn"), {"key": key, "entry": "app:p", "host": "app:h"}
        case "message":
            return reverse("process_message", args=(pid,)), {"key": key, "topic": "t"}
        case "cancel" | "terminate":
            return reverse("process_end", args=(action, pid)), {"key": key, "reason": "r"}
    return reverse("service_move", args=(service.pk, action)), {"key": key}


@pytest.mark.parametrize("who", MATRIX)
@pytest.mark.parametrize("action", sorted(OPERATE | WRITE))
def test_each_role_may_do_what_its_group_allows(
    client: Client, cast: Cast, service: Service, who: str, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody_answers(act: Any) -> Any:
        raise NotFoundError("nobody")

    monkeypatch.setattr(processes.nodes, "ask", nobody_answers)
    client.force_login(getattr(cast, who))
    url, data = request_of(action, service)
    response = client.get(url) if action == "see" else client.post(url, data)
    assert (response.status_code == 403) == (action not in MATRIX[who])
    assert not FeedEvent.objects.filter(kind="OPERATION").exists()


@pytest.mark.parametrize(("kind", "status", "outcomes"), [(TIMEOUT, 503, ["unknown"]), (NOT_FOUND, 409, [])])
def test_a_node_that_dies_while_it_is_asked_leaves_open_what_became_of_it(
    client: Client,
    cast: Cast,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    status: int,
    outcomes: list[str],
) -> None:
    def fail(act: Any, timeout: float) -> Any:
        raise UnitFailed(Failure(kind, "as the server says", retryable=False))

    monkeypatch.setattr(processes.nodes, "_client", Mock)
    monkeypatch.setattr(temporal, "run", fail)
    client.force_login(cast.root)
    url, data = request_of("stop", service)
    answer = client.post(url, data)
    assert answer.status_code == status
    assert ("It is not known whether it was done" in answer.content.decode()) == (status == 503)
    assert [row.data["outcome"] for row in FeedEvent.objects.filter(kind="OPERATION")] == outcomes


def test_pages_offer_what_the_user_may_do(client: Client, cast: Cast, service: Service) -> None:
    Process.objects.create(
        node=service.node, pid="{node-1@app:h|0x1}", entry_id="app:p", host_id="app:h", kind="process", state="idle",
        started_at=timezone.now(),
    )  # fmt: skip
    words = {"viewer": (), "operator": ("Spawn a process", "Stop…", "Restart…"), "author": ("Spawn a process", "Stop…")}
    for who, offered in words.items():
        client.force_login(getattr(cast, who))
        text = client.get("/processes/").content.decode()
        assert "{node-1@app:h|0x1}" in text
        assert [word for word in ("Spawn a process", "Stop…", "Restart…") if word in text][: len(offered)] == [*offered]


def test_a_form_without_its_token_is_refused(cast: Cast, service: Service) -> None:
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(cast.root)
    for action in OPERATE | WRITE:
        url, data = request_of(action, service)
        assert action == "see" or guarded.post(url, data).status_code == 403


@pytest.mark.parametrize("pid", [ODD, "{n@h|x}", "{h|/}", "no pid at all", "{n@h|message/}", "{n@h|a/end/cancel}"])
def test_any_pid_has_an_address(pid: str) -> None:
    from urllib.parse import unquote

    for name, more in (("process", ()), ("process_message", ()), ("process_end", ("cancel",))):
        found = resolve(unquote(reverse(name, args=(*more, pid))))
        assert (found.url_name, found.kwargs["pid"]) == (name, pid)


def test_a_pid_of_nobody_is_not_found_and_bad_addresses_are_told(client: Client, cast: Cast) -> None:
    client.force_login(cast.root)
    for pid in (ODD, "nonsense"):
        assert client.get(reverse("process", args=(pid,))).status_code == 404
    for query in ("page=0", "page=x", "page=99999999999999999999", "q=" + "x" * 3000):
        assert client.get(f"/processes/?{query}").status_code == 422
    assert client.get("/processes/?node=a&host=b&under=c&full=1").status_code == 200
    assert client.get("/processes/services/999/stop/").status_code == 404
    assert client.get("/processes/services/999/explode/").status_code == 404


# --- through a node --------------------------------------------------------------------------------

LISTENS = """
return { main = function(order)
    process.registry.register("for " .. (order and order.city or "nobody"))
    local inbox, events = process.inbox(), process.events()
    local count = 0
    while true do
        local got = channel.select({ inbox:case_receive(), events:case_receive() })
        if got.channel == events then
            if got.value.kind == process.event.CANCEL then
                process.registry.register("stopping since " .. got.value.reason)
                inbox:receive()
                return
            end
        elseif got.value:topic() == "note" then
            count = count + 1
            process.registry.register(got.value:from() .. " noted " .. got.value.text .. " " .. count)
        end
    end
end }
"""
DEAF = "return { main = function() process.listen('never'):receive() end }"
SCHEMA = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string", "minLength": 1}}}


class Console:
    """An operator's browser, as far as it needs no JavaScript."""

    def __init__(self, user: User) -> None:
        self.client = Client()
        self.client.force_login(user)

    def post(self, name: str, /, *args: Any, key: str = "", **data: str) -> Any:
        return self.client.post(reverse(name, args=args), {"key": key or str(uuid.uuid4()), **data})

    def spawned(self, entry: str, **data: str) -> str:
        response = self.post("spawn", entry=entry, **data)
        assert response.status_code == 302, response.content.decode()
        return str(
            resolve(
                response.url.replace("%7B", "{").replace("%7D", "}").replace("%7C", "|").replace("%40", "@")
            ).kwargs["pid"]
        )

    def names(self, pid: str) -> list[str]:
        return list(processes.describe(User.objects.get(username="root"), pid).process.names)


@pytest.fixture
def console(transactional_db: None, temporal_address: str, tmp_path: Path) -> Iterator[Console]:
    """The console of a root user, with a node that runs."""
    permissions.install_groups(Group, Permission)
    temporal.reset()
    publish(
        *entries(temporal_address, f"queue-{uuid.uuid4().hex[:8]}"),
        Entry("app:small", "process.host", {}, {"host": {"queue_size": 3, "max_processes": 2}}),
        Entry("app:listens", "process.lua", {"input_schema": SCHEMA}, {"source": LISTENS}),
        Entry("app:deaf", "process.lua", {}, {"source": DEAF}),
        Entry("app:waits", "process.lua", {}, {"source": WAITS}),
        Entry("app:service", "process.service", {}, {"process": "waits", "host": "processes", "lifecycle": {}}),
    )
    with running_node(tmp_path / "node.log"):
        until(lambda: Service.objects.filter(entry_id="app:client", state="running").exists())
        yield Console(User.objects.create_superuser("root"))
    temporal.reset()


def told(action: str) -> list[dict[str, Any]]:
    rows = FeedEvent.objects.filter(kind="OPERATION").order_by("id")
    return [{"pid": row.pid, "entry": row.entry_id, **row.data} for row in rows if row.data["action"] == action]


@pytest.mark.django_db(transaction=True)
def test_what_people_do_to_processes_happens_once_and_is_told(console: Console) -> None:
    pid = console.spawned("app:listens", host="app:processes", name="Büro/“7”", **{"f-city": "Zürich"})
    until(lambda: console.names(pid) == ["Büro/“7”", "for Zürich"])
    assert (
        told("spawn")[0] | {"args": [{"city": "Zürich"}], "name": "Büro/“7”", "user": "root", "pid": pid}
        == told("spawn")[0]
    )
    assert console.client.get(reverse("process", args=(pid,))).status_code == 200
    until(lambda: "Büro" in console.client.get("/processes/?q=büro/“7”").content.decode())

    key = str(uuid.uuid4())
    assert console.post("process_message", pid, key=key, topic="note", payload='{"text": "hi"}').status_code == 302
    assert console.post("process_message", pid, key=key, topic="note", payload='{"text": "hi"}').status_code == 409
    until(lambda: "user:root noted hi 1" in console.names(pid))
    assert [(row["topic"], row["payload"], row["user"]) for row in told("message")] == [
        ("note", {"text": "hi"}, "root")
    ]

    assert console.post("process_end", "cancel", pid, reason="tea").status_code == 302
    until(lambda: "stopping since tea" in console.names(pid))
    assert "user:root noted hi 2" not in console.names(pid)
    assert console.post("process_end", "terminate", pid, reason="enough").status_code == 302
    page = reverse("process", args=(pid,))
    until(lambda: "The process has ended" in console.client.get(page).content.decode())
    assert Process.objects.get(pid=pid).state == "terminated"
    assert [row["reason"] for action in ("cancel", "terminate") for row in told(action)] == ["tea", "enough"]

    late = console.post("process_message", pid, topic="note")
    assert late.status_code == 409
    assert "not found" in late.content.decode()
    assert len(told("message")) == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_refused_keeps_the_draft_and_leaves_no_trace(console: Console) -> None:
    refused = console.post("spawn", entry="app:listens", host="app:processes", name="kept name")
    assert refused.status_code == 422
    assert "kept name" in refused.content.decode()
    broken = console.post("spawn", entry="app:deaf", host="app:small", args='{"no": "list"}')
    assert (broken.status_code, "JSON list" in broken.content.decode()) == (422, True)
    pid = console.spawned("app:deaf", host="app:small", args="[1, 2]")
    for topic, payload, wrong in (
        ("@x", "1", "does not begin with @"),
        ("t", "{bad", "no JSON"),
        ("", "1", "required"),
    ):
        answer = console.post("process_message", pid, topic=topic, payload=payload)
        assert (answer.status_code, wrong in answer.content.decode()) == (422, True)
        assert payload.replace('"', "&quot;") in answer.content.decode()
    assert console.post("process_end", "terminate", pid, reason=" ").status_code == 422
    for _ in range(3):
        assert console.post("process_message", pid, topic="t", payload="1").status_code == 302
    full = console.post("process_message", pid, topic="t", payload='{"kept": 1}')
    assert (full.status_code, "is full (3 messages)" in full.content.decode()) == (422, True)
    console.spawned("app:deaf", host="app:small")
    over = console.post("spawn", entry="app:deaf", host="app:small")
    assert (over.status_code, "is full (2 processes)" in over.content.decode()) == (422, True)
    rows = FeedEvent.objects.filter(kind="OPERATION").order_by("id")
    assert [row.data["action"] for row in rows] == ["spawn", "message", "message", "message", "spawn"]
    page = until(
        lambda: "1 process, host full" in (text := console.client.get("/processes/").content.decode()) and text
    )
    assert "1 message, mailbox full" in page
    until(lambda: Process.objects.filter(pid=pid, mailbox=3, mailbox_limit=3).exists())
    assert '<span class="tag warn">full</span>' in console.client.get("/processes/?full=1").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_service_is_started_restarted_and_stopped_by_hand(console: Console) -> None:
    service = until(lambda: Service.objects.filter(entry_id="app:service").first())
    assert service.state == "unknown"

    def running() -> str:
        return (
            Service.objects.filter(entry_id="app:service", state="running").values_list("pid", flat=True).first() or ""
        )

    assert console.post("service_move", service.pk, "start").status_code == 302
    first = until(running)
    assert processes.describe(User.objects.get(username="root"), first).service == "app:service"
    assert console.post("service_move", service.pk, "restart").status_code == 302
    until(lambda: running() not in ("", first))
    assert console.post("service_move", service.pk, "stop").status_code == 302
    until(lambda: Service.objects.filter(entry_id="app:service", state="stopped").exists())
    worker = Service.objects.get(entry_id="app:worker")
    assert console.post("service_move", worker.pk, "stop").status_code == 409
    assert [(row["entry"], row["user"]) for act in ("start", "restart", "stop") for row in told(act)] == [
        ("app:service", "root")
    ] * 3
