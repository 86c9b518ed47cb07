"""A mail server, a receiver of webhooks, and people with addresses: what tests of notifications need."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.contrib.auth.models import User

from tests.console.test_questions import asked, person
from tests.patience import PATIENCE
from wippy_console.models import Notification, NotificationPreference, Question


def reachable(name: str, *groups: str) -> User:
    user = person(name, *groups)
    user.email = f"{name}@example.org"
    user.save()
    return user


def wishes(user: User, *methods: str, kinds: tuple[str, ...] = ("asked",), **more: str) -> NotificationPreference:
    chosen = {kind: list(methods) for kind in kinds}
    return NotificationPreference.objects.create(user=user, chosen=chosen, **more)


def told() -> list[tuple[str, str, str]]:
    return [(row.kind, row.method, row.address) for row in Notification.objects.order_by("address", "method", "kind")]


def ask(name: str = "q1", *roles: str, **notify: Any) -> Question:
    made = asked(name, *(roles or ("",)))
    made.options = {"notify": notify}
    made.signals = [{"topic": "decision", "label": "Approve"}]
    made.title = "Pay 7 €?"
    made.save()
    return made


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server of a few verbs."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.refusing = False
        super().__init__(("127.0.0.1", 0), _Session)


class _Session(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline():
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                self.take()
            elif verb == b"RCPT" and self.server.refusing:
                self.say("451 not now")
            else:
                self.say("221 bye" if verb == b"QUIT" else "250 ok")

    def take(self) -> None:
        self.say("354 go on")
        lines = list(iter(self.rfile.readline, b".\r\n"))
        self.server.mails.append(email.message_from_bytes(b"".join(lines), policy=default))
        self.say("250 taken")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def running(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


class Hook(ThreadingHTTPServer):
    """Takes what is posted and answers with a status."""

    daemon_threads = True

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        super().__init__(("127.0.0.1", 0), _Taking)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Taking(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", f"http://{self.server.place}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass
