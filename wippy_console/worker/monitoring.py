"""A worker's own small server, where WIPPY_METRICS_LISTEN says: /healthz, /readyz and /metrics."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from typing import Any

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from engine.contracts.operations import HostInfo
from engine.contracts.watcher import Card, Interruptible, Watcher
from wippy_console.services.monitoring import Answer, Collected, Readiness, answers, gauge, of_process

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0
AGAIN_SECONDS = 2.0
BOUNDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
NOTHING: Answer = 404, answers.PLAIN, b"/healthz, /readyz or /metrics\n"
BUSY: Answer = 503, answers.PLAIN, b"the node is busy\n"
KINDS = ("function", "process", "workflow")


class StepTimes:
    """Times steps around another watcher; each thread adds to a list of its own, without a lock."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._own = threading.local()
        self._all: list[dict[str, list[float]]] = []
        self.refusal = watcher.refusal

    def begin(self, unit: Interruptible, card: Card) -> None:
        """Note when it began, and what."""
        self._own.began = time.perf_counter(), card.kind
        self._watcher.begin(unit, card)

    def end(self) -> None:
        """Add its time: to its bucket, and to the sum, which stands last."""
        self._watcher.end()
        began, kind = self._own.began
        seconds = time.perf_counter() - began
        kept = self._kept().setdefault(kind, [0.0] * (len(BOUNDS) + 2))
        kept[bisect_left(BOUNDS, seconds)] += 1
        kept[-1] += seconds

    def _kept(self) -> dict[str, list[float]]:
        try:
            kept: dict[str, list[float]] = self._own.kept
        except AttributeError:
            kept = self._own.kept = dict[str, list[float]]()
            self._all.append(kept)
        return kept

    def told(self) -> Iterator[Metric]:
        """As a histogram of Prometheus."""
        family = HistogramMetricFamily("wippy_step_seconds", "Steps of units, and their time", labels=["kind"])
        edges = [*map(str, BOUNDS), "+Inf"]
        for kind in sorted({*KINDS, *(kind for kept in list(self._all) for kind in list(kept))}):
            lists = [kept[kind] for kept in list(self._all) if kind in kept] or [[0.0] * (len(BOUNDS) + 2)]
            *counts, seconds = (sum(column) for column in zip(*lists, strict=True))
            family.add_metric([kind], list(zip(edges, accumulate(counts), strict=True)), seconds)
        yield family


def of_hosts(hosts: Iterable[HostInfo], facts: int) -> Iterator[Metric]:
    """Figures of a node's actor hosts, and of what waits to be written down."""
    some = list(hosts)

    def told(name: str, help: str, value: Callable[[HostInfo], int]) -> Metric:
        return gauge(name, help, ["host"], [((host.id,), value(host)) for host in some])

    yield told("wippy_units", "Units that run", lambda host: host.running)
    yield told("wippy_mailbox_messages", "Messages in mailboxes", lambda host: host.waiting)
    yield told("wippy_units_refused", "Units that were not taken, since the start", lambda host: host.refused_units)
    yield told("wippy_messages_refused", "Messages that were not taken", lambda host: host.refused_messages)
    yield told("wippy_units_memory_bytes", "Memory of Lua code", lambda host: host.memory)
    yield gauge("wippy_facts_waiting", "Facts that wait to be written to the database", (), [((), facts)])


class MonitoringServer:
    """Answers on threads; what it says of life is whether the node's loop turns."""

    def __init__(self, node_id: str, *tellers: Callable[[], Iterable[Metric]]) -> None:
        self._readiness = Readiness()
        self._figures = of_process()
        self._figures.register(Collected(lambda: [gauge("wippy_node", "This node", ["node"], [((node_id,), 1)])]))
        for tell in tellers:
            self._figures.register(Collected(tell))

    async def run(self, place: tuple[str, int]) -> None:
        """Serve until cancelled; a place that is taken, as by a worker that still ends, is tried again."""
        server = await self._bound(place)
        threading.Thread(target=server.serve_forever, name="monitoring", daemon=True).start()
        try:
            await asyncio.Event().wait()
        finally:
            server.server_close()

    async def _bound(self, place: tuple[str, int]) -> ThreadingHTTPServer:
        handler, said = self._handler(asyncio.get_running_loop()), False
        while True:
            try:
                return ThreadingHTTPServer(place, handler)
            except OSError as error:
                if not said:
                    logger.warning("WIPPY_METRICS_LISTEN: %s:%d can't be had, trying again: %s", *place, error)
                said = True
                await asyncio.sleep(AGAIN_SECONDS)

    def _answered(self, loop: asyncio.AbstractEventLoop, path: str, authorization: str) -> Answer:
        """From a thread of the server."""
        match path:
            case "/healthz":
                asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(PATIENCE_SECONDS)
                return answers.ALIVE
            case "/readyz":
                found = asyncio.run_coroutine_threadsafe(self._readiness.look(), loop)
                return answers.ready(found.result(PATIENCE_SECONDS))
            case "/metrics":
                return answers.refusal(authorization) or answers.figures(self._figures)
        return NOTHING

    def _handler(self, loop: asyncio.AbstractEventLoop) -> type[BaseHTTPRequestHandler]:
        answered = partial(self._answered, loop)

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                try:
                    status, kind, body = answered(self.path.partition("?")[0], self.headers.get("Authorization", ""))
                except TimeoutError:
                    status, kind, body = BUSY
                self.send_response(status)
                for name, value in (("Content-Type", kind), ("Content-Length", str(len(body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Probes are no news."""

        return Handler
