"""A value, to the drafts of a form that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from wippy_console.forms.schema import matching, names
from wippy_console.forms.schema.defaults import filled
from wippy_console.forms.schema.drafts import (
    AnyDraft,
    ConstantDraft,
    FixedDraft,
    GroupDraft,
    Leaf,
    RowsDraft,
    VariantsDraft,
)
from wippy_console.forms.schema.fields import Face, Field, Json
from wippy_console.forms.schema.lists import fitting
from wippy_console.forms.schema.shapes import Constant, Fixed, Group, Rows, Shape, Variants
from wippy_console.forms.schema.values import MISSING
from wippy_console.services.exact import Path

REST = Json(Face("Further fields", "Names and values that have no field here, as one JSON object."))


MOST_DRAWN = 200
"""Items of a list; a longer one is better handled as a text."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a draft stands; `is_root` is what no group can leave out."""

    name: str
    path: Path = ()
    is_root: bool = False

    def part(self, name: str) -> Place:
        """The place of a property."""
        return Place(names.child(self.name, name), (*self.path, name))

    def item(self, key: int, index: int) -> Place:
        """The place of an item."""
        return Place(names.child(self.name, key), (*self.path, index))

    def option(self, index: int) -> Place:
        """The place of an alternative."""
        return Place(names.alternative(self.name, index), self.path)

    def rest(self) -> Place:
        """The place of what has no field."""
        return Place(names.beside(self.name, "rest"), self.path)


def root(shape: Shape) -> Place:
    """The place of a whole value."""
    return Place(names.PREFIX if isinstance(shape, Group) else names.WHOLE, is_root=True)


def drawn(shape: Shape, value: Any, place: Place, zone: str) -> AnyDraft:
    """The draft of a part that holds the value, or MISSING."""
    match shape:
        case Group():
            return _group(shape, value, place, zone)
        case Rows():
            return _rows(shape, value, place, zone)
        case Variants():
            return _variants(shape, value, place, zone)
        case Fixed():
            return FixedDraft(place.name, place.path, value, shape)
        case Constant():
            left_out = value is MISSING and not shape.face.required
            return ConstantDraft(place.name, place.path, value, shape, left_out)
        case _:
            return leaf(shape, value, place, zone)


def leaf(shape: Field, value: Any, place: Place, zone: str) -> Leaf:
    """The draft of a field."""
    empty = "null" if value is None and shape.face.nullable else ""
    return Leaf(place.name, place.path, value, shape, shape.draw(value, zone), was=value, empty=empty, zone=zone)


def others(shape: Group, value: Any) -> Any:
    """The properties of a value that have no part of their own; MISSING when there are none."""
    known = {name for name, _ in shape.parts}
    found = {name: item for name, item in value.items() if name not in known} if isinstance(value, Mapping) else {}
    return found or MISSING


def within(shape: Group, value: Any, name: str, part: Shape) -> Any:
    """What a part of an object is drawn with: of an absent object, what it would be filled with."""
    return value.get(name, MISSING) if isinstance(value, Mapping) else filled(part)


def rest(shape: Group) -> Json:
    """The field of what has no part of its own."""
    return replace(REST, face=replace(REST.face, secret=shape.face.secret, hides=shape.face.hides))


def _group(shape: Group, value: Any, place: Place, zone: str) -> AnyDraft:
    if value is not MISSING and not isinstance(value, Mapping):
        return leaf(Json(shape.face, "this value is no object"), value, place, zone)
    optional = not (place.is_root or shape.face.required)
    parts = {name: drawn(part, within(shape, value, name, part), place.part(name), zone) for name, part in shape.parts}
    more = others(shape, value)
    further = leaf(rest(shape), more, place.rest(), zone) if shape.is_open or more is not MISSING else None
    return GroupDraft(place.name, place.path, value, shape, parts, further, has=value is not MISSING, optional=optional)


def _rows(shape: Rows, value: Any, place: Place, zone: str) -> AnyDraft:
    if lines := fitting(shape, value):
        return leaf(lines, value, place, zone)
    listed = [] if value is MISSING else value
    if not isinstance(listed, list) or len(listed) > MOST_DRAWN:
        return leaf(Json(shape.face, "no list, or a long one"), value, place, zone)
    items = [drawn(shape.item, each, place.item(index, index), zone) for index, each in enumerate(listed)]
    has = value is not MISSING
    keys = list(range(len(items)))
    return RowsDraft(place.name, place.path, value, shape, items, keys, optional=not shape.face.required, has=has)


def _variants(shape: Variants, value: Any, place: Place, zone: str) -> AnyDraft:
    pick = matching.pick(shape, value)
    if value is not MISSING and pick == "":
        return leaf(Json(shape.face, "this value is none of the alternatives"), value, place, zone)
    options = []
    for index, option in enumerate(shape.options):
        held = value if str(index) == pick else filled(option.shape)
        options.append(drawn(option.shape, held, place.option(index), zone))
    return VariantsDraft(place.name, place.path, value, shape, options, pick, pick)
