"""Nodes and their services, each row kept alive by its node's heartbeat."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

FRESH = timedelta(seconds=15)


class Node(models.Model):
    """One worker OS process. It counts as alive while `heartbeat_at` is younger than 15 seconds."""

    id = models.CharField(max_length=100, primary_key=True)
    hostname = models.CharField(max_length=255)
    os_pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    task_queues = models.JSONField(default=list)
    units = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-started_at"]

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


class Service(models.Model):
    """A supervised `process.service` on a node (lua-api 19)."""

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="services")
    entry_id = models.CharField(max_length=500)
    state = models.CharField(max_length=20)
    pid = models.CharField(max_length=2000, blank=True)
    restarts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    since = models.DateTimeField()

    class Meta:
        ordering = ["entry_id"]
        constraints = [models.UniqueConstraint(fields=["node", "entry_id"], name="one_service_per_node")]

    def __str__(self) -> str:
        return f"{self.entry_id} {self.state}"
