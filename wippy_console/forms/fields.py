"""The form field for one part of a JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django import forms

LONG = 160
"""A text that may be longer than this gets several lines."""

FEW = 4
"""Up to so many alternatives are shown at once, more in a list to open."""


class Missing:
    """The absence of a value, where None is a value (JSON null)."""

    def __bool__(self) -> bool:
        return False


MISSING = Missing()

Part = Mapping[str, Any]


def is_object(schema: Any) -> bool:
    """Whether the schema is an object with known properties, which is drawn as a group."""
    return isinstance(schema, Mapping) and isinstance(schema.get("properties"), Mapping) and "$ref" not in schema


def main_type(part: Part) -> str:
    """The type that decides about the field: the first that is not null."""
    given = part.get("type", "")
    kinds = [given] if isinstance(given, str) else [kind for kind in given if kind != "null"]
    return str(kinds[0]) if kinds else "null"


class JsonText(forms.CharField):
    """A JSON value of any shape; left empty it is no value."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        """Parse it; the error names line and column."""
        text = super().clean(value)
        if not text.strip():
            return MISSING
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise forms.ValidationError(
                f"This is no JSON: {error.msg} (line {error.lineno}, column {error.colno})."
            ) from None

    def prepare_value(self, value: Any) -> Any:
        """A value that comes from us, not from the form's text, is written as JSON."""
        return value if isinstance(value, str) or value is None else json.dumps(value, indent=2, ensure_ascii=False)


class Optional:
    """Mixin of fields whose emptiness means that the value is left out."""

    def clean(self, value: Any) -> Any:
        """MISSING for an empty field that need not be filled in."""
        cleaned = super().clean(value)  # type: ignore[misc]
        return MISSING if cleaned in (None, "", []) else cleaned


class Text(Optional, forms.CharField):
    """A string."""


class Whole(Optional, forms.IntegerField):
    """An integer."""


class Number(Optional, forms.FloatField):
    """A number; whole ones stay integers, as JSON Schema counts them."""

    def clean(self, value: Any) -> Any:
        """2.0 is sent as 2."""
        cleaned = super().clean(value)
        return int(cleaned) if isinstance(cleaned, float) and cleaned.is_integer() else cleaned


class Day(Optional, forms.DateField):
    """A date, sent as ISO text."""

    def clean(self, value: Any) -> Any:
        """As "2026-01-31"."""
        cleaned = super().clean(value)
        return cleaned.isoformat() if isinstance(cleaned, date) else cleaned


class Instant(Optional, forms.DateTimeField):
    """A date with time in UTC, sent as ISO text."""

    def clean(self, value: Any) -> Any:
        """As "2026-01-31T10:00:00Z"."""
        cleaned = super().clean(value)
        return f"{cleaned:%Y-%m-%dT%H:%M:%S}Z" if isinstance(cleaned, datetime) else cleaned


def option_keys(field: Any) -> list[Any]:
    """The keys of a choice field's options."""
    return [key for key, _ in field.choices]


class Choice(Optional, forms.ChoiceField):
    """One of an enum's values, of any JSON type: the option holds its JSON text."""

    def clean(self, value: Any) -> Any:
        """The value itself."""
        cleaned = super().clean(value)
        return cleaned if cleaned is MISSING else json.loads(cleaned)

    def prepare_value(self, value: Any) -> Any:
        """What was sent is JSON text already; a default is not."""
        return value if value in option_keys(self) else json.dumps(value)


class Lines(Optional, forms.CharField):
    """A list of scalars, one per line."""

    def __init__(self, item: Part, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), **kwargs)
        self.item = item

    def clean(self, value: Any) -> Any:
        """Each line by the type of the items."""
        text = super().clean(value)
        return (
            text if text is MISSING else [scalar(self.item, line.strip()) for line in text.splitlines() if line.strip()]
        )

    def prepare_value(self, value: Any) -> Any:
        """A default list as lines."""
        return "\n".join(str(each) for each in value) if isinstance(value, list) else value


class Choices(Optional, forms.MultipleChoiceField):
    """A list of an enum's values."""

    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> Any:
        """The values themselves."""
        cleaned = super().clean(value)
        return cleaned if cleaned is MISSING else [json.loads(each) for each in cleaned]

    def prepare_value(self, value: Any) -> Any:
        """Defaults as the JSON texts of the options."""
        keys = option_keys(self)
        return [each if each in keys else json.dumps(each) for each in value] if isinstance(value, list) else value


def scalar(item: Part, text: str) -> Any:
    """A line as the item's type; what can't be read stays text, and the schema's check says so."""
    if main_type(item) in ("integer", "number", "boolean"):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text


def field_for(part: Part, path: str, *, required: bool) -> forms.Field:
    """The field of one part; numbers, dates and JSON are read here, every other rule is checked by the service."""
    name = path.rpartition(".")[2]
    common = {
        "label": part.get("title") or name.replace("_", " ").capitalize(),
        "help_text": part.get("description", ""),
        "required": required and main_type(part) != "boolean",
        "initial": part.get("default"),
    }
    made = build(part, common)
    if examples := part.get("examples"):
        made.widget.attrs["placeholder"] = str(examples[0])
    return dressed(made)


def build(part: Part, common: dict[str, Any]) -> forms.Field:
    """Choose by enum, type and format."""
    if isinstance(part.get("enum"), list):
        return enum(part["enum"], common)
    makers: dict[str, Callable[[Part, dict[str, Any]], forms.Field]] = {
        "string": string, "integer": integer, "number": number, "boolean": boolean, "array": array,
    }  # fmt: skip
    return makers.get(main_type(part), anything)(part, common)


def enum(values: list[Any], common: dict[str, Any]) -> forms.Field:
    """Few alternatives as radio buttons, many as a list."""
    options = [(json.dumps(value), value if isinstance(value, str) else json.dumps(value)) for value in values]
    if len(options) <= FEW and common["required"]:
        return Choice(choices=options, widget=forms.RadioSelect, **common)
    return Choice(choices=[("", "Choose…" if common["required"] else "Not given"), *options], **common)


def string(part: Part, common: dict[str, Any]) -> forms.Field:
    """By format; `format: textarea` or a long maximum gives several lines."""
    match part.get("format"):
        case "date":
            return Day(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **common)
        case "date-time":
            common["help_text"] = f"{common['help_text']} In UTC.".strip()
            return Instant(widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}), **common)
        case "email" | "uri" as form:
            return Text(widget=forms.TextInput(attrs={"inputmode": "email" if form == "email" else "url"}), **common)
    if part.get("format") in ("textarea", "multiline", "markdown") or (part.get("maxLength") or 0) > LONG:
        return Text(widget=forms.Textarea(attrs={"rows": 4}), **common)
    return Text(**common)


def integer(part: Part, common: dict[str, Any]) -> forms.Field:
    """Bounds are hints to the browser here; the service checks them."""
    return Whole(widget=forms.NumberInput(attrs=bounds(part) | {"step": "1"}), **common)


def number(part: Part, common: dict[str, Any]) -> forms.Field:
    """Any step, so that 12.5 is fine."""
    return Number(widget=forms.NumberInput(attrs=bounds(part) | {"step": "any"}), **common)


def bounds(part: Part) -> dict[str, Any]:
    """The schema's minimum and maximum as attributes."""
    return {name: part[key] for name, key in (("min", "minimum"), ("max", "maximum")) if key in part}


def boolean(part: Part, common: dict[str, Any]) -> forms.Field:
    """An unticked box is false, never missing."""
    return forms.BooleanField(**common)


def array(part: Part, common: dict[str, Any]) -> forms.Field:
    """Scalars one per line, an enum as boxes, everything else as JSON."""
    item = part.get("items")
    if not isinstance(item, Mapping):
        return anything(part, common)
    if isinstance(item.get("enum"), list):
        return Choices(choices=[(json.dumps(each), str(each)) for each in item["enum"]], **common)
    if main_type(item) in ("string", "integer", "number", "boolean"):
        common["help_text"] = f"{common['help_text']} One per line.".strip()
        return Lines(item, **common)
    return anything(part, common)


def anything(part: Part, common: dict[str, Any]) -> forms.Field:
    """A JSON text."""
    common["help_text"] = f"{common['help_text']} JSON.".strip()
    return JsonText(widget=forms.Textarea(attrs={"class": "code", "rows": 5, "spellcheck": "false"}), **common)


def dressed(made: forms.Field) -> forms.Field:
    """Our class on every one-line widget."""
    if isinstance(made.widget, forms.TextInput | forms.NumberInput | forms.DateInput | forms.DateTimeInput):
        made.widget.attrs["class"] = "input"
    return made
