"""What Django code wants of Temporal and was not sent yet."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from wippy_console import permissions
from wippy_console.admin import base
from wippy_console.models import Outgoing
from wippy_console.services import outgoing


@admin.register(Outgoing)
class OutgoingAdmin(base.ReadOnlyAdmin[Outgoing]):
    """Starts, signals and answers that wait or were refused, and why; without their arguments.

    One that is deleted is never sent.
    """

    small = True
    everything = True
    actions = ["send_again"]
    exclude = ["args", "number"]
    list_display = ["deed", "entry", "topic", "workflow_id", "user", "created_at", "state", "tries", "problem"]
    list_filter = ["state", "deed"]
    list_select_related = ["user"]
    search_fields = ["entry", "workflow_id"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators may."""
        return permissions.allows(request.user, "wippy_console.delete_outgoing")

    @admin.action(description="Send again", permissions=["delete"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> None:
        """Let the worker that leads try them again."""
        outgoing.send_again(queryset.order_by("number"))
        self.message_user(request, "They are tried again within seconds.")
