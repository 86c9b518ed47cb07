"""What all admin pages of the console share: read-only, exportable, values as readable JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from wippy_console.admin import export

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)

_SHOWN_JSON = 20_000


if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
else:

    class ModelAdmin(admin.ModelAdmin):
        """Django's is generic for type checkers only."""

        def __class_getitem__(cls, _):
            return cls

    class TabularInline(admin.TabularInline):
        """The same for inlines."""

        def __class_getitem__(cls, _):
            return cls


class ReadOnlyAdmin(ModelAdmin[M]):
    """Rows that services write: the view permission shows them, and there is no adding, changing or deleting."""

    actions = [export.as_csv, export.as_json]
    list_per_page = 50
    show_full_result_count = False
    json_fields: tuple[str, ...] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Never, not along with another row either."""
        return False


class ReadOnlyInline(TabularInline[M, P]):
    """The same below a row that they belong to."""

    extra = 0
    can_delete = False

    def has_add_permission(self, *_: Any) -> bool:
        """Never."""
        return False

    def has_change_permission(self, *_: Any) -> bool:
        """Never."""
        return False


def pretty(value: Any) -> SafeString:
    """A JSON value over several lines; a long one is cut."""
    if value in (None, "", [], {}):
        return format_html("{}", "-")
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    cut = f"\n... {len(text):,} characters in all" if len(text) > _SHOWN_JSON else ""
    return format_html('<pre class="json">{}{}</pre>', text[:_SHOWN_JSON], cut)


def link(text: str, name: str, **where: Any) -> SafeString | str:
    """A link to a page of the console; plain text where no address spells the ids."""
    try:
        return format_html('<a href="{}">{}</a>', reverse(name, kwargs=where), text)
    except NoReverseMatch:
        return text
