"""Nodes and services."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from wippy_console.admin import base, filters
from wippy_console.models import Claim, Node, Process, Quarantine, Service
from wippy_console.services import grants


class ServiceInline(base.ReadOnlyInline[Service, Node]):
    """The services of a node, of the entries that the user may see."""

    model = Service

    def get_queryset(self, request: HttpRequest) -> QuerySet[Service]:
        """Those."""
        rows = super().get_queryset(request)
        return grants.narrowed(rows, request.user, "wippy_console.view_service", entry="entry_id")


@admin.register(Node)
class NodeAdmin(base.ReadOnlyAdmin[Node]):
    """Worker processes, kept alive by their heartbeats."""

    small = True
    relatives = ("hosts", "task_queues")
    list_display = ["id", "hostname", "os_pid", "started_at", "heartbeat_at", "stopped_at", "units"]
    list_filter = [filters.by("hostname"), "started_at", ("stopped_at", admin.EmptyFieldListFilter)]
    search_fields = ["id", "hostname"]
    inlines = [ServiceInline]


@admin.register(Service)
class ServiceAdmin(base.ReadOnlyAdmin[Service]):
    """Services, workers and clients, as each node runs them."""

    small = True
    entry = "entry_id"
    list_display = ["entry_id", "kind", "node", "state", "restarts", "since", "next_attempt", "error"]
    list_filter = [filters.by("state"), filters.by("kind"), "optional", filters.by("node_id", "node")]
    list_select_related = ["node"]
    search_fields = ["entry_id", "pid"]
    autocomplete_fields = ["node"]


@admin.register(Quarantine)
class QuarantineAdmin(base.ReadOnlyAdmin[Quarantine]):
    """Programs that don't run on a host; lifted on the console's Workers page."""

    small = True
    entry = "entry_id"
    list_display = ["entry_id", "host", "kind", "seconds", "at", "lifted_at", "lifted_by", "node"]
    list_filter = [
        filters.one_of("kind", "function", "process", "workflow"), ("lifted_at", admin.EmptyFieldListFilter), "at",
    ]  # fmt: skip
    search_fields = ["entry_id", "host", "digest", "pid"]


class MailboxFilter(admin.SimpleListFilter):
    """Processes that take no more messages."""

    title = "mailbox"
    parameter_name = "mailbox"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Process]) -> list[tuple[str, str]]:
        """The choices."""
        return [("full", "is full"), ("waiting", "holds messages")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Process]) -> QuerySet[Process]:
        """The processes of the choice."""
        match self.value():
            case "full":
                return queryset.filter(mailbox_limit__gt=0, mailbox__gte=F("mailbox_limit"))
            case "waiting":
                return queryset.filter(mailbox__gt=0)
        return queryset


@admin.register(Process)
class ProcessAdmin(base.ReadOnlyAdmin[Process]):
    """Processes, as their nodes reported them last."""

    small = True
    entry = "entry_id"
    relatives = ("parent", "links", "watchers")
    list_display = ["pid", "entry_id", "host_id", "node", "state", "mailbox", "started_at", "page"]
    list_filter = [
        filters.by("state"), filters.by("kind"), MailboxFilter, filters.by("host_id", "host"),
        filters.by("node_id", "node"),
    ]  # fmt: skip
    list_select_related = ["node"]
    search_fields = ["pid", "entry_id", "name_text"]
    autocomplete_fields = ["node"]

    @admin.display(description="console")
    def page(self, process: Process) -> SafeString | str:
        """The process in the console."""
        return base.link("process", "process", pid=process.pid)


@admin.register(Claim)
class ClaimAdmin(base.ReadOnlyAdmin[Claim]):
    """What one node of the fleet has alone: names of units, the lease on the services."""

    small = True
    everything = True
    list_display = ["key", "kind", "node", "pid", "since"]
    list_filter = ["kind", filters.by("node_id", "node")]
    list_select_related = ["node"]
    search_fields = ["key", "pid"]
    autocomplete_fields = ["node"]
