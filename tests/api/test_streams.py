"""The feed as server-sent events, over real HTTP: nothing is lost, whatever breaks in between."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from tests.console.serving import running_web
from tests.patience import PATIENCE
from wippy_console.api import streams
from wippy_console.models import AccessToken
from wippy_console.permissions import install_groups
from wippy_console.services import access_tokens, feed
from wippy_console.services.access_tokens import Limits

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def web(django_db_setup: None, django_db_blocker: Any) -> Iterator[int]:
    with django_db_blocker.unblock(), running_web() as (port, _):
        yield port


@pytest.fixture
def viewer(transactional_db: None) -> User:
    install_groups(Group, Permission)
    user = User.objects.create_user("vera")
    user.groups.add(Group.objects.get(name="viewer"))
    return user


def token_of(user: User, name: str = "tests") -> str:
    return access_tokens.make(user, user, name, Limits(per_minute=10_000))[1]


@dataclass
class Listener:
    """What a client of server-sent events keeps: the last id, and the events in order."""

    port: int
    token: str
    last: str = ""

    @contextmanager
    def opened(self, query: str = "", **headers: str) -> Iterator[httpx.Response]:
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        if self.last:
            sent["Last-Event-ID"] = self.last
        url = f"http://127.0.0.1:{self.port}/api/v1/feed/events{query}"
        with httpx.stream("GET", url, headers=sent, timeout=PATIENCE) as response:
            yield response

    def opened_within(self, stack: ExitStack) -> Iterator[dict[str, str]]:
        """Blocks of one that has begun, open as long as they are kept."""
        blocks = self.blocks(stack.enter_context(self.opened()))
        next(blocks)
        return blocks

    def blocks(self, response: httpx.Response) -> Iterator[dict[str, str]]:
        """The blocks of a stream, until it ends."""
        block: dict[str, str] = {}
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                block[name] = value
                continue
            self.last = block.get("id", self.last)
            yield block
            block = {}

    def events(self, response: httpx.Response) -> Iterator[dict[str, Any]]:
        """Those that have data."""
        for block in self.blocks(response):
            if "data" in block:
                told = json.loads(block["data"])
                assert (str(told["id"]), told["kind"]) == (block["id"], block["event"])
                yield told


def told(count: int, **data: Any) -> list[int]:
    drafts = [feed.draft(feed.STUCK, entry_id="app:flow", data={"reason": str(n), **data}) for n in range(count)]
    return [event.id for event in feed.append_all(drafts)]


def test_it_begins_now_and_says_where(web: int, viewer: User) -> None:
    told(3)
    listener = Listener(web, token_of(viewer))
    with listener.opened() as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        blocks = listener.blocks(response)
        assert next(blocks) == {"retry": "1000", "id": str(feed.head())}
        (number,) = told(1)
        block = next(blocks)
        assert (block["id"], block["event"], json.loads(block["data"])["data"]) == (
            str(number),
            "STUCK",
            {"reason": "0"},
        )


def test_500_events_come_once_each_though_connection_and_process_die(viewer: User) -> None:
    """Events are written all the while; every 40 the client leaves, and half way the web process is killed."""
    listener, seen = Listener(0, token_of(viewer)), list[int]()
    listener.last = str(feed.head())
    ids: list[int] = []

    def write() -> None:
        for _ in range(100):
            ids.extend(told(5))

    def take(most: int) -> None:
        with suppress(httpx.TransportError), listener.opened() as response:
            for number, event in enumerate(listener.events(response), 1):
                seen.append(event["id"])
                if number == most or len(seen) == 500:
                    return

    with running_web() as (listener.port, process):
        writer = threading.Thread(target=_closing(write))
        writer.start()
        while len(seen) < 200:
            take(40)
        killer = threading.Timer(0.05, process.send_signal, [signal.SIGKILL])
        killer.start()
        take(500)
        killer.join()
    with running_web() as (listener.port, process):
        while len(seen) < 500:
            take(40)
    writer.join()
    assert seen == ids


def _closing(function: Any) -> Any:
    def run() -> None:
        from django.db import connection

        try:
            function()
        finally:
            connection.close()

    return run


def test_filters_narrow_it_from_the_table_and_from_memory(web: int, viewer: User) -> None:
    before = feed.head()
    (old,) = told(1, user="ann")
    told(1, user="bob")
    listener = Listener(web, token_of(viewer))
    with listener.opened(f"?since={before}&user=ann&kind=STUCK&text=app:FLOW&entry=app:flow") as response:
        events = listener.events(response)
        assert next(events)["id"] == old
        told(1, user="bob")
        (new,) = told(1, user="ann")
        assert next(events)["id"] == new


@pytest.mark.parametrize("how", ["revoked", "expired", "right lost", "inactive"])
def test_it_ends_soon_after_what_lets_it_in(web: int, viewer: User, how: str) -> None:
    listener = Listener(web, token_of(viewer))
    with listener.opened() as response:
        blocks = listener.blocks(response)
        next(blocks)
        match how:
            case "revoked":
                access_tokens.revoke(viewer, AccessToken.objects.get().pk)
            case "expired":
                AccessToken.objects.update(expires_at=timezone.now())
            case "right lost":
                viewer.groups.clear()
            case "inactive":
                User.objects.update(is_active=False)
        assert list(blocks) == []
    with listener.opened() as response:
        assert response.status_code == (403 if how == "right lost" else 401)


def test_somebody_logged_in_listens_until_they_log_out(web: int, viewer: User) -> None:
    client = Client()
    client.force_login(viewer)
    listener = Listener(web, "")
    name = settings.SESSION_COOKIE_NAME
    cookie = f"{name}={client.cookies[name].value}"
    url = f"http://127.0.0.1:{web}/api/v1/feed/events"
    with httpx.stream("GET", url, headers={"Cookie": cookie}, timeout=PATIENCE) as response:
        assert response.status_code == 200
        blocks = listener.blocks(response)
        next(blocks)
        client.logout()
        assert list(blocks) == []


def test_a_restart_ends_it_in_order(viewer: User) -> None:
    listener = Listener(0, token_of(viewer))
    with running_web() as (listener.port, process), listener.opened() as response:
        blocks = listener.blocks(response)
        next(blocks)
        process.send_signal(signal.SIGTERM)
        assert list(blocks) == []


def test_a_caller_has_so_many_and_gets_others_when_those_end(web: int, viewer: User) -> None:
    listener = Listener(web, token_of(viewer))
    with ExitStack() as stack:
        kept = [listener.opened_within(stack) for _ in range(streams.MOST_OF_CALLER)]
        with listener.opened() as refused:
            assert refused.status_code == 429
            assert refused.headers["Retry-After"] == "5"
        other = Listener(web, token_of(viewer, "other"))
        with other.opened() as response:
            assert response.status_code == 200
    del kept
    while True:
        with listener.opened() as response:
            if response.status_code == 200:
                return


def test_open_streams_keep_no_threads(viewer: User) -> None:
    with running_web() as (port, process), ExitStack() as stack:
        listener = Listener(port, token_of(viewer))
        kept = [listener.opened_within(stack)]
        before = threads(process.pid)
        kept += [listener.opened_within(stack) for _ in range(streams.MOST_OF_CALLER - 1)]
        assert threads(process.pid) < before + len(kept) - 2


def threads(pid: int) -> int:
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Threads:"))


def test_an_id_of_another_database_is_refused_at_its_place(web: int, viewer: User) -> None:
    listener = Listener(web, token_of(viewer))
    for query, last, place in (("", "9999999", "/Last-Event-ID"), ("?since=9999999", "", "/since"), ("", "x", "")):
        listener.last = last
        with listener.opened(query) as response:
            assert response.status_code == 422
            assert json.loads(response.read())["errors"][0]["path"].startswith(place)


def test_one_that_sends_much_ends_and_is_gone_on_with(web: int, viewer: User) -> None:
    listener, seen = Listener(web, token_of(viewer)), list[int]()
    listener.last = str(feed.head())
    ids = told(60, state="x" * 100_000)
    while len(seen) < len(ids):
        with listener.opened() as response:
            got = [event["id"] for event in _first(listener.events(response), len(ids) - len(seen))]
            assert got
            seen += got
    assert seen == ids


def _first(events: Iterator[dict[str, Any]], most: int) -> Iterator[dict[str, Any]]:
    for _, event in zip(range(most), events, strict=False):
        yield event
