"""What all admin pages of the console share: read-only, exportable, values as readable JSON."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from wippy_console import permissions
from wippy_console.admin import export, filters, frugal, searching
from wippy_console.models.masks import VeiledField
from wippy_console.services import grants
from wippy_console.templatetags.columns import pretty

__all__ = ["FrugalAdmin", "ModelAdmin", "ReadOnlyAdmin", "ReadOnlyInline", "TabularInline", "link", "pretty"]

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)

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


class FrugalAdmin(ModelAdmin[M]):
    """Lists that read no more rows of a large table than they show, and draw them as the console does."""

    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = frugal.Pages
    small = False
    """Whether the table never has more than some ten thousand rows, as those of people and of processes."""
    search_words: tuple[str, ...] = ()
    """Fields whose words are looked for in the newest rows; `search_fields` are found by their beginning."""

    @cached_property
    def _columns(self) -> list[Any]:
        return frugal.drawn_columns(self.model, self.list_display)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """With times and states drawn."""
        return self._columns

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Django's own filter of a text reads the whole table for its values."""
        return [filters.of(self.model, each) for each in self.list_filter]

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        """Columns that an index has in order; all of a small table."""
        return self._columns if self.small else frugal.sortable(self.model, self._columns)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        """Rows found by indexes."""
        text = search_term.strip()
        if not text:
            return queryset, False
        return searching.found(queryset, self.search_fields, self.search_words, text), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """One that holds to them."""
        return frugal.Rows


class ReadOnlyAdmin(FrugalAdmin[M]):
    """Rows that services write: the view permission shows them, and there is no adding, changing or deleting."""

    actions = [export.as_csv, export.as_json]
    namespace = ""
    entry = ""
    everything = False
    relatives: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    """Rows are those of the namespaces where the right to view counts: by a path to a namespace, or to an entry's id.
    For whoever sees everything alone: all rows (`everything`), and fields that may name units of others (`relatives`).
    What is in `exclude` is on no page and in no export, and no list is narrowed by it, nor by what is shown `masked`.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        """The rows that the user may see."""
        rows = super().get_queryset(request)
        if self.everything and not self.sees_all(request):
            return rows.none()
        if not (self.namespace or self.entry):
            return rows
        return grants.narrowed(rows, request.user, self.right, namespace=self.namespace, entry=self.entry)

    @property
    def right(self) -> str:
        """The right to view rows of the model."""
        return f"{self.opts.app_label}.view_{self.opts.model_name}"

    def sees_all(self, request: HttpRequest) -> bool:
        """Whether no namespace is hidden from the user."""
        return permissions.scope(request.user, self.right).everywhere

    def hidden(self, request: HttpRequest) -> set[str]:
        """The fields that this user is shown nowhere."""
        return {*(self.exclude or ()), *(() if self.sees_all(request) else self.relatives)}

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Not by what is hidden: a list that is narrowed by it would tell it letter by letter."""
        field = lookup.partition("__")[0]
        masked = {*self.masked, *(each.name for each in self.opts.concrete_fields if isinstance(each, VeiledField))}
        if request is None or field in masked or field in self.hidden(request):
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_fieldsets(self, request: HttpRequest, obj: M | None = None) -> Any:
        """Without relatives for whoever does not see everything."""
        found = super().get_fieldsets(request, obj)
        if not self.relatives or self.sees_all(request):
            return found
        return [(title, {**each, "fields": self._without(each["fields"])}) for title, each in found]

    def _without(self, names: Any) -> list[Any]:
        return [each for each in names if each not in self.relatives]

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


def link(text: str, name: str, **where: Any) -> SafeString | str:
    """A link to a page of the console; plain text where no address spells the ids."""
    try:
        return format_html('<a href="{}">{}</a>', reverse(name, kwargs=where), text)
    except NoReverseMatch:
        return text
