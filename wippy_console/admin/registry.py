"""Registry versions, revisions and programs: immutable rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from wippy_console.admin import base, filters
from wippy_console.models import Program, Revision, Version
from wippy_console.services.registry import versions_for


@admin.register(Version)
class VersionAdmin(base.ReadOnlyAdmin[Version]):
    """One row per change of the registry."""

    list_display = ["number", "created_at", "author", "source", "message", "entries"]
    list_filter = [filters.one_of("source", "apply", "editor", "lua"), "created_at"]
    list_select_related = ["author"]
    search_fields = ["number", "author__username"]
    search_words = ("message",)
    search_help_text = "Number or author; words of a message"
    autocomplete_fields = ["author"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        """Those that changed an entry which the user may see, with the number of entries that each changed."""
        rows = super().get_queryset(request)
        if not self.sees_all(request):
            rows = rows.filter(pk__in=versions_for(request.user).order_by().values("pk"))
        per_version = Revision.objects.filter(version=OuterRef("pk")).order_by().values("version")
        return rows.annotate(changed=Subquery(per_version.annotate(number=Count("pk")).values("number")))

    @admin.display(description="entries changed")
    def entries(self, version: Version) -> Any:
        """How many entries it changed."""
        return getattr(version, "changed", "-")


@admin.register(Revision)
class RevisionAdmin(base.ReadOnlyAdmin[Revision]):
    """What a version made of an entry."""

    entry = "entry_id"
    list_display = ["entry_id", "version", "kind", "deleted", "page"]
    list_filter = ["deleted"]
    list_select_related = ["version"]
    search_fields = ["entry_id", "version__number"]
    search_help_text = "Entry or its beginning, or number of a version"
    ordering = ["-id"]
    autocomplete_fields = ["version"]
    fields = ["entry_id", "version", "kind", "deleted", "page", "shown_meta", "source", "shown_data"]

    @admin.display(description="console")
    def page(self, revision: Revision) -> SafeString | str:
        """The entry in the console."""
        return base.link("entry", "entry", entry_id=revision.entry_id)

    @admin.display(description="meta")
    def shown_meta(self, revision: Revision) -> SafeString:
        """Its meta."""
        return base.pretty(revision.meta)

    @admin.display(description="source")
    def source(self, revision: Revision) -> SafeString:
        """Its text."""
        return format_html('<pre tabindex="0">{}</pre>', revision.data.get("source") or "-")

    @admin.display(description="other fields")
    def shown_data(self, revision: Revision) -> SafeString:
        """What else it holds."""
        return base.pretty({key: value for key, value in revision.data.items() if key != "source"})


@admin.register(Program)
class ProgramAdmin(base.ReadOnlyAdmin[Program]):
    """Linked programs; runs keep the one that they began with."""

    entry = "entry_id"
    list_display = ["digest", "entry_id", "version", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["version"]
    search_fields = ["digest", "entry_id"]
    search_help_text = "Digest or entry, or its beginning"
    ordering = ["-created_at", "digest"]
    autocomplete_fields = ["version"]
    fields = ["digest", "entry_id", "version", "created_at", "shown_content"]

    @admin.display(description="content")
    def shown_content(self, program: Program) -> SafeString:
        """The chunks."""
        return base.pretty(program.content)
