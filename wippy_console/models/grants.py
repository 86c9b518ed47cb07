"""In which namespaces the rights of a group count."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import models


class Grant(models.Model):
    """Rights of a group's members in the namespaces of a pattern: `shop`, `shop.*` (and all below), or `*`.

    A group without grants has its rights everywhere. `rights` are codenames; an empty list stands for all that the
    group has.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="grants")
    pattern = models.CharField(max_length=500, default="*")
    rights = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["group", "pattern"]
        constraints = [models.UniqueConstraint(fields=["group", "pattern"], name="one_grant_per_pattern")]

    def __str__(self) -> str:
        return f"{self.group} in {self.pattern}"
