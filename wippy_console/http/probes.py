"""`/healthz` and `/readyz`: for whoever starts, watches and balances processes; without log-in, sessions and hosts.

They are answered before Django: a process whose database is away lives, and says why it is not ready.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from wippy_console.live.tailer import tailer
from wippy_console.services import readiness
from wippy_console.services.readiness import OK, Readiness

LATE_SECONDS = 10.0
METHODS = ("GET", "HEAD")

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Answer = tuple[int, str, bytes]
"""Status, content type, body."""


class Probes:
    """Answers the probes; all else is the application's."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._readiness = Readiness(tail)
        self._answers = {"/healthz": alive, "/readyz": self._ready}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        answered = self._answers.get(scope["path"]) if scope["type"] == "http" else None
        if answered is None:
            await self._application(scope, receive, send)
        elif scope["method"] in METHODS:
            await answer(send, await answered(), empty=scope["method"] == "HEAD")
        else:
            await answer(send, (405, "text/plain", b"GET or HEAD\n"), empty=False)

    async def _ready(self) -> Answer:
        return ready(await self._readiness.look())


async def alive() -> Answer:
    """This process answers."""
    return 200, "text/plain", b"ok\n"


def ready(found: readiness.Found) -> Answer:
    """200 or 503, and each thing that was looked at."""
    return 200 if readiness.is_ready(found) else 503, "application/json", json.dumps(found).encode()


def tail() -> str:
    """Whether the reader of the feed keeps up; it only reads while somebody listens."""
    return OK if (tailer.silent_seconds() or 0) < LATE_SECONDS else "can't be read"


async def answer(send: Send, given: Answer, *, empty: bool) -> None:
    """Send it whole, to be kept by nobody."""
    status, kind, body = given
    headers = {"content-type": kind, "content-length": str(len(body)), "cache-control": "no-store"}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if empty else body})
