"""The journal of what people did: append-only, also for superusers."""

from __future__ import annotations

from django.contrib import admin

from wippy_console.admin import base, filters
from wippy_console.models import AuditRow


@admin.register(AuditRow)
class AuditRowAdmin(base.ReadOnlyAdmin[AuditRow]):
    """What people did: each row chained to the one before, none ever changed."""

    namespace = "namespace"
    list_display = ["at", "user", "action", "label", "entry_id", "workflow_id", "outcome"]
    list_filter = [filters.by("action"), "at"]
    search_fields = ["user", "entry_id", "workflow_id", "run_id"]
    search_help_text = "User, entry, workflow id or run id, or its beginning"
    ordering = ["-id"]
