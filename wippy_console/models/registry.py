"""The registry: immutable versions, the entry revisions that each brought, and linked programs."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import models

from engine.registry.problems import Problem


class Version(models.Model):
    """One registry version; every change makes one. Rows are never changed or deleted."""

    number = models.PositiveBigIntegerField(primary_key=True)
    created_at = models.DateTimeField(auto_now_add=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)
    message = models.TextField(blank=True)
    source = models.CharField(max_length=20, default="apply", help_text="apply, editor or lua")
    restores = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="the earlier version whose entries this one only brings back"
    )
    warnings: Sequence[Problem] = ()
    """What its publishing warned of; kept on the instance that `publish` returns, and nowhere else."""

    class Meta:
        ordering = ["-number"]
        permissions = [
            ("publish_version", "Can publish a registry version"),
            ("publish_client", "Can publish entries that hold credentials: temporal.client"),
            ("publish_python", "Can publish entries that name Python code: function.python"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"

    @property
    def publisher(self) -> str:
        """Who published it, in words."""
        if self.author:
            return self.author.get_username()
        return "Lua code" if self.source == "lua" else "the command line"


class Revision(models.Model):
    """What one version made of one entry. The current state of an entry is its newest revision."""

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="revisions")
    entry_id = models.CharField(max_length=500)
    kind = models.CharField(max_length=100)
    meta = models.JSONField(default=dict)
    data = models.JSONField(default=dict)
    deleted = models.BooleanField(default=False)

    class Meta:
        ordering = ["entry_id"]
        constraints = [models.UniqueConstraint(fields=["version", "entry_id"], name="one_revision_per_version")]
        indexes = [
            models.Index(fields=["entry_id", "-version"]),
            models.Index(fields=["kind"], name="revision_kind"),
            models.Index(fields=["-id"], name="revision_deleted", condition=models.Q(deleted=True)),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}@{self.version_id}"


class Program(models.Model):
    """A linked program by digest; kept for ever, since a run may need it."""

    digest = models.CharField(max_length=64, primary_key=True)
    entry_id = models.CharField(max_length=500)
    content = models.JSONField()
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="programs")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["entry_id", "-version"]), models.Index(fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.entry_id} {self.digest[:12]}"
