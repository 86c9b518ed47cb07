"""How people want lists to be: filters with a name, and what each person chose to see of a page."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """A named set of filters of a page, its owner's alone or everybody's who sees that page.

    `query` is that of the page's address, without the place in the list; `columns` those that it shows, empty for
    each reader's own.
    """

    class Page(models.TextChoices):
        """The lists that have views, by the names of their addresses."""

        RUNS = "runs", "Runs"
        LIVE = "live", "Live"
        INBOX = "inbox", "Inbox"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    shared = models.BooleanField(default=False)
    page = models.CharField(max_length=20, choices=Page)
    name = models.CharField(max_length=100)
    query = models.TextField(blank=True)
    columns = models.JSONField(default=list, blank=True)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "page", "name"], name="one_view_of_a_name")]
        indexes = [models.Index(fields=["page", "name"], name="view_shared", condition=models.Q(shared=True))]
        permissions = [("share_savedview", "Can share saved views")]

    def __str__(self) -> str:
        return self.name


class ListSettings(models.Model):
    """What one person chose for one page: columns, how dense its rows are, and the view that it opens with."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.CharField(max_length=20, choices=SavedView.Page)
    columns = models.JSONField(default=list, blank=True, help_text="empty: the usual ones")
    dense = models.BooleanField(default=False)
    opens_with = models.ForeignKey(SavedView, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name_plural = "list settings"
        constraints = [models.UniqueConstraint(fields=["user", "page"], name="one_setting_per_page")]

    def __str__(self) -> str:
        return f"{self.page} of {self.user}"
