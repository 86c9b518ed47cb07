"""What Django code wants of Temporal and was not sent yet."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from wippy_console import permissions
from wippy_console.admin import base
from wippy_console.models import Outgoing


@admin.register(Outgoing)
class OutgoingAdmin(base.ReadOnlyAdmin[Outgoing]):
    """Starts and signals that wait, and why; without their arguments. One that is deleted is never sent."""

    small = True
    everything = True
    actions = []
    exclude = ["args", "number"]
    list_display = ["deed", "entry", "topic", "workflow_id", "user", "created_at", "tries", "problem"]
    list_filter = ["deed"]
    list_select_related = ["user"]
    search_fields = ["entry", "workflow_id"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators may."""
        return permissions.allows(request.user, "wippy_console.delete_outgoing")
