"""Histories from files: that there are some, and whose; never what stands in them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from wippy_console import permissions
from wippy_console.admin import base
from wippy_console.models import ImportedHistory


@admin.register(ImportedHistory)
class ImportedHistoryAdmin(base.ReadOnlyAdmin[ImportedHistory]):
    """Without the events, which belong to whoever brought them."""

    actions = []
    list_display = ["name", "owner", "events", "size", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["owner"]
    search_fields = ["owner__username", "name"]
    exclude = ["content"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators may: nobody could else delete the account that it belongs to."""
        return permissions.allows(request.user, f"{permissions.APP}.delete_importedhistory")
