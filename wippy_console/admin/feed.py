"""The feed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from wippy_console.admin import base, filters, searching
from wippy_console.models import FeedEvent, Run
from wippy_console.services.runs import matching


@admin.register(FeedEvent)
class FeedEventAdmin(base.ReadOnlyAdmin[FeedEvent]):
    """What happened, in order; the Live page shows it as it comes."""

    namespace = "namespace"
    relatives = ("data", "shown_data")
    list_display = ["id", "at", "kind", "entry_id", "workflow_id", "node"]
    list_filter = [filters.by("kind")]
    search_fields = ["run_id"]
    search_help_text = "Number, run id or workflow id, or its beginning"
    ordering = ["-id"]
    fields = ["id", "at", "kind", "run_id", "workflow_id", "entry_id", "pid", "node", "shown_data"]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[FeedEvent], search_term: str) -> Any:
        """By the runs of a workflow id as well: the feed knows each by its run id."""
        text = search_term.strip()
        if not text:
            return queryset, False
        runs = Run.objects.filter(matching(text)).order_by().values_list("pk", flat=True)[: searching.MOST]
        return queryset.filter(Q(run_id__in=[*runs]) | Q(run_id=text) | searching.number("pk", text)), False

    @admin.display(description="data")
    def shown_data(self, event: FeedEvent) -> SafeString:
        """Its fields."""
        return base.pretty(event.data)
