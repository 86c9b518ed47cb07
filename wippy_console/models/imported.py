"""Histories that people opened from files."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ImportedHistory(models.Model):
    """One history, its owner's alone; in no list of runs. `content` is a gzipped protobuf `History`."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200, help_text="of the file")
    workflow_id = models.CharField(max_length=1000, blank=True)
    run_id = models.CharField(max_length=64, blank=True)
    entry_id = models.CharField(max_length=500, blank=True, help_text="its workflow type")
    status = models.CharField(max_length=20)
    began_at = models.DateTimeField(null=True, blank=True)
    events = models.PositiveIntegerField()
    size = models.PositiveIntegerField(help_text="bytes of the file")
    content = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "imported histories"
        indexes = [models.Index(fields=["owner", "-id"], name="imported_of_owner")]

    def __str__(self) -> str:
        return f"{self.name} ({self.events} events)"
