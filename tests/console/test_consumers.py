"""The live feed over real sockets: Daphne in a process of its own, a real WebSocket client."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.console.serving import running_web
from tests.patience import PATIENCE
from wippy_console.models import FeedEvent, Grant, Run
from wippy_console.services import feed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def web(django_db_setup: None, django_db_blocker: Any) -> Iterator[int]:
    with django_db_blocker.unblock(), running_web() as (port, _):
        yield port


@pytest.fixture
def viewer() -> Client:
    return signed_in("vera", "viewer")


def signed_in(name: str, *groups: str) -> Client:
    user = User.objects.create_user(name)
    for group in groups:
        user.groups.add(Group.objects.get_or_create(name=group)[0])
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def groups_exist(transactional_db: None) -> None:
    """A transactional test begins with empty tables; the migration's groups are made again."""
    from django.contrib.auth.models import Permission

    from wippy_console.permissions import install_groups

    install_groups(Group, Permission)


def socket(port: int, client: Client | None, query: str = "", origin: str = "") -> ClientConnection:
    headers = {}
    if client is not None:
        headers["Cookie"] = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    url = f"ws://127.0.0.1:{port}/ws/feed/{query}"
    here = Origin(origin or f"http://127.0.0.1:{port}")
    return connect(url, origin=here, additional_headers=headers)


def receive(connection: ClientConnection, seconds: float = PATIENCE) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(connection.recv(timeout=seconds))
    return message


def collect(connection: ClientConnection, wanted: int) -> list[dict[str, Any]]:
    """Take `wanted` events, acknowledging each chunk."""
    events: list[dict[str, Any]] = []
    while len(events) < wanted:
        message = receive(connection)
        assert len(message.get("events", [])) <= 100
        events += message.get("events", [])
        connection.send(json.dumps({"ack": message.get("cursor", 0)}))
    return events


def closed_with(connection: ClientConnection, seconds: float = PATIENCE) -> int | None:
    """The code; what comes before the close is dropped."""
    with suppress(ConnectionClosed):
        while True:
            receive(connection, seconds)
    return connection.close_code


def test_an_event_arrives_with_its_fields(web: int, viewer: Client) -> None:
    with socket(web, viewer) as live:
        assert receive(live) == {"events": [], "cursor": feed.head(), "reset": False}
        row = feed.append(feed.NODE, node="n1", data={"state": "up"})
        (event,) = collect(live, 1)
    assert (event["id"], event["kind"], event["node"], event["data"]) == (row.id, "NODE", "n1", {"state": "up"})
    assert {"run_id", "workflow_id", "entry_id", "pid", "at", "html"} <= set(event)


@pytest.mark.parametrize("said", ["[" * 500, "[" * 900_000, "{", "1" * 5000], ids=["deep", "long", "broken", "digits"])
def test_what_is_no_short_json_closes_the_socket(web: int, viewer: Client, said: str) -> None:
    with socket(web, viewer) as live:
        receive(live)
        live.send(said)
        assert closed_with(live) == 4400


def test_500_events_while_cut_are_neither_lost_nor_doubled(web: int, viewer: Client) -> None:
    with socket(web, viewer) as live:
        receive(live)
        feed.append(feed.NODE, node="before")
        (before,) = collect(live, 1)
    for number in range(500):
        feed.append(feed.NODE, node=str(number))
    with socket(web, viewer, f"?since={before['id']}") as live:
        events = collect(live, 500)
        last = feed.append(feed.NODE, node="after")
        events += collect(live, 1)
    ids = [event["id"] for event in events]
    assert ids == list(FeedEvent.objects.filter(id__gt=before["id"]).order_by("id").values_list("id", flat=True))
    assert ids[-1] == last.id


def test_the_next_chunk_waits_for_the_acknowledgement(web: int, viewer: Client) -> None:
    start = feed.head()
    feed.append_all([feed.draft(feed.NODE) for _ in range(250)])
    with socket(web, viewer, f"?since={start}") as live:
        first = receive(live)
        assert len(first["events"]) == 100
        with pytest.raises(TimeoutError):
            receive(live, 0.5)
        live.send(json.dumps({"ack": first["cursor"]}))
        assert receive(live)["events"][0]["id"] > first["cursor"]


def test_a_filter_by_run_and_kind_holds(web: int, viewer: Client) -> None:
    run = a_run("r1")
    with socket(web, viewer, "?run=r1&kinds=EXIT,STARTED&since=0") as live:
        feed.append(feed.NODE)
        feed.append(feed.STARTED)
        feed.append(feed.WAITING, run=run)
        feed.append(feed.STARTED, run=run)
        (event,) = collect(live, 1)
    assert (event["kind"], event["run_id"]) == ("STARTED", "r1")


def test_the_growth_of_a_watched_run_is_hinted(web: int, viewer: Client) -> None:
    run = a_run("r2")
    with socket(web, viewer, "?run=r2&since=0") as live:
        assert receive(live)["run"] == {"run_id": "r2", "history_length": 0, "status": "running"}
        Run.objects.filter(pk=run.pk).update(history_length=9)
        hints = [receive(live)["run"]]
        while hints[-1]["history_length"] != 9:
            hints.append(receive(live)["run"])


def test_a_run_can_be_watched_beside_the_whole_feed(web: int, viewer: Client) -> None:
    run = a_run("r3")
    with socket(web, viewer, "?watch=r3&since=0") as live:
        assert receive(live)["run"]["run_id"] == "r3"
        feed.append(feed.NODE, node="other")
        collect(live, 1)
        Run.objects.filter(pk=run.pk).update(history_length=3)
        while receive(live).get("run", {}).get("history_length") != 3:
            pass


def test_a_cursor_of_another_database_is_reset(web: int, viewer: Client) -> None:
    with socket(web, viewer, "?since=999999999") as live:
        assert receive(live) == {"events": [], "cursor": feed.head(), "reset": True}


def test_logout_closes_the_socket_before_the_next_event(web: int, viewer: Client) -> None:
    with socket(web, viewer) as live:
        receive(live)
        viewer.logout()
        feed.append(feed.NODE, node="secret")
        assert closed_with(live) == 4401


def test_logout_closes_a_silent_socket_too(web: int, viewer: Client) -> None:
    with socket(web, viewer) as live:
        receive(live)
        viewer.logout()
        assert closed_with(live) == 4401


def test_a_lost_right_closes_the_socket_before_the_next_event(web: int, viewer: Client) -> None:
    with socket(web, viewer) as live:
        receive(live)
        User.objects.get(username="vera").groups.clear()
        feed.append(feed.NODE, node="secret")
        assert closed_with(live) == 4403


def test_a_stranger_learns_nothing(web: int) -> None:
    feed.append(feed.NODE)
    with socket(web, signed_in("sam"), "?since=0") as live:
        assert closed_with(live) == 4403
    with socket(web, None, "?since=0") as live:
        assert closed_with(live) == 4401


def test_a_page_of_another_origin_is_refused(web: int, viewer: Client) -> None:
    with pytest.raises(InvalidStatus) as caught:
        socket(web, viewer, origin="http://evil.example")
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize("query", ["?since=-1", "?since=x", f"?since={10**30}"])
def test_a_senseless_cursor_is_refused(web: int, viewer: Client, query: str) -> None:
    with socket(web, viewer, query) as live:
        assert closed_with(live) == 4400


def test_text_that_is_no_json_closes_the_socket(web: int, viewer: Client) -> None:
    with socket(web, viewer) as live:
        live.send("hello")
        assert closed_with(live) == 4400


def test_a_restart_tells_sockets_to_come_back(viewer: Client) -> None:
    with running_web() as (port, process), socket(port, viewer) as live:
        receive(live)
        process.send_signal(signal.SIGTERM)
        assert closed_with(live) == 4012


def test_clients_that_do_not_read_cost_no_memory(web: int, viewer: Client) -> None:
    """5,000 events of 2 KB for ten sockets that never acknowledge."""
    with running_web() as (port, process), ExitStack() as stack:
        sockets = [stack.enter_context(socket(port, viewer)) for _ in range(10)]
        for each in sockets:
            receive(each)
        before = resident(process)
        text = "x" * 2000
        for _ in range(10):
            feed.append_all([feed.draft(feed.NODE, data={"state": text}) for _ in range(500)])
        with socket(port, viewer, f"?since={feed.head() - 1}") as live:
            collect(live, 1)
        growth = resident(process) - before
    assert growth < 60_000_000


def resident(process: subprocess.Popen[bytes]) -> int:
    with open(f"/proc/{process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def a_run(run_id: str) -> Run:
    return Run.objects.create(
        run_id=run_id, workflow_id=f"wf-{run_id}", entry_id="app:flow", client="app:client", started_at=timezone.now()
    )


def test_each_hears_of_their_own_namespaces_alone(web: int, viewer: Client) -> None:
    narrow(viewer, "shop.*")
    for name in ("shop.eu", "vault"):
        Run.objects.create(
            run_id=name, workflow_id=name, entry_id=f"{name}:flow", namespace=name, started_at=timezone.now()
        )
    with socket(web, viewer, "?watch=vault") as live:
        assert receive(live)["events"] == []
        feed.append(feed.STARTED, run=Run.objects.get(pk="vault"), data={"parent_workflow_id": "hush"})
        Run.objects.filter(pk="vault").update(history_length=7)
        feed.append(feed.STARTED, run=Run.objects.get(pk="shop.eu"))
        (event,) = collect(live, 1)
        assert event["run_id"] == "shop.eu", "neither a row nor a hint of the other came before it"
        with transaction.atomic():  # read at once, by the rights of before
            Grant.objects.update(pattern="vault")
            feed.append(feed.SIGNAL, run=Run.objects.get(pk="shop.eu"))
            feed.append(feed.SIGNAL, run=Run.objects.get(pk="vault"))
        while not (message := receive(live)).get("events"):
            assert message["run"]["run_id"] == "vault"
        assert [each["run_id"] for each in message["events"]] == ["vault"]


def test_a_socket_closes_when_its_grants_name_the_feed_no_more(web: int, viewer: Client) -> None:
    narrow(viewer, "shop")
    with socket(web, viewer) as live:
        receive(live)
        Grant.objects.update(rights=["view_run"])
        feed.append(feed.NODE, node="n1")
        assert closed_with(live) == 4403


def narrow(client: Client, pattern: str) -> None:
    Grant.objects.create(group=Group.objects.get(name="viewer"), pattern=pattern)
