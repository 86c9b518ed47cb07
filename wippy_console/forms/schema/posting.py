"""What a browser sent, to the drafts of the form that it was sent from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
from wippy_console.forms.schema.drawing import Place, drawn, others, rest
from wippy_console.forms.schema.fields import Field, Json
from wippy_console.forms.schema.lists import as_lines
from wippy_console.forms.schema.posted import Posted, counted
from wippy_console.forms.schema.shapes import Constant, Fixed, Group, Rows, Shape, Variants
from wippy_console.forms.schema.values import MISSING
from wippy_console.services import exact
from wippy_console.services.exact import NotExactError

MOST_ITEMS = 2_000
"""Of all lists of a form together: a few bytes could else name millions."""


TOO_MANY = f"A form takes up to {MOST_ITEMS:,} items."


@dataclass(slots=True)
class Room:
    """How many items there may still be."""

    left: int = MOST_ITEMS

    def take(self, keys: list[int]) -> list[int]:
        """Those that there is room for."""
        taken = keys[: max(self.left, 0)]
        self.left -= len(taken)
        return taken


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one request.

    A part's `suggestion` is what it was drawn with. Who sends fields without the marks of a drawn form (`bare`)
    was suggested nothing: what is given in an object makes it be there.
    """

    data: Posted
    zone: str
    bare: bool = False
    room: Room = field(default_factory=Room)

    def draft(self, shape: Shape, suggestion: Any, place: Place) -> AnyDraft:
        """The draft of a part."""
        match shape:
            case Group():
                return self._group(shape, suggestion, place)
            case Rows():
                return self._rows(shape, suggestion, place)
            case Variants():
                return self._variants(shape, suggestion, place)
            case Fixed():
                return FixedDraft(place.name, place.path, suggestion, shape)
            case Constant():
                left_out = self.data.has(names.beside(place.name, "out"))
                return ConstantDraft(place.name, place.path, suggestion, shape, left_out)
            case _:
                return self._leaf(shape, suggestion, place)

    def _leaf(self, shape: Field, suggestion: Any, place: Place) -> Leaf:
        raw = shape.take(self.data, place.name, self.zone)
        empty = self.data.text(names.beside(place.name, "empty"))
        was = self._was(place)
        return Leaf(place.name, place.path, suggestion, shape, raw, was=was, empty=empty, zone=self.zone)

    def _was(self, place: Place) -> Any:
        try:
            text = self.data.text(names.beside(place.name, "was"))
            return exact.json_value(text) if text else MISSING
        except NotExactError:
            return MISSING

    def _group(self, shape: Group, suggestion: Any, place: Place) -> AnyDraft:
        optional = not (place.is_root or shape.face.required)
        marked = self.data.has(names.beside(place.name, "drawn"))
        reader = replace(self, bare=self.bare or (optional and not marked))
        parts = {
            name: reader.draft(part, reader.suggested(suggestion, name, part), place.part(name))
            for name, part in shape.parts
        }
        beside = place.rest()
        is_drawn = self.data.has(beside.name) or (shape.is_open and self.data.is_restored)
        more = self._leaf(rest(shape), others(shape, suggestion), beside) if is_drawn else None
        has = not optional or self.data.has(names.beside(place.name, "has"))
        out = self.data.text(names.beside(place.name, "drawn")) == "out"
        return GroupDraft(place.name, place.path, suggestion, shape, parts, more, has, optional, out)

    def suggested(self, suggestion: Any, name: str, part: Shape) -> Any:
        """What a part of an object was drawn with."""
        if isinstance(suggestion, Mapping):
            return suggestion.get(name, MISSING)
        return MISSING if self.bare else filled(part)

    def _rows(self, shape: Rows, suggestion: Any, place: Place) -> AnyDraft:
        if not self.data.has(names.beside(place.name, "n")) and self.data.has(place.name):
            return self._leaf(as_lines(shape) or Json(shape.face), suggestion, place)
        listed = suggestion if isinstance(suggestion, list) else []
        order, moved = self._order(place), self.data.text(names.beside(place.name, "do"))
        wanted = reordered(order, moved, len(listed))
        keys = self.room.take(wanted)
        items: list[AnyDraft] = []
        for index, key in enumerate(keys):
            where = place.item(key, index)
            known = listed[key] if key < len(listed) else filled(shape.item)
            items.append(self.draft(shape.item, known, where) if key in order else self._new(shape.item, where))
        optional, has = not shape.face.required, isinstance(suggestion, list)
        made = RowsDraft(place.name, place.path, suggestion, shape, items, keys, optional, has, moved)
        made.errors += [TOO_MANY] if len(keys) < len(wanted) else []
        return made

    def _new(self, shape: Shape, place: Place) -> AnyDraft:
        found = drawn(shape, filled(shape), place, self.zone)
        first = next((each for each in found.every() if isinstance(each, Leaf | VariantsDraft)), found)
        first.focus = True
        return found

    def _order(self, place: Place) -> list[int]:
        sent = self.data.text(names.beside(place.name, "n")).split()
        return list(dict.fromkeys(key for text in sent if (key := counted(text)) >= 0))

    def _variants(self, shape: Variants, suggestion: Any, place: Place) -> AnyDraft:
        picked = names.beside(place.name, "pick")
        if not self.data.has(picked) and self.data.text(place.name):
            return self._leaf(Json(shape.face), suggestion, place)
        was = matching.pick(shape, suggestion)
        options = []
        for index, option in enumerate(shape.options):
            held = suggestion if str(index) == was else filled(option.shape)
            options.append(self.draft(option.shape, held, place.option(index)))
        pick = self.data.text(picked)
        return VariantsDraft(place.name, place.path, suggestion, shape, options, pick, was)


def reordered(order: list[int], act: str, drawn: int = 0) -> list[int]:
    """The keys of a list's items after a button was pressed: `add`, `remove 3`, `up 3`, `down 3`.

    Keys under `drawn` are those of the items that were there in the beginning; no other item ever has them.
    """
    word, _, text = act.partition(" ")
    if word == "add":
        return [*order, max([drawn - 1, *order]) + 1]
    key = counted(text)
    if key not in order:
        return order
    rest = [each for each in order if each != key]
    if word == "remove":
        return rest
    index = order.index(key) + {"up": -1, "down": 1}.get(word, 0)
    index = max(index, 0)
    return [*rest[:index], key, *rest[index:]]
