"""Subscriptions to the feed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from wippy_console import permissions
from wippy_console.admin import base
from wippy_console.models import Subscription
from wippy_console.services import subscriptions
from wippy_console.templatetags import console, looks


@admin.register(Subscription)
class SubscriptionAdmin(base.ReadOnlyAdmin[Subscription]):
    """What is sent where, and how that goes; without secrets and whole addresses. They are made on their own page."""

    everything = True
    exclude = ["secret", "url"]
    list_display = ["name", "owner", "token", "place", "stands", "cursor", "last_at"]
    list_select_related = ["owner", "token"]
    list_filter = ["state"]
    search_fields = ["name", "owner__username"]
    search_help_text = "Name or owner"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators may: nobody could else delete the account that it belongs to."""
        return permissions.allows(request.user, "wippy_console.delete_subscription")

    def delete_model(self, request: HttpRequest, obj: Subscription) -> None:
        """The audit tells of it."""
        subscriptions.delete(request.user, obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        """Of each."""
        for row in queryset:
            self.delete_model(request, row)

    @admin.display(description="to")
    def place(self, row: Subscription) -> str:
        """Its address, as others may see it."""
        return subscriptions.where(row)

    @admin.display(description="state")
    def stands(self, row: Subscription) -> SafeString:
        """Whether it is sent what happens."""
        return console.status(looks.find("subscription", row.stands))
