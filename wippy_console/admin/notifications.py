"""Notifications and preferences: what is sent to whom, without addresses and secrets."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from wippy_console import permissions
from wippy_console.admin import base
from wippy_console.models import Notification, NotificationPreference
from wippy_console.services.notifications import listing


@admin.register(Notification)
class NotificationAdmin(base.ReadOnlyAdmin[Notification]):
    """What is sent to whom, and how far it got."""

    namespace = "run__namespace"
    list_display = ["created_at", "kind", "user", "method", "shown", "state", "attempts", "next_at", "sent_at"]
    list_filter = ["state", "created_at"]
    search_fields = ["user__username", "fact", "run__run_id", "run__workflow_id"]
    search_help_text = "User, workflow id or run id, or its beginning"
    list_select_related = ["user"]
    exclude = ["address"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators may: nobody could else delete the account that it belongs to."""
        return permissions.allows(request.user, "wippy_console.delete_notification")

    @admin.display(description="address")
    def shown(self, row: Notification) -> str:
        """Masked."""
        return listing.masked(row)


@admin.register(NotificationPreference)
class NotificationPreferenceAdmin(base.ReadOnlyAdmin[NotificationPreference]):
    """How each user wishes to hear of what."""

    everything = True
    list_display = ["user", "has_chat", "has_webhook"]
    search_fields = ["user__username"]
    exclude = ["chat", "webhook", "secret"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As above."""
        return permissions.allows(request.user, "wippy_console.delete_notificationpreference")

    @admin.display(boolean=True)
    def has_chat(self, row: NotificationPreference) -> bool:
        """Whether there is a chat address."""
        return bool(row.chat)

    @admin.display(boolean=True)
    def has_webhook(self, row: NotificationPreference) -> bool:
        """Whether there is a webhook."""
        return bool(row.webhook)
