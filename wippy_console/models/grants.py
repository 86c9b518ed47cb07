"""In which namespaces the rights of a group count."""

from __future__ import annotations

import re

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models

_PATTERN = re.compile(r"\*|[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*(\.\*)?")
BAD_PATTERN = (
    "{!r} is no pattern: write a namespace (shop), a namespace and all below it (shop.*), or * for everything."
)


def is_pattern(text: object) -> bool:
    """Whether it names namespaces as a grant does."""
    return isinstance(text, str) and _PATTERN.fullmatch(text) is not None


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

    def clean(self) -> None:
        """Refuse what is no pattern, and rights that the group does not have: they would widen nothing."""
        errors = {}
        if not is_pattern(self.pattern):
            errors["pattern"] = BAD_PATTERN.format(self.pattern)
        held = set(self.group.permissions.values_list("codename", flat=True)) if self.group_id else set()
        if strange := [each for each in self.rights if each not in held]:
            errors["rights"] = f"The group {self.group} does not hold {', '.join(map(str, strange))}."
        if errors:
            raise ValidationError(errors)
