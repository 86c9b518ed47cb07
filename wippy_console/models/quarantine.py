"""Programs that don't run on a host, since a step of theirs took too long."""

from __future__ import annotations

from django.db import models


class Quarantine(models.Model):
    """Active until `lifted_at` is set. `digest` names the program: another version of the entry is not concerned."""

    entry_id = models.CharField(max_length=500)
    kind = models.CharField(max_length=20, help_text="function, process or workflow")
    digest = models.CharField(max_length=64)
    host = models.CharField(max_length=500, help_text="entry id of the process.host or temporal.worker")
    pid = models.CharField(max_length=2000, blank=True)
    node = models.CharField(max_length=100, blank=True)
    seconds = models.FloatField(help_text="processor time of the step, as far as it was seen")
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["digest", "host"], condition=models.Q(lifted_at=None), name="one_active_quarantine"
            )
        ]
        permissions = [("lift_quarantine", "Can let a quarantined program run again")]

    def __str__(self) -> str:
        return f"{self.entry_id} on {self.host}"
