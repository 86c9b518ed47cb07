"""Drafts: that there are some, and whose; never what stands in them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from wippy_console import permissions
from wippy_console.admin import base
from wippy_console.models import Draft


@admin.register(Draft)
class DraftAdmin(base.ReadOnlyAdmin[Draft]):
    """Forms typed and not sent: whose, without their texts."""

    small = True
    actions = []
    list_display = ["user", "address", "why", "saved_at"]
    list_filter = ["why", "saved_at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    search_words = ("address",)
    exclude = ["content", "digest"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators may: nobody could else delete the account that a draft belongs to."""
        return permissions.allows(request.user, "wippy_console.delete_draft")
