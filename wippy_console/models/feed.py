"""The feed: the ordered, durable stream of events. Append-only; ids commit in order."""

from __future__ import annotations

from django.db import models


class FeedEvent(models.Model):
    """One event. The table of kinds and their fields stands in docs/events.md."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=30)
    run_id = models.CharField(max_length=64, blank=True)
    workflow_id = models.CharField(max_length=1000, blank=True)
    entry_id = models.CharField(max_length=500, blank=True)
    namespace = models.CharField(max_length=500, blank=True, help_text="of its entry")
    pid = models.CharField(max_length=2000, blank=True)
    node = models.CharField(max_length=100, blank=True)
    user = models.CharField(max_length=150, blank=True, default="", help_text="who did it, or started the run")
    search = models.TextField(blank=True, default="", help_text="what a search looks through, in lower case")
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["run_id", "id"]),
            models.Index(fields=["kind", "id"]),
            models.Index(fields=["namespace", "id"], name="feed_room"),
            models.Index(fields=["entry_id", "id"], name="feed_entry"),
            models.Index(fields=["user", "id"], name="feed_user"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["run_id", "kind"],
                condition=models.Q(kind="EXIT") & ~models.Q(run_id=""),
                name="one_exit_per_run",
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.kind} {self.workflow_id or self.entry_id}"
