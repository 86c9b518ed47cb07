"""Nodes and their services, each row kept alive by its node's heartbeat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from engine.contracts.operations import Doing
from engine.durations import SECOND
from wippy_console.database.storable import storable_text

FRESH = timedelta(seconds=15)
KEPT_FOR = timedelta(days=1)
"""How long a process that has ended is kept, if its node did not keep a thousand newer ones."""


class Node(models.Model):
    """One worker OS process. It counts as alive while `heartbeat_at` is younger than 15 seconds.

    `hosts` lists its actor hosts as `engine.contracts.operations.HostInfo` describes them.
    """

    id = models.CharField(max_length=100, primary_key=True)
    hostname = models.CharField(max_length=255)
    # Where `os_pid` means something: a boot of a machine, or of a container on it.
    machine = models.CharField(max_length=200, blank=True, default="")
    os_pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    task_queues = models.JSONField(default=list)
    units = models.PositiveIntegerField(default=0)
    hosts = models.JSONField(default=list)
    functions = models.JSONField(default=dict, db_default={}, help_text="that its code declares: id to digest")
    ends_dropped = models.PositiveIntegerField(default=0, help_text="processes that ended and are not kept: too many")

    version = models.CharField(max_length=100, blank=True, default="", help_text="of the product that runs on it")

    class Meta:
        ordering = ["-started_at"]
        permissions = [("promote_build", "Can make a build of a worker deployment current")]

    def __str__(self) -> str:
        return self.id

    @property
    def state(self) -> str:
        """alive, silent (it died or can't reach the database), or stopped."""
        if self.stopped_at is not None:
            return "stopped"
        return "alive" if timezone.now() - self.heartbeat_at < FRESH else "silent"

    @property
    def is_alive(self) -> bool:
        """Whether its heartbeat is fresh."""
        return self.state == "alive"


_WAITS = ("waiting", "restarting")


class Service(models.Model):
    """A supervised `process.service`, or a worker or client of Temporal, on a node (docs/lua.md#services).

    `state` is unknown (`error` says what it waits for), starting, running, stopping, stopped, failed or exited;
    failed without `next_attempt` is final.
    """

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="services")
    entry_id = models.CharField(max_length=500)
    kind = models.CharField(max_length=100, default="process.service")
    state = models.CharField(max_length=20)
    optional = models.BooleanField(default=False)
    pid = models.CharField(max_length=2000, blank=True)
    restarts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    since = models.DateTimeField()
    next_attempt = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["entry_id"]
        constraints = [models.UniqueConstraint(fields=["node", "entry_id"], name="one_service_per_node")]

    def __str__(self) -> str:
        return f"{self.entry_id} {self.state}"

    @property
    def shown_state(self) -> str:
        """The state in words that tell apart what waits for others, what is tried again, and what was never started."""
        if self.state == "failed" and self.next_attempt is not None:
            return "restarting"
        return "waiting" if self.state == "unknown" and self.error else self.state

    @property
    def is_movable(self) -> bool:
        """Whether its node's supervisor can start and stop it: a worker or client runs as long as its node."""
        return self.kind == "process.service"

    @property
    def can_start(self) -> bool:
        """Whether a start makes sense now."""
        return self.is_movable and self.state in ("unknown", "stopped", "failed", "exited")

    @property
    def can_stop(self) -> bool:
        """Whether there is something to stop, be it a wait for the next attempt."""
        return self.is_movable and (self.state in ("starting", "running") or self.shown_state in _WAITS)

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should look at it: it failed, and the node was to have it."""
        return self.state == "failed" and not self.optional


class Claim(models.Model):
    """What one node of the fleet has and no other: the name of a unit, or the lease on the services.

    It counts as long as its node is alive; after that anybody may take it over.
    """

    class Kind(models.TextChoices):
        NAME = "name"
        SERVICE = "service"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=500)
    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="claims")
    pid = models.CharField(max_length=2000, blank=True, default="")
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["kind", "key"]
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="one_holder_in_the_fleet")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


_HAS_ENDED = models.Q(ended_at__isnull=False)
_IS_DOING = models.Q(doing_since__isnull=False)


def columns_of(doing: Sequence[Doing], operations: int) -> dict[str, Any]:
    """The columns of a `Process` that tell what it does outside of its node; `doing` has the oldest first."""
    told = [{"text": storable_text(each.text), "since": each.since} for each in doing]
    since = datetime.fromtimestamp(doing[0].since / SECOND, UTC) if doing else None
    return {"doing": told, "operations": operations, "doing_since": since}


class Process(models.Model):
    """A process, or a long function call, on a node; what still runs is gone with its node.

    With `ended_at` it is a process that has ended, kept for a while (`worker.reporting.ended`): its `state` is
    completed, failed, canceled or terminated then, with `result` and `failure` cut when they are large.
    Otherwise `state` is idle, or busy when it was at work whenever the node looked. `watchers` are the pids of those
    who monitor it, and `service <entry id>`. `name_text` is for searching: JSON escapes what is not ASCII. `mailbox`
    is about right: it is written when it doubles or halves.

    `doing` are the oldest of its operations (`engine.contracts.operations.Doing`, those that have taken two seconds),
    `operations` how many there were then, `doing_since` when the oldest began.
    """

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="processes")
    pid = models.CharField(max_length=1200)
    entry_id = models.CharField(max_length=500)
    host_id = models.CharField(max_length=500)
    kind = models.CharField(max_length=20)
    parent = models.CharField(max_length=600, blank=True)
    names = models.JSONField(default=list)
    name_text = models.TextField(blank=True)
    links = models.JSONField(default=list)
    watchers = models.JSONField(default=list)
    state = models.CharField(max_length=20)
    mailbox = models.PositiveIntegerField(default=0)
    mailbox_limit = models.PositiveIntegerField(default=0)
    doing = models.JSONField(default=list, db_default=[])
    operations = models.PositiveIntegerField(default=0, db_default=0)
    doing_since = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    failure = models.JSONField(null=True, blank=True, help_text="engine.errors.Failure.to_json")

    class Meta:
        ordering = ["started_at", "id"]
        verbose_name_plural = "processes"
        constraints = [models.UniqueConstraint(fields=["node", "pid"], name="one_process_per_pid")]
        indexes = [
            models.Index(fields=["pid"], name="process_pid"),
            models.Index(fields=["parent"], name="process_parent"),
            models.Index(fields=["started_at", "id"], name="process_started"),
            models.Index(fields=["-ended_at", "-id"], name="process_ended", condition=_HAS_ENDED),
            models.Index(fields=["doing_since"], name="process_doing", condition=_IS_DOING),
        ]

    def __str__(self) -> str:
        return self.pid

    @property
    def more_doing(self) -> int:
        """How many operations it has besides those in `doing`."""
        return max(0, self.operations - len(self.doing))

    @property
    def why(self) -> str:
        """The message of its failure, or how that begins; "" for none."""
        found = self.failure if isinstance(self.failure, dict) else {}
        return str(found.get("message") or found.get("preview") or "")

    @property
    def seconds(self) -> float:
        """How long it ran, or runs by now."""
        return ((self.ended_at or timezone.now()) - self.started_at).total_seconds()

    @property
    def is_full(self) -> bool:
        """Whether its mailbox takes no more messages."""
        return 0 < self.mailbox_limit <= self.mailbox
