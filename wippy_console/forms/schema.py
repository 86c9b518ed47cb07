"""A form drawn from a JSON Schema, and the JSON value that was put into it.

Drawn: objects of strings, numbers, booleans, enums, dates, long texts, lists of scalars and further objects.
What can't be drawn becomes one JSON text area. The schema itself is checked by the services, which know it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.forms.boundfield import BoundField

from wippy_console.forms.fields import MISSING, field_for, is_object, main_type
from wippy_console.forms.refusals import RefusableForm
from wippy_console.services import schemas

NOTHING: Mapping[str, Any] = {"type": "null"}
"""The schema of what has no form: no field is drawn."""

WHOLE = "value"
"""The name of the one field of a schema that is not an object of properties."""


@dataclass(frozen=True, slots=True)
class Node:
    """One drawn thing: a field (`bound`), or a group with its own nodes."""

    bound: BoundField | None = None
    legend: str = ""
    description: str = ""
    nodes: list[Node] = field(default_factory=list)


class SchemaForm(RefusableForm):
    """Field names are the dotted paths of the value's properties: `customer.name`."""

    def __init__(self, schema: Mapping[str, Any] | None, data: Any = None, *, value: Any = MISSING) -> None:
        self.schema = NOTHING if schema is None else schema
        super().__init__(data, prefix="f", initial=initial_of(value))
        for path, part, required in leaves(self.schema):
            self.fields[path] = field_for(part, path, required=required)

    def nodes(self) -> list[Node]:
        """The drawn tree."""
        if not is_object(self.schema):
            return [Node(bound=self[name]) for name in self.fields]
        return self._nodes(self.schema, "")

    def _nodes(self, schema: Mapping[str, Any], prefix: str) -> list[Node]:
        return [self._node(f"{prefix}{name}", part) for name, part in schema["properties"].items() if is_drawn(part)]

    def _node(self, path: str, part: Mapping[str, Any]) -> Node:
        if not is_object(part):
            return Node(bound=self[path])
        legend = part.get("title") or path.rpartition(".")[2].replace("_", " ").capitalize()
        return Node(legend=legend, description=part.get("description", ""), nodes=self._nodes(part, f"{path}."))

    def clean(self) -> dict[str, Any]:
        """Check the schema's other rules too, so that everything wrong is shown at once."""
        cleaned = super().clean() or self.cleaned_data
        value = self.value()
        if value is not MISSING:
            for name, errors in schemas.problems(self.schema, value).items():
                self._add(self.field_of(name), errors)
        return cleaned

    def _add(self, path: str | None, errors: list[str]) -> None:
        """Add errors unless the field has its own already, which say it better."""
        if path not in self.errors:
            self.add_error(path, errors)

    def value(self) -> Any:
        """The JSON value of a valid form; empty optional fields are left out. MISSING when nothing was given."""
        if not is_object(self.schema):
            return self.cleaned_data.get(WHOLE, MISSING) if self.fields else MISSING
        result: dict[str, Any] = {}
        for path, _, _ in leaves(self.schema):
            if self.cleaned_data.get(path, MISSING) is not MISSING:
                put(result, path, self.cleaned_data[path])
        fill_groups(self.schema, result)
        return result

    def field_of(self, name: str) -> str | None:
        """The field that an error's path belongs to: itself, or the nearest drawn one above it."""
        path = name.strip("./").replace("/", ".")
        while path and path not in self.fields:
            path = path.rpartition(".")[0]
        return path or (WHOLE if WHOLE in self.fields else None)


def is_drawn(part: Any) -> bool:
    """A constant is no question to anybody."""
    return isinstance(part, Mapping) and "const" not in part


def leaves(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Each field to draw as (dotted path, its schema, whether it must be given)."""
    if not is_object(schema):
        if not prefix and main_type(schema) != "null":
            yield WHOLE, schema, False
        return
    required = schema.get("required", ())
    for name, part in schema["properties"].items():
        if is_drawn(part) and is_object(part):
            yield from leaves(part, f"{prefix}{name}.")
        elif is_drawn(part):
            yield f"{prefix}{name}", part, name in required


def put(target: dict[str, Any], path: str, value: Any) -> None:
    """Set a value at a dotted path, making the objects on the way."""
    *way, last = path.split(".")
    for name in way:
        target = target.setdefault(name, {})
    target[last] = value


def fill_groups(schema: Mapping[str, Any], result: dict[str, Any]) -> None:
    """Add constants, and required objects of which nothing was filled in, so that the schema's own errors are shown."""
    for name, part in schema.get("properties", {}).items():
        if isinstance(part, Mapping) and "const" in part:
            result[name] = part["const"]
        elif isinstance(part, Mapping) and is_object(part) and (name in result or name in schema.get("required", ())):
            fill_groups(part, result.setdefault(name, {}))


def initial_of(value: Any, prefix: str = "") -> dict[str, Any]:
    """A JSON value as initial data by dotted path."""
    if value is MISSING:
        return {}
    if not isinstance(value, Mapping):
        return {prefix.rstrip(".") or WHOLE: value}
    found: dict[str, Any] = {}
    for name, part in value.items():
        found |= {
            f"{prefix}{name}": part,
            **(initial_of(part, f"{prefix}{name}.") if isinstance(part, Mapping) else {}),
        }
    return found
