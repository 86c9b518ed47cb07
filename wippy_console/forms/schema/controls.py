"""How a field's control looks with its content: what its template asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wippy_console.forms.schema import zones
from wippy_console.forms.schema.choices import Choice, Option, Several
from wippy_console.forms.schema.fields import Face, Field, File, Json, Raw, Text
from wippy_console.forms.schema.moments import Clock, Moment
from wippy_console.forms.schema.values import text_of

_ROWS = 12


@dataclass(frozen=True, slots=True)
class Control:
    """The control of a field with that content; `was` is the value that it was drawn with, `zone` the viewer's."""

    shape: Field
    raw: Raw
    was: Any
    zone: str

    @property
    def kind(self) -> str:
        """Which element is drawn."""
        if isinstance(self.shape, Moment):
            return "moment"
        return "area" if self.is_area else self.shape.kind

    @property
    def is_area(self) -> bool:
        """Whether the text needs lines. A secret has one, so that it is never on the screen."""
        if self.shape.face.secret:
            return False
        long = isinstance(self.shape, Text) and self.shape.long
        return long or self.shape.kind in ("json", "lines") or (isinstance(self.raw, str) and "\n" in self.raw)

    @property
    def rows(self) -> int:
        """Lines of the area: as many as there are, within reason."""
        lines = self.raw.count("\n") + 2 if isinstance(self.raw, str) else 0
        return max(5 if self.shape.kind == "json" else 3, min(lines, _ROWS))

    @property
    def type(self) -> str:
        """Of an input: a browser's own control for dates empties itself of what it can't hold."""
        if self.shape.face.secret:
            return "password"
        if isinstance(self.shape, Moment):
            return self.shape.kind if self.raw[1] else "text"
        return "date" if self.shape.kind == "date" and self._is_day() else "text"

    @property
    def shown(self) -> str:
        """The text in it; a secret is never shown again."""
        return "" if self.shape.face.secret or not isinstance(self.raw, str) else self.raw

    @property
    def hint(self) -> str:
        """What is to be known besides the schema's own description."""
        face = self.shape.face
        match self.shape:
            case Json(why=why):
                return f"JSON ({why})." if why else "JSON."
            case File():
                return self._file_hint()
            case _ if face.secret and face.default != Face().default:
                return "Left empty, the default is sent. It is never shown."
            case _ if face.secret:
                return "It is never shown again: after an error, type it once more."
            case _:
                return "One per line." if self.shape.kind == "lines" else ""

    @property
    def zones(self) -> list[str]:
        """The zones to choose from, the content's own first; none of a text that has its own."""
        if not isinstance(self.shape, Moment) or not self.raw[1]:
            return []
        clock = isinstance(self.shape, Clock)
        mine = zones.offset_now(self.zone) if clock else self.zone
        return list(dict.fromkeys([self.raw[1], mine, *self._offsets(), zones.NAME]))

    @property
    def choices(self) -> list[tuple[str, Option, bool]]:
        """(key, option, whether chosen), what was not given and unknown values among them."""
        if not isinstance(self.shape, Choice | Several):
            return []
        listed = [(option.key, option, option.key in self._keys()) for option in self.shape.options]
        unknown = [key for key in self._keys() if key and key not in {key for key, _, _ in listed}]
        return listed + [(key, Option(key, f"{key} (not one of the choices)"), True) for key in unknown]

    def _keys(self) -> tuple[str, ...]:
        return self.raw if isinstance(self.raw, tuple) else (self.raw,)

    def _is_day(self) -> bool:
        return not self.raw or (len(self.raw) == len("2026-01-31") and self.raw[4] == "-")

    def _offsets(self) -> list[str]:
        """Those that a time has that comes twice, so that one can be chosen."""
        return self.shape.offsets(self.raw) if isinstance(self.shape, Moment) else []

    def _file_hint(self) -> str:
        face = self.shape.face
        held = (
            f"It holds {len(text_of(self.was)):,} characters of Base64; choose a file to replace it. "
            if self.was
            else ""
        )
        return f"{'' if face.secret else held}A small file; after an error, choose it once more."
