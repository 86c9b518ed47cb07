"""A receiver of subscriptions, over real HTTP, and events for it."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from tests.patience import PATIENCE
from wippy_console.models import Subscription
from wippy_console.services import access_tokens, feed, subscriptions
from wippy_console.services.access_tokens import Limits
from wippy_console.services.subscriptions import Fields, Made


class Receiver(ThreadingHTTPServer):
    """Takes what is posted, and answers with the next of `answers`, then with 204; waits for `gate` before."""

    daemon_threads = True

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.during: Callable[[], object] = lambda: None
        self.gate = threading.Event()
        self.gate.set()
        super().__init__(("127.0.0.1", 0), _Taking)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    @property
    def posts(self) -> list[dict[str, Any]]:
        """What came, in order."""
        return [json.loads(body) for _, body in list(self.taken)]

    @property
    def ids(self) -> list[int]:
        """The ids of all events that came, in order."""
        return [event["id"] for post in self.posts for event in post["events"]]


class _Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((dict(self.headers), body))
        try:
            self.server.during()
        finally:
            connection.close()  # of this thread
        self.server.gate.wait(PATIENCE)
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.send_header("Location", f"{self.server.url}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


def is_signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """As a receiver checks it."""
    signed = hmac.new(secret.encode(), headers["Wippy-Timestamp"].encode() + b"." + body, hashlib.sha256)
    return hmac.compare_digest(headers["Wippy-Signature"], f"v1={signed.hexdigest()}")


def subscribed(
    owner: User, url: str, cursor: int | None = None, *, limits: Limits | None = None, name: str = "", **filters: Any
) -> Made:
    """A subscription by a new token of the owner's."""
    name = name or f"s{Subscription.objects.count()}"
    token, _ = access_tokens.make(owner, owner, f"token of {name}", limits or Limits())
    return subscriptions.make(owner, token, Fields(name, url, **filters), cursor)


def told(count: int, entry: str = "app:flow", kind: str = feed.STUCK, **data: Any) -> list[int]:
    """The ids of new events."""
    drafts = [feed.draft(kind, entry_id=entry, data={"reason": f"number {n}", **data}) for n in range(count)]
    return [event.id for event in feed.append_all(drafts)]


def sent() -> list[int]:
    """What a worker does in a second, without its threads: the keys of those that had something to send."""
    from wippy_console.services.subscriptions import sending, sorting

    found = sorting.due(())
    for number in found:
        while sending.turn(number):
            pass
    return found


def tried_again(row: Subscription) -> Subscription:
    """When its pause is over."""
    from django.utils import timezone

    Subscription.objects.filter(pk=row.pk).update(next_at=timezone.now())
    sent()
    return fresh(row)


def fresh(row: Subscription) -> Subscription:
    """As it is now."""
    return Subscription.objects.get(pk=row.pk)
