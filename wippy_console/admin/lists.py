"""What people chose for lists: views that they saved, and columns."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from wippy_console import permissions
from wippy_console.admin import base
from wippy_console.models import ListSettings, SavedView


class _ListAdmin(base.ReadOnlyAdmin[Any]):
    """Read-only, but for deleting: nobody could else delete the account that a row belongs to."""

    small = True
    actions = []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may delete such rows."""
        return permissions.allows(request.user, f"{permissions.APP}.delete_{self.opts.model_name}")


@admin.register(SavedView)
class SavedViewAdmin(_ListAdmin):
    """Whose, of which page, and for whom."""

    list_display = ["name", "page", "owner", "shared", "query", "saved_at"]
    list_filter = ["page", "shared"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username"]


@admin.register(ListSettings)
class ListSettingsAdmin(_ListAdmin):
    """What each person chose."""

    list_display = ["user", "page", "columns", "dense", "opens_with"]
    list_filter = ["page"]
    list_select_related = ["user", "opens_with"]
    search_fields = ["user__username"]
