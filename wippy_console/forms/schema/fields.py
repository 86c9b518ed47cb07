"""The kinds of fields: each says what its control holds for a value, and which value the control's content is.

The content (`Raw`) is what a browser would send: a text, a tick, texts of a list. It is compared to tell what a person
changed, so equal contents compare equal. `read` gives MISSING for what is empty, and raises Unreadable.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from wippy_console.forms.schema.posted import Posted
from wippy_console.forms.schema.values import MISSING, spelled, text_of
from wippy_console.services import exact
from wippy_console.services.exact import NotExactError

Raw = Any

MAX_FILE = 1_400_000
"""Bytes of a file; as Base64 they still fit into one field of Temporal."""

_BREAK = re.compile(r"\r\n|\r|\n")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Unreadable(Exception):
    """What was typed is no value of the field; the text says what would be."""


@dataclass(frozen=True, slots=True)
class Face:
    """What a person sees of any part, and what holds for all of them.

    `default` is the part's own; those of the parts around it win. `secret`: never shown again. `hides`: something
    within is, so that a JSON text of all of it is in no draft.
    """

    label: str = ""
    hint: str = ""
    required: bool = False
    nullable: bool = False
    secret: bool = False
    hides: bool = False
    placeholder: str = ""
    default: Any = MISSING


@dataclass(frozen=True)
class Field:
    """A text of one line, read as it stands."""

    face: Face
    kind: ClassVar[str] = "text"
    mode: ClassVar[str] = ""

    def draw(self, value: Any, zone: str) -> Raw:
        """The content of a control that holds the value; MISSING and null leave it empty."""
        return text_of(value)

    def take(self, data: Posted, name: str, zone: str) -> Raw:
        """The content that was sent. Browsers send CRLF for every line end of a text, whatever it was before."""
        return data.text(name).replace("\r\n", "\n")

    def read(self, raw: Raw, was: Any) -> Any:
        """The value of a content; `was` is the value that was drawn, where the content alone does not tell it."""
        return raw or MISSING

    def is_told(self, value: Any) -> bool:
        """Whether the content of a control that nobody touched may be taken at its word."""
        return True

    def unchanged(self, raw: Raw, was: Any, zone: str) -> bool:
        """Whether the control holds what it held when it was drawn with the value."""
        return bool(raw == self.draw(was, zone))


@dataclass(frozen=True)
class Text(Field):
    """A string. Nothing is trimmed; line ends are LF, or those of the text that was drawn."""

    long: bool = False
    inputmode: str = ""

    def read(self, raw: Raw, was: Any) -> Any:
        """The text itself."""
        if fault := exact.text_fault(raw):
            raise Unreadable(fault)
        if isinstance(was, str) and "\r" in was and "\n" not in was.replace("\r\n", ""):
            raw = raw.replace("\n", "\r\n")
        return raw or MISSING

    def draw(self, value: Any, zone: str) -> Raw:
        """Every line end is one character in a control."""
        return _BREAK.sub("\n", text_of(value))


@dataclass(frozen=True)
class Number(Field):
    """A number, exactly as it is written, or an error."""

    kind: ClassVar[str] = "number"
    whole: bool = False

    def read(self, raw: Raw, was: Any) -> Any:
        """An int where one is written."""
        text = raw.strip()
        if not text:
            return MISSING
        try:
            return exact.whole(text) if self.whole else exact.number(text)
        except NotExactError as error:
            raise Unreadable(str(error)) from None

    @property
    def inputmode(self) -> str:
        """Which keys a phone shows."""
        return "numeric" if self.whole else "decimal"


@dataclass(frozen=True)
class Flag(Field):
    """A box. One that nobody ticked is absent; one that was ticked before, or must be given, is false."""

    kind: ClassVar[str] = "flag"

    def draw(self, value: Any, zone: str) -> Raw:
        """Whether it is ticked."""
        return value is True

    def is_told(self, value: Any) -> bool:
        """One that was ticked is not, for unticking it is an answer."""
        return value is not True

    def take(self, data: Posted, name: str, zone: str) -> Raw:
        """Browsers don't send a box that is not ticked."""
        return data.text(name) not in ("", "false", "False", "0")

    def read(self, raw: Raw, was: Any) -> Any:
        """True, false or nothing."""
        return True if raw else False if self.face.required or was is True else MISSING


@dataclass(frozen=True)
class Day(Field):
    """A date, as ISO text."""

    kind: ClassVar[str] = "date"

    def read(self, raw: Raw, was: Any) -> Any:
        """As "2026-01-31"."""
        text = raw.strip()
        try:
            if text and not (_DAY.fullmatch(text) and date.fromisoformat(text)):
                raise ValueError
        except ValueError:
            raise Unreadable("Write a date, like 2026-01-31.") from None
        return text or MISSING


@dataclass(frozen=True)
class Json(Field):
    """Any value, as JSON text; `why` says what could not be drawn."""

    kind: ClassVar[str] = "json"
    why: str = ""

    def draw(self, value: Any, zone: str) -> Raw:
        """Indented; null is written, for here it is no emptiness."""
        return "" if value is MISSING else _indented(value)

    def read(self, raw: Raw, was: Any) -> Any:
        """The error names line and column."""
        if not raw.strip():
            return MISSING
        try:
            return exact.json_value(raw)
        except NotExactError as error:
            raise Unreadable(str(error)) from None


@dataclass(frozen=True)
class File(Field):
    """A small file, as Base64 text."""

    kind: ClassVar[str] = "file"
    accept: str = ""
    data_url: bool = False

    def draw(self, value: Any, zone: str) -> Raw:
        """A file control can't be filled; what it holds stays in the hidden value."""
        return ""

    def take(self, data: Posted, name: str, zone: str) -> Raw:
        """The file, or text from whoever sent one."""
        return data.file(name) or data.text(name)

    def read(self, raw: Raw, was: Any) -> Any:
        """Its bytes as Base64."""
        if isinstance(raw, str):
            return _base64(raw)
        if raw.size > MAX_FILE:
            raise Unreadable(f"This file is too large: {raw.size:,} bytes, the limit is {MAX_FILE:,}.")
        text = base64.b64encode(raw.read()).decode("ascii")
        return f"data:{raw.content_type or 'application/octet-stream'};base64,{text}" if self.data_url else text


def _base64(text: str) -> Any:
    """Sent as text by whoever has no file; "" is none."""
    try:
        base64.b64decode(text.partition(";base64,")[2] or text, validate=True)
    except ValueError:
        raise Unreadable("Choose a file.") from None
    return text or MISSING


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, dict | list) else spelled(value)
