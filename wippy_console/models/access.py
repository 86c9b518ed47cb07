"""Tokens by which other systems act for an account, and requests of theirs that must not be done twice."""

from __future__ import annotations

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone


class AccessToken(models.Model):
    """Lets its bearer act for `owner`, within `rights`, `namespaces` and `addresses`; of each, none means no limit.

    `digest` is SHA-256 of the token, which is kept nowhere; `hint` is how it begins, for people.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=100, help_text="what it is for")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=20, editable=False)
    rights = models.JSONField(default=list, blank=True, help_text="codenames")
    namespaces = models.JSONField(default=list, blank=True, help_text="patterns, as grants have them")
    addresses = models.JSONField(default=list, blank=True, help_text="networks from which it counts")
    per_minute = models.PositiveIntegerField(default=600, help_text="requests")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_from = models.CharField(max_length=45, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def state(self) -> str:
        """`active`, `expired`, `revoked`, or `inactive` while its owner's account is that."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        return "active" if self.owner.is_active else "inactive"


class RepeatedRequest(models.Model):
    """A write with an `Idempotency-Key`: what it said, and its answer, which a repeat gets for a day.

    Without `status` it is under way, or its process died.
    """

    caller = models.CharField(max_length=50, help_text="token:ID or user:ID")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="of the method, the path and the body")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    begun_at = models.DateTimeField(default=timezone.now, help_text="the last try")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="one_request_per_key")]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"


class FailedLogin(AccessAttempt):  # type: ignore[misc] # has no types
    """Log-ins that failed for a name from an address; django-axes counts them, and they are forgotten by themselves."""

    class Meta:
        proxy = True
        verbose_name = "failed log-in"

    def __str__(self) -> str:
        return f"{self.username} from {self.ip_address}"
