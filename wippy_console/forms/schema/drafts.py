"""What stands in a form: a tree like the schema's, of what was drawn, typed and found wrong. Templates show it.

Each draft knows its `path` in the value and the `name` of its fields. `suggestion` is the value that was drawn when
nobody touched it. `read` gives the value, MISSING when there is none, and notes `errors`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from wippy_console.forms.schema.choices import Choice
from wippy_console.forms.schema.controls import Control
from wippy_console.forms.schema.fields import Field, Raw, Unreadable
from wippy_console.forms.schema.posted import counted
from wippy_console.forms.schema.shapes import Constant, Fixed, Group, Rows, Variants
from wippy_console.forms.schema.values import MISSING, same, text_of
from wippy_console.services.exact import Path

REQUIRED = "This field is required."
TEMPLATES = "forms/schema"


@dataclass
class Draft:
    """What all drafts have."""

    name: str
    path: Path
    suggestion: Any
    errors: list[str] = field(default_factory=list, kw_only=True)
    focus: bool = field(default=False, kw_only=True)

    @property
    def id(self) -> str:
        """Of the element that a label, or an error's link, leads to."""
        return f"id_{self.name}"

    @property
    def anchor(self) -> str:
        """The id for an address."""
        return quote(self.id)

    @property
    def label(self) -> str:
        """What it is called, with where it stands in lists."""
        shape: Any = getattr(self, "shape", None)
        places = [str(part + 1) for part in self.path if isinstance(part, int)]
        return " ".join([shape.face.label or "Item", *places])

    @property
    def described_by(self) -> str:
        """The ids of what is said below it."""
        said = [("hint", self.has_hint), ("error", bool(self.errors))]
        return " ".join(f"{self.id}_{what}" for what, there in said if there)

    @property
    def has_hint(self) -> bool:
        """Whether anything is said of it."""
        return False

    def children(self) -> Iterator[Draft]:
        """The drafts within."""
        yield from ()

    def every(self) -> Iterator[Draft]:
        """This and all within it."""
        yield self
        for child in self.children():
            yield from child.every()


@dataclass
class Leaf(Draft):
    """A field with the content of its control.

    `was` is the value that it was drawn with, where the content alone does not tell it; `empty` says what emptiness is.
    """

    shape: Field
    raw: Raw
    was: Any = MISSING
    empty: str = ""
    zone: str = "UTC"

    template = f"{TEMPLATES}/leaf.html"

    @property
    def control(self) -> Control:
        """How it looks."""
        return Control(self.shape, self.raw, self.was, self.zone)

    @property
    def has_hint(self) -> bool:
        """Its schema's description, or how to fill it in."""
        return bool(self.shape.face.hint or self.control.hint)

    @property
    def says_empty(self) -> bool:
        """Whether that is a question of its own: a choice has null among its options."""
        return self.has_emptiness and not isinstance(self.shape, Choice)

    def read(self) -> Any:
        """The value of the control's content."""
        try:
            value = self._content()
        except Unreadable as error:
            self.errors.append("This can't be read; type it once more." if self.shape.face.secret else str(error))
            return MISSING
        return self._emptiness() if value is MISSING else value

    def touched(self) -> bool:
        """Whether somebody changed it."""
        if self.empty != ("null" if self.suggestion is None else "") and self.has_emptiness:
            return True
        if self.shape.face.secret and not self.raw:
            return False
        return not self.shape.unchanged(self.raw, self.suggestion, self.zone)

    @property
    def has_emptiness(self) -> bool:
        """Whether a person says what it means when it is empty: nothing, or null."""
        return self.shape.face.nullable and not self.shape.face.required

    @property
    def is_kept(self) -> bool:
        """Whether what is typed here is kept in drafts."""
        face, kind = self.shape.face, self.shape.kind
        return not (face.secret or kind == "file" or (face.hides and kind == "json"))

    @property
    def kept(self) -> str:
        """The hidden value, "" when the content tells it."""
        value = self.was
        return "" if value is MISSING or self.shape.face.secret or self._told(value) else json.dumps(value)

    def _told(self, value: Any) -> bool:
        if value is None and self.shape.face.nullable:
            return True
        if not self.shape.is_told(value):
            return False
        try:
            found = self.shape.read(self.shape.draw(value, self.zone), MISSING)
        except Unreadable:
            return False
        return same(found, value)

    def _content(self) -> Any:
        if self.shape.face.secret and not self.raw:
            return self.suggestion
        if self.was is not MISSING and self.shape.unchanged(self.raw, self.was, self.zone):
            return self.was
        return self.shape.read(self.raw, self.was)

    def _emptiness(self) -> Any:
        face = self.shape.face
        if face.nullable and (face.required or self.empty == "null"):
            return None
        if face.required and self.shape.kind != "flag":
            self.errors.append(REQUIRED)
        return MISSING


@dataclass
class FixedDraft(Draft):
    """A read-only part, sent as it was drawn."""

    shape: Fixed

    template = f"{TEMPLATES}/fixed.html"

    @property
    def shown(self) -> str:
        """The value in words."""
        return "—" if self.suggestion is MISSING else text_of(self.suggestion)

    def read(self) -> Any:
        """What was drawn."""
        return self.suggestion

    def touched(self) -> bool:
        """Nobody can."""
        return False


@dataclass
class ConstantDraft(Draft):
    """A constant; `left_out` when the value that was drawn had none."""

    shape: Constant
    left_out: bool = False

    template = f"{TEMPLATES}/constant.html"

    def read(self) -> Any:
        """Always the same."""
        return MISSING if self.left_out else self.shape.value

    def touched(self) -> bool:
        """Nobody can."""
        return False


@dataclass
class GroupDraft(Draft):
    """An object. One that may be left out is there when its box is ticked (`has`), or something in it was touched.

    `left_out`: somebody took the tick away, whatever stands in it.
    """

    shape: Group
    parts: dict[str, AnyDraft]
    rest: Leaf | None = None
    has: bool = True
    optional: bool = False
    left_out: bool = False

    template = f"{TEMPLATES}/group.html"

    def children(self) -> Iterator[Draft]:
        """Properties in the schema's order."""
        yield from self.parts.values()
        yield from [self.rest] if self.rest else []

    def read(self) -> Any:
        """The object."""
        if not self.is_there():
            return MISSING
        found = {name: part.read() for name, part in self.parts.items()}
        return {name: value for name, value in found.items() if value is not MISSING} | self._others()

    def is_there(self) -> bool:
        """Whether it is sent."""
        return self.has or not self.optional or (not self.left_out and self.touched())

    def touched(self) -> bool:
        """Whether anything in it was."""
        return any(part.touched() for part in self.parts.values()) or bool(self.rest and self.rest.touched())

    def _others(self) -> dict[str, Any]:
        value = self.rest.read() if self.rest else MISSING
        if value is MISSING or self.rest is None:
            return {}
        if not isinstance(value, dict):
            self.rest.errors.append('Write a JSON object, like {"name": 1}.')
            return {}
        known = [name for name, _ in self.shape.parts if name in value]
        if known:
            self.rest.errors.append(f"{known[0]} has a field of its own.")
        return {name: item for name, item in value.items() if name not in known}


@dataclass
class RowsDraft(Draft):
    """A list, item by item. `moved` is the button that was pressed last: "up 3"."""

    shape: Rows
    items: list[AnyDraft]
    keys: list[int]
    optional: bool = False
    has: bool = False
    moved: str = ""

    template = f"{TEMPLATES}/rows.html"

    def children(self) -> Iterator[Draft]:
        """Its items."""
        yield from self.items

    def read(self) -> Any:
        """The list; one that has no items is absent, unless it was drawn, or must be there."""
        if not self.items and self.optional and not self.has:
            return MISSING
        return [None if (value := item.read()) is MISSING else value for item in self.items]

    def touched(self) -> bool:
        """Whether it has other items than before, or anything in one was touched."""
        drawn = self.suggestion if isinstance(self.suggestion, list) else []
        return self.keys != list(range(len(drawn))) or any(item.touched() for item in self.items)

    @property
    def is_full(self) -> bool:
        """Whether the schema allows no further item."""
        return self.shape.most is not None and len(self.items) >= self.shape.most

    @property
    def keyed(self) -> list[tuple[int, AnyDraft]]:
        """Items with their keys."""
        return list(zip(self.keys, self.items, strict=True))

    @property
    def focus_act(self) -> str:
        """What the button was that was pressed, so that it has the focus again."""
        return self.moved.partition(" ")[0]

    @property
    def focus_key(self) -> int:
        """Which item it was pressed for."""
        return counted(self.moved.partition(" ")[2])

    @property
    def order(self) -> str:
        """The items' keys, which their names hold, for the browser to send back."""
        return " ".join(str(key) for key in self.keys)


@dataclass
class VariantsDraft(Draft):
    """One of several shapes: `pick` is its index as text, "" for none. All are kept, so that what was typed stays."""

    shape: Variants
    options: list[AnyDraft]
    pick: str = ""
    drawn: str = ""

    template = f"{TEMPLATES}/variants.html"

    def children(self) -> Iterator[Draft]:
        """The one that was chosen."""
        yield from [chosen] if (chosen := self.chosen) else []

    @property
    def chosen(self) -> AnyDraft | None:
        """The draft of the chosen alternative."""
        index = counted(self.pick)
        return self.options[index] if 0 <= index < len(self.options) else None

    @property
    def each(self) -> list[tuple[str, Any, AnyDraft, bool]]:
        """For templates: (index, alternative, draft, whether chosen)."""
        listed = enumerate(zip(self.shape.options, self.options, strict=True))
        return [(str(index), option, draft, str(index) == self.pick) for index, (option, draft) in listed]

    def read(self) -> Any:
        """The value of the chosen one."""
        if (chosen := self.chosen) is not None:
            return chosen.read()
        if self.pick:
            self.errors.append("There is no such alternative: choose one of these.")
        elif self.shape.face.required:
            self.errors.append("Choose one of these.")
        return MISSING

    def touched(self) -> bool:
        """Whether another one was chosen, or something in it touched."""
        return self.pick != self.drawn or bool((chosen := self.chosen) and chosen.touched())


AnyDraft = Leaf | FixedDraft | ConstantDraft | GroupDraft | RowsDraft | VariantsDraft
