"""What requests and answers have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema

from wippy_console.services import exact

T = TypeVar("T")
_YEARS = range(2, 9999)  # any zone can tell these


class Body(Schema):
    """Of a request: nothing is turned into something else, nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", strict=True)


def payloads(body: Body) -> list[Any]:
    """The one payload of a message, or none: null is one."""
    return [body.payload] if "payload" in body.model_fields_set else []  # type: ignore[attr-defined] # bodies of messages


class Nothing(Body):
    """An object without members, or no body."""


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("Add the zone: 2026-01-31T12:00:00Z.")
    if moment.year not in _YEARS:
        raise ValueError("That time is too far away.")
    return moment.astimezone(UTC)


def _kept(text: str) -> str:
    if fault := exact.text_fault(text):
        raise ValueError(fault)
    return text


Moment = Annotated[datetime, Field(strict=False), AfterValidator(_aware)]
"""A time with its zone (RFC 3339)."""

Text = Annotated[str, AfterValidator(_kept)]
"""A text that every database keeps."""

Json = Annotated[Any, WithJsonSchema({"description": "any JSON value; whole numbers have up to 64 bits"})]
"""A value as Lua has it."""

Limit = Annotated[int, Field(ge=1, le=200, description="most items of the page")]
Cursor = Annotated[str, Field(max_length=2000, description="`next` of the page before; empty for the first page")]


class PageOf(Schema, Generic[T]):
    """Items of a list, newest first unless the list says otherwise; `next` is "" on the last page."""

    items: list[T]
    next: str = ""
