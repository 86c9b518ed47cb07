"""A JSON Schema, to what is drawn for it.

Whatever has no fields of its own here becomes one JSON text, so every schema can be drawn and nothing is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from wippy_console.forms.schema import alternatives
from wippy_console.forms.schema.choices import Choice, Several
from wippy_console.forms.schema.fields import Day, Face, Field, File, Flag, Json, Number, Text
from wippy_console.forms.schema.moments import Clock, Moment
from wippy_console.forms.schema.references import Open, Part, References, UndrawableError, merged
from wippy_console.forms.schema.shapes import Alternative, Constant, Fixed, Group, Rows, Shape, Variants
from wippy_console.forms.schema.values import MISSING
from wippy_console.services import schemas, secrets
from wippy_console.services.errors import Refused

LONG = 160
"""A text that may be longer than this gets several lines."""

_BUDGET = 1_000
"""Shapes of one schema, outside of lists: parts that are referred to twice at every level would double each time."""

_LISTS = 8
"""Lists within lists are drawn to this depth."""

_LONG_FORMATS = ("textarea", "multiline", "markdown")
_MODES = {"email": "email", "idn-email": "email", "uri": "url", "iri": "url", "uri-reference": "url"}
BINARY = ("byte", "binary", "data-url")


@dataclass(frozen=True, slots=True)
class At:
    """Where a part stands: under which name (an item of a list has none), and what the parts around it say.

    `seen`: references that would never end here; of them `laid` are those of the part itself, which its alternatives
    may repeat.
    """

    name: str | None = None
    required: bool = False
    secret: bool = False
    seen: Open = frozenset({"#"})
    laid: Open = frozenset()
    lists: int = 0


def describe(schema: Any) -> Shape | None:
    """What is drawn for a whole schema; None when there is no value to ask for.

    Where nothing is given, services take `{}` for the value: if that will not do, something must be given.
    """
    try:
        required = bool(schemas.problems(schema, {}))
    except Refused:
        required = False
    return Describer(References(schema if isinstance(schema, Mapping) else {})).shape(schema, At("value", required))


class Describer:
    """Describes the parts of one schema."""

    def __init__(self, references: References) -> None:
        self.references = references
        self.left = _BUDGET
        self.marks = secrets.Marks(references.root)

    def shape(self, part: Any, at: At) -> Shape | None:
        """The shape of a part, None for `false` and null, which nobody can fill in."""
        if part is False:
            return None
        own = part if isinstance(part, Mapping) else {}
        around = at.seen - at.laid
        self.left -= 1
        try:
            if self.left < 0:
                raise UndrawableError("the schema is too large to be drawn")
            flat, seen = self.references.flat(own, around, at.laid)
        except UndrawableError as error:
            return Json(self._face(own, at), str(error))
        title = own.get("title") or (flat.get("title") if at.name is None else "")
        within = replace(at, seen=seen, laid=seen - around, secret=at.secret or secrets.is_secret(flat))
        return self._flat({**flat, "title": title} if "$ref" in own else flat, within)

    def _face(self, part: Part, at: At) -> Face:
        return replace(face_of(part, at), hides=self.marks.within(part))

    def _flat(self, part: Part, at: At) -> Shape | None:
        face = self._face(part, at)
        if "const" in part:
            return Constant(face, part["const"])
        if part.get("readOnly") is True:
            return Fixed(face)
        if options := alternatives.options(part, self.references, at.seen):
            return Choice(face, options=options)
        choices = alternatives.parts(part)
        return self._alternatives(choices, part, at) if choices else self._typed(part, face, at)

    def _alternatives(self, choices: list[Part], part: Part, at: At) -> Shape | None:
        """One that is left beside null is drawn itself; of others one is chosen."""
        base, real, nullable = alternatives.split(part, choices)
        if len(real) == 1:
            inner = self.shape(merged(real[0], base), at)
            return self._or_null(inner, at) if nullable else inner
        return self._variants(base, [*([{"type": "null", "title": "None"}] if nullable else []), *real], at)

    def _or_null(self, shape: Shape | None, at: At) -> Shape | None:
        """A field that is empty for null, a choice with one more option; all else is chosen beside null."""
        match shape:
            case None | Fixed() | Constant():
                return shape
            case Flag():
                return alternatives.three_way(shape)
            case Choice():
                return alternatives.with_null(shape)
            case Json():
                return shape
            case Field() if not isinstance(shape, Several):
                return replace(shape, face=replace(shape.face, nullable=True))
        plain = replace(shape, face=Face(shape.face.label, required=True, secret=at.secret))
        null = Alternative("None", "", Constant(Face(), None), {"type": "null"})
        return Variants(shape.face, (null, Alternative(shape.face.label, "", plain, True)))

    def _variants(self, base: Part, real: list[Part], at: At) -> Shape:
        drawn = tuple(self._variant(base, each, index, at) for index, each in enumerate(real))
        return Variants(replace(self._face(base, at), hides=self.marks.within(real)), drawn)

    def _variant(self, base: Part, choice: Part, index: int, at: At) -> Alternative:
        part, seen = alternatives.over(base, choice), at.seen
        with suppress(UndrawableError):
            flat, seen = self.references.flat(part, at.seen - at.laid, at.laid)
            part = alternatives.told_apart(flat, choice, base.get("discriminator"))
        label, hint = alternatives.named(choice, part, self.references, index)
        bare = {**part, "title": label, "description": ""}
        shape = self.shape(bare, replace(at, required=True, seen=seen)) or Constant(Face(), None)
        return Alternative(label, hint, shape, self._whole(part))

    def _whole(self, part: Part) -> Part:
        """The part as a schema of its own, with the definitions that it refers to."""
        root = self.references.root
        return {**part, **{key: root[key] for key in ("$defs", "definitions") if key in root}}

    def _typed(self, part: Part, face: Face, at: At) -> Shape | None:
        kinds = alternatives.types(part)
        if len([kind for kind in kinds if kind != "null"]) > 1:
            return self._alternatives([{"type": kind} for kind in kinds], part, at)
        if "null" in kinds:
            rest = {**part, "type": next((kind for kind in kinds if kind != "null"), "null")}
            return self._or_null(self._typed(rest, face, at), at) if len(kinds) > 1 else self._null(face)
        return self._simple(kinds[0] if kinds else "", part, face, at)

    @staticmethod
    def _null(face: Face) -> Shape | None:
        """Null is asked of nobody; where it must be there, it is."""
        return Constant(face, None) if face.required else None

    def _simple(self, kind: str, part: Part, face: Face, at: At) -> Shape:
        match kind:
            case "string":
                return string(part, face)
            case "integer" | "number":
                return Number(face, whole=kind == "integer")
            case "boolean":
                return Flag(face)
            case "object":
                return self._object(part, face, at)
            case "array":
                return self._array(part, face, at)
            case _:
                return Json(face)

    def _object(self, part: Part, face: Face, at: At) -> Shape:
        described = part.get("properties")
        more = part.get("additionalProperties", True)
        if not isinstance(described, Mapping) or not described:
            return Group(face, ()) if more is False else Json(face, "any names")
        required = part.get("required") if isinstance(part.get("required"), list) else []
        inner = replace(at, required=False, laid=frozenset())
        places = {name: replace(inner, name=name, required=name in (required or [])) for name in described}
        parts = [(name, self.shape(described[name], place)) for name, place in places.items()]
        return Group(face, tuple((name, shape) for name, shape in parts if shape is not None), is_open(part))

    def _array(self, part: Part, face: Face, at: At) -> Shape:
        items = part.get("items")
        if "prefixItems" in part or not isinstance(items, Mapping) or not items or at.lists >= _LISTS:
            return Json(face, "a list of fixed places" if "prefixItems" in part else "a list of anything")
        try:
            flat = self.references.flat(items, frozenset())[0]
        except UndrawableError as error:
            return Json(face, str(error))
        if options := alternatives.options(flat, self.references, frozenset()):
            return Several(face, options=options)
        rows = self._rows(part, items, face, at)
        if alternatives.types(flat) in (["string"], ["integer"], ["number"]):
            return replace(rows, lines=_is_line(rows.item))
        return rows if alternatives.is_shaped(flat) else Json(face, "a list of anything")

    def _rows(self, part: Part, items: Part, face: Face, at: At) -> Rows:
        """Items are described anew, from where they stand: a list may be empty, so a circle through it ends."""
        inner = At(required=True, secret=at.secret, seen=frozenset(), lists=at.lists + 1)
        describer = Describer(self.references)
        return Rows(
            face,
            lambda: describer.shape(items, inner) or Json(Face(required=True)),
            least=_count(part.get("minItems")) or 0,
            most=_count(part.get("maxItems")),
        )


def _is_line(item: Shape) -> bool:
    """Whether an item of a list can stand on a line of one text."""
    plain = type(item) is Number or (type(item) is Text and not item.long)
    return plain and isinstance(item, Field) and not item.face.secret and not item.face.nullable


def string(part: Part, face: Face) -> Shape:
    """By encoding and format."""
    form = part.get("format")
    if str(part.get("contentEncoding", "")).lower() == "base64" or form in BINARY:
        return File(face, accept=str(part.get("contentMediaType") or ""), data_url=form == "data-url")
    kinds: dict[Any, type[Field]] = {"date": Day, "date-time": Moment, "time": Clock}
    if found := kinds.get(form if isinstance(form, str) else ""):
        return found(face)
    return Text(face, long=_is_long(part), inputmode=_MODES.get(str(form), ""))


def face_of(part: Part, at: At) -> Face:
    """What a person sees of the part."""
    examples = part.get("examples")
    return Face(
        label=str(part.get("title") or ("Item" if at.name is None else humanised(at.name))),
        hint=str(part.get("description") or ""),
        required=at.required,
        secret=at.secret,
        placeholder=str(examples[0]) if isinstance(examples, list) and examples else "",
        default=part.get("default", MISSING),
    )


def humanised(name: str) -> str:
    """A property's name as a label."""
    return f"{name[:1].upper()}{name[1:].replace('_', ' ')}" if name.strip() else "(no name)"


def is_open(part: Part) -> bool:
    """Whether the schema says something of properties beside the described ones."""
    more = part.get("additionalProperties")
    return isinstance(more, Mapping) or isinstance(part.get("patternProperties"), Mapping)


def _is_long(part: Part) -> bool:
    return part.get("format") in _LONG_FORMATS or (_count(part.get("maxLength")) or 0) > LONG


def _count(found: Any) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) else None
