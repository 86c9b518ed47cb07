"""Nodes and services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from wippy_console.admin import base
from wippy_console.models import Claim, Node, Service


class ServiceInline(base.TabularInline[Service, Node]):
    """The services of a node."""

    model = Service
    extra = 0
    can_delete = False

    def has_add_permission(self, *_: Any) -> bool:
        """Never."""
        return False

    def has_change_permission(self, *_: Any) -> bool:
        """Never."""
        return False


@admin.register(Node)
class NodeAdmin(base.ReadOnlyAdmin[Node]):
    """Worker processes, kept alive by their heartbeats."""

    list_display = ["id", "hostname", "os_pid", "started_at", "heartbeat_at", "stopped_at", "units"]
    list_filter = ["hostname", "started_at", ("stopped_at", admin.EmptyFieldListFilter)]
    search_fields = ["id", "hostname"]
    inlines = [ServiceInline]


@admin.register(Service)
class ServiceAdmin(base.ReadOnlyAdmin[Service]):
    """Supervised services."""

    list_display = ["entry_id", "node", "state", "restarts", "since", "error"]
    list_filter = ["state", "node"]
    list_select_related = ["node"]
    search_fields = ["entry_id", "pid"]
    autocomplete_fields = ["node"]


@admin.register(Claim)
class ClaimAdmin(base.ReadOnlyAdmin[Claim]):
    """What one node of the fleet has alone: names of units, turns of services."""

    list_display = ["key", "kind", "node", "pid", "since"]
    list_filter = ["kind", "node"]
    list_select_related = ["node"]
    search_fields = ["key", "pid"]
    autocomplete_fields = ["node"]
