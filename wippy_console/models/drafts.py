"""What people typed into forms and have not sent."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Draft(models.Model):
    """The fields of one form, for whoever typed them alone.

    `address` is the form's, `digest` of it makes it unique per person whatever its length. `content` is JSON, a list
    of [name, text], as a text since a database's JSON can't hold every character. `why` says how it came to be kept.
    """

    class Why(models.TextChoices):
        """What happened to the form."""

        TYPED = "typed", "typed, not sent"
        REFUSED = "refused", "sent and refused"
        ENDED = "ended", "sent without a session"
        OLD = "old", "sent from an old page"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    address = models.TextField()
    digest = models.CharField(max_length=64)
    content = models.TextField()
    why = models.CharField(max_length=20, choices=Why.choices, default=Why.TYPED)
    saved_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-saved_at"]
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="one_draft_per_form")]

    def __str__(self) -> str:
        return f"{self.user} {self.address}"
