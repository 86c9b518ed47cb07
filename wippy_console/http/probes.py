"""`/healthz`, `/readyz` and `/metrics`: for whoever starts, watches and balances processes; without log-in or hosts.

They are answered before Django: a process whose database is away lives, and says why it is not ready.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prometheus_client import Histogram
from prometheus_client.metrics_core import Metric

from wippy_console.live.shutdown import open_sockets
from wippy_console.live.tailer import tailer
from wippy_console.services.monitoring import OK, Answer, Collected, Installation, Readiness, answers, gauge, of_process

LATE_SECONDS = 10.0
METHODS = ("GET", "HEAD")

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Probes:
    """Answers the probes; all else is the application's, whose answers are counted."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._readiness = Readiness(tail)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._figures = of_process()
        self._figures.register(Collected(live))
        self._figures.register(Installation())
        help = "Time until an answer to a request began"
        self._times = Histogram("wippy_http_request_seconds", help, ["status"], registry=self._figures)
        self._answers = {"/healthz": self._alive, "/readyz": self._ready, "/metrics": self._metrics}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        answered = self._answers.get(scope["path"])
        if answered is None:
            await self._application(scope, receive, self._timed(send))
        elif scope["method"] in METHODS:
            await answer(send, await answered(scope), empty=scope["method"] == "HEAD")
        else:
            await answer(send, answers.WRONG_METHOD, empty=False)

    def _timed(self, send: Send) -> Send:
        began = time.perf_counter()

        async def timed(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._times.labels(str(message["status"])).observe(time.perf_counter() - began)
            await send(message)

        return timed

    async def _alive(self, _scope: Scope) -> Answer:
        return answers.ALIVE

    async def _ready(self, _scope: Scope) -> Answer:
        return answers.ready(await self._readiness.look())

    async def _metrics(self, scope: Scope) -> Answer:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if refused := answers.refusal(given.decode("latin-1")):
            return refused
        return await asyncio.get_running_loop().run_in_executor(self._thread, answers.figures, self._figures)


def tail() -> str:
    """Whether the reader of the feed keeps up; it only reads while somebody listens."""
    return OK if (tailer.silent_seconds() or 0) < LATE_SECONDS else "can't be read"


def live() -> Iterator[Metric]:
    """Figures of sockets, and of the reader that serves them."""
    yield gauge("wippy_sockets", "Sockets that are open", (), [((), len(open_sockets))])
    lag = "For how long the feed was not read; 0 while nobody listens"
    yield gauge("wippy_feed_lag_seconds", lag, (), [((), tailer.silent_seconds() or 0)])


async def answer(send: Send, given: Answer, *, empty: bool) -> None:
    """Send it whole, to be kept by nobody."""
    status, kind, body = given
    headers = {"content-type": kind, "content-length": str(len(body)), "cache-control": "no-store"}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if empty else body})
