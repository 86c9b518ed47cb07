"""The feed."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from wippy_console.admin import base
from wippy_console.models import FeedEvent


@admin.register(FeedEvent)
class FeedEventAdmin(base.ReadOnlyAdmin[FeedEvent]):
    """Append-only, also for superusers."""

    namespace = "namespace"
    relatives = ("data", "shown_data")
    list_display = ["id", "at", "kind", "entry_id", "workflow_id", "node"]
    list_filter = ["kind", "at", "node"]
    search_fields = ["run_id__exact", "workflow_id__startswith", "entry_id__startswith"]
    search_help_text = "Run id, or the beginning of a workflow id or entry"
    fields = ["id", "at", "kind", "run_id", "workflow_id", "entry_id", "pid", "node", "shown_data"]

    @admin.display(description="data")
    def shown_data(self, event: FeedEvent) -> SafeString:
        """Its fields."""
        return base.pretty(event.data)
