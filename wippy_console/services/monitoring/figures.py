"""Figures of a process: its own, and those that the database and Temporal tell of the whole installation."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count
from prometheus_client import CollectorRegistry, Counter, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from wippy_console.models import Decision, Notification, Outgoing, Question, Run
from wippy_console.models.decisions import IS_OPEN
from wippy_console.services import feed, fleet, task_queues

FRESH_SECONDS = 5.0


def of_process() -> CollectorRegistry:
    """A registry with what every process has: memory, processor time, open files, and lines that it logged."""
    registry = CollectorRegistry()
    for make in (ProcessCollector, PlatformCollector, GCCollector):
        make(registry=registry)
    logging.getLogger().addHandler(_Counting(registry))
    return registry


class _Counting(logging.Handler):
    """Counts warnings and errors by the part of the program that says them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(logging.WARNING)
        self._lines = Counter("wippy_log_lines", "Warnings and errors", ["level", "logger"], registry=registry)

    def emit(self, record: logging.LogRecord) -> None:
        """Count it."""
        self._lines.labels(record.levelname.lower(), ".".join(record.name.split(".")[:2])).inc()


def gauge(name: str, help: str, labels: Iterable[str], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    """One family of values by their labels."""
    family = GaugeMetricFamily(name, help, labels=list(labels))
    for each, value in values:
        family.add_metric(list(each), value)
    return family


class Collected(Collector):
    """What a function tells at the time of asking."""

    def __init__(self, tell: Callable[[], Iterable[Metric]]) -> None:
        self._tell = tell

    def collect(self) -> Iterable[Metric]:
        """Ask it."""
        return self._tell()

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked to be registered."""
        return ()


class Installation(Collector):
    """Runs, questions, nodes, queues, what waits to be sent: asked at most once in `FRESH_SECONDS`; from one thread."""

    def __init__(self) -> None:
        self._known: list[Metric] = []
        self._at = -FRESH_SECONDS

    def collect(self) -> Iterable[Metric]:
        """What the database says, or that it says nothing."""
        if time.monotonic() - self._at > FRESH_SECONDS:
            self._known, self._at = self._asked(), time.monotonic()
        return self._known

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked to be registered."""
        return ()

    def _asked(self) -> list[Metric]:
        try:
            told, answers = list(_told()), 1
        except (DatabaseError, InterfaceError):
            told, answers = [], 0
        finally:
            connection.close()
        return [*told, gauge("wippy_database_up", "Whether the database answers", (), [((), answers)])]


def _told() -> Iterator[Metric]:
    runs = dict.fromkeys(Run.Status.values, 0) | _counted(Run, "status")
    yield gauge("wippy_runs", "Runs by status", ["status"], [((name,), count) for name, count in runs.items()])
    troubled = Run.objects.filter(troubled_since__isnull=False, closed_at=None).count()
    yield gauge("wippy_runs_troubled", "Open runs that are stuck or retry", (), [((), troubled)])
    yield gauge("wippy_questions_open", "Open questions", (), [((), Question.objects.filter(IS_OPEN).count())])
    pending = Decision.objects.filter(state=Decision.State.PENDING).count()
    yield gauge("wippy_decisions_pending", "Answers that wait for Temporal", (), [((), pending)])
    yield _by_state("wippy_outgoing", "Starts and signals of Django code, not sent yet", Outgoing)
    yield _by_state("wippy_notifications", "Notifications", Notification)
    yield gauge("wippy_feed_rows", "The number of the newest row of the feed", (), [((), feed.head())])
    nodes = list(fleet.alive())
    yield gauge("wippy_nodes", "Nodes that are alive", (), [((), len(nodes))])
    yield gauge("wippy_node_units", "Units by node", ["node"], [((node.id,), node.units) for node in nodes])
    yield from _queues()


def _by_state(name: str, help: str, model: Any) -> Metric:
    counts = dict.fromkeys(model.State.values, 0) | _counted(model, "state")
    return gauge(name, help, ["state"], [((state,), count) for state, count in counts.items()])


def _counted(model: Any, field: str) -> dict[str, int]:
    return dict(model.objects.order_by().values_list(field).annotate(Count("pk")))


def _queues() -> Iterator[Metric]:
    """The queues of the registry's workers, as their Temporal sees them."""
    found = task_queues.served()
    tasks = [((queue.client, queue.name, each.kind), each) for queue in found for each in queue.tasks]
    labels = ["client", "queue", "kind"]
    yield gauge("wippy_queue_backlog", "Tasks that wait", labels, [(key, each.backlog) for key, each in tasks])
    age = "Age of the oldest task that waits"
    yield gauge("wippy_queue_backlog_age_seconds", age, labels, [(key, each.age) for key, each in tasks])
    asking = [(key, len(each.pollers)) for key, each in tasks]
    yield gauge("wippy_queue_pollers", "Who asks for tasks", labels, asking)
    known = [((queue.client, queue.name), float(not queue.error)) for queue in found]
    yield gauge("wippy_queue_known", "Whether Temporal answers for the queue", labels[:2], known)
