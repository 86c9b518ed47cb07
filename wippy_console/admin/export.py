"""The export actions: the chosen rows as CSV or JSON, streamed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any, TypeVar

from django.contrib import admin
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import BinaryField, Model, QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from wippy_console.database.streams import attachment
from wippy_console.models import Decision
from wippy_console.models.masks import VeiledField
from wippy_console.services import decisions

M = TypeVar("M", bound=Model)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CHUNK = 500


class _Echo:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        """The line itself."""
        return line


@admin.action(description="Export as CSV", permissions=["view"])
def as_csv(model_admin: admin.ModelAdmin[M], request: HttpRequest, queryset: QuerySet[M]) -> StreamingHttpResponse:
    """One line per row; a cell that a spreadsheet would run as a formula gets an apostrophe in front."""
    writer = csv.writer(_Echo())
    names = _names(model_admin, request)
    lines = (writer.writerow([_cell(row[name]) for name in names]) for row in _rows(queryset, names))
    return _attachment(request, _with_head(writer.writerow(names), lines), queryset, "text/csv; charset=utf-8", "csv")


@admin.action(description="Export as JSON", permissions=["view"])
def as_json(model_admin: admin.ModelAdmin[M], request: HttpRequest, queryset: QuerySet[M]) -> StreamingHttpResponse:
    """A list of objects, one per line."""
    return _attachment(
        request, _json_lines(queryset, _names(model_admin, request)), queryset, "application/json", "json"
    )


def _json_lines(queryset: QuerySet[Any], names: list[str]) -> Iterator[str]:
    separator = "["
    for row in _rows(queryset, names):
        yield f"{separator}\n{json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)}"
        separator = ","
    yield "\n]\n" if separator == "," else "[]\n"


def _rows(queryset: QuerySet[Any], names: list[str]) -> Iterator[dict[str, Any]]:
    if queryset.model is Decision or any(
        isinstance(each, VeiledField) for each in queryset.model._meta.concrete_fields
    ):
        return ({name: _shown(each, name) for name in names} for each in queryset.iterator(chunk_size=_CHUNK))
    return iter(queryset.values(*names).iterator(chunk_size=_CHUNK))


def _shown(row: Any, name: str) -> Any:
    """A field as pages show it: until it is sent, the payload of a decision holds secrets in clear."""
    return decisions.shown_payload(row) if name == "payload" and isinstance(row, Decision) else getattr(row, name)


def _names(model_admin: Any, request: HttpRequest) -> list[str]:
    """The columns, without those that the page hides from this user."""
    fields = [each for each in model_admin.model._meta.concrete_fields if not isinstance(each, BinaryField)]
    hidden = model_admin.hidden(request)
    return [field.attname for field in fields if field.name not in hidden]


def _with_head(head: str, lines: Iterator[str]) -> Iterator[str]:
    yield head
    yield from lines


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if value is None:
        return ""
    text = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    return text[1:-1] if text.startswith('"') else text


def _attachment(
    request: HttpRequest, lines: Iterator[str], queryset: QuerySet[Any], kind: str, ending: str
) -> StreamingHttpResponse:
    return attachment(request, lines, kind, f"{queryset.model._meta.model_name}s.{ending}")
