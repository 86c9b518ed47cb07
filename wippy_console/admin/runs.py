"""Runs and archived histories."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from wippy_console import permissions
from wippy_console.admin import base, confirmation, export, filters
from wippy_console.models import HistoryArchive, Run
from wippy_console.services import questions, states
from wippy_console.services.runs import newest_of_text

FOUND = 1000
"""The runs that a search shows, the newest."""


class OpenFilter(admin.SimpleListFilter):
    """Runs that wait for a person, are stuck, or simply go on."""

    title = "what it does"
    parameter_name = "doing"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Run]) -> list[tuple[str, str]]:
        """The choices."""
        return [("asks", "waits for a person"), ("stuck", "does not get on"), ("open", "is open")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        """The runs of the choice."""
        match self.value():
            case "asks":
                return queryset.filter(pk__in=questions.asking())
            case "stuck":
                return queryset.filter(states.troubled())
            case "open":
                return queryset.filter(status=Run.Status.RUNNING)
        return queryset


@admin.register(Run)
class RunAdmin(base.ReadOnlyAdmin[Run]):
    """Every run that Temporal told of; cancelled and terminated from here, after a confirmation."""

    namespace = "namespace"
    relatives = ("parent_workflow_id", "parent_run_id")
    list_display = ["workflow_id", "entry_id", "status", "started_at", "closed_at", "started_by", "page"]
    list_filter = ["status", OpenFilter, filters.by("entry_id", "entry"), "started_at"]
    list_select_related = ["started_by"]
    search_fields = ["run_id", "workflow_id", "entry_id"]
    search_help_text = "Any part of an id, title, entry or key; the newest 1,000"
    autocomplete_fields = ["started_by"]
    actions = ["cancel_runs", "terminate_runs", export.as_csv, export.as_json]
    fieldsets = [
        (None, {"fields": ["workflow_id", "run_id", "page", "entry_id", "status", "stuck_reason", "started_by"]}),
        ("Times", {"fields": ["started_at", "closed_at", "next_deadline", "observed_at"]}),
        ("Code", {"fields": ["program", "registry_version", "client", "worker", "task_queue"]}),
        ("Data", {"fields": ["shown_input", "shown_result", "shown_failure", "shown_waiting", "history_length"]}),
        ("Parent", {"fields": ["parent_workflow_id", "parent_run_id"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        """The same search as the console's, of the newest that it finds."""
        text = search_term.strip()
        if not text:
            return queryset, False
        return queryset.filter(pk__in=newest_of_text(queryset.select_related(None), text, FOUND)), False

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whether the action cancel is offered."""
        return permissions.allows(request.user, permissions.CANCEL_RUN)

    def has_terminate_permission(self, request: HttpRequest) -> bool:
        """Whether the action terminate is offered."""
        return permissions.allows(request.user, permissions.TERMINATE_RUN)

    @admin.action(description="Cancel the selected runs…", permissions=["cancel"])
    def cancel_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        """Ask the runs to stop, after a confirmation."""
        return confirmation.CANCEL.handle(self, request, queryset)

    @admin.action(description="Terminate the selected runs…", permissions=["terminate"])
    def terminate_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        """End the runs now, after a confirmation with a reason."""
        return confirmation.TERMINATE.handle(self, request, queryset)

    @admin.display(description="console")
    def page(self, run: Run) -> SafeString | str:
        """The run's page in the console."""
        return base.link("timeline", "run", workflow_id=run.workflow_id, run_id=run.run_id)

    @admin.display(description="input")
    def shown_input(self, run: Run) -> SafeString:
        """The arguments."""
        return base.pretty(run.input)

    @admin.display(description="result")
    def shown_result(self, run: Run) -> SafeString:
        """The result."""
        return base.pretty(run.result)

    @admin.display(description="failure")
    def shown_failure(self, run: Run) -> SafeString:
        """The failure."""
        return base.pretty(run.failure)

    @admin.display(description="waits for")
    def shown_waiting(self, run: Run) -> SafeString:
        """What it waits for."""
        return base.pretty(run.waiting)


@admin.register(HistoryArchive)
class HistoryArchiveAdmin(base.ReadOnlyAdmin[HistoryArchive]):
    """Histories of closed runs, kept when Temporal forgets them."""

    namespace = "run__namespace"
    list_display = ["run", "events", "archived_at", "page"]
    list_filter = ["archived_at"]
    list_select_related = ["run"]
    search_fields = ["run__run_id", "run__workflow_id"]
    search_help_text = "Workflow id or run id, or its beginning"
    autocomplete_fields = ["run"]
    ordering = ["-archived_at", "run"]
    fields = ["run", "events", "archived_at", "page"]

    @admin.display(description="console")
    def page(self, archive: HistoryArchive) -> SafeString | str:
        """The history in the console."""
        return base.link("history", "run", workflow_id=archive.run.workflow_id, run_id=archive.run_id)
