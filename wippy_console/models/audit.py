"""What people did: append-only, each row chained to the one before it."""

from __future__ import annotations

from django.db import models


class AuditRow(models.Model):
    """One deed. `hash` covers all fields and `previous`, the hash of the row before: a changed row breaks the chain.

    It names what it is about by ids and holds no references, so that nothing changes it when something is deleted.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    user = models.CharField(max_length=400, help_text="name of an account, or guest:address")
    action = models.CharField(max_length=30)
    entry_id = models.CharField(max_length=500, blank=True)
    namespace = models.CharField(max_length=500, blank=True)
    workflow_id = models.CharField(max_length=1000, blank=True)
    run_id = models.CharField(max_length=64, blank=True)
    question_id = models.BigIntegerField(null=True, blank=True)
    decision_id = models.UUIDField(null=True, blank=True)
    label = models.CharField(max_length=500, blank=True)
    outcome = models.CharField(max_length=30, blank=True)
    data = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["user", "-id"]),
            models.Index(fields=["action", "-id"]),
            models.Index(fields=["entry_id", "-id"]),
            models.Index(fields=["run_id", "-id"]),
            models.Index(fields=["workflow_id", "-id"]),
            models.Index(fields=["namespace", "-id"]),
            models.Index(fields=["-at"]),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.user} {self.action}"
