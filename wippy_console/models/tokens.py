"""Tokens of Lua's token stores."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Token(models.Model):
    """Stands for an actor and a scope until it expires; `digest` is of the token, which is kept nowhere.

    `actor` is {id, meta}, `scope` a list of policy ids, `expires_ns` nanoseconds since the epoch.
    """

    store = models.CharField(max_length=500)
    digest = models.CharField(max_length=64)
    actor = models.JSONField()
    scope = models.JSONField()
    meta = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    expires_ns = models.BigIntegerField(db_index=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["store", "digest"], name="one_token_per_digest")]

    def __str__(self) -> str:
        return f"{self.store} {self.actor.get('id', '')}"
