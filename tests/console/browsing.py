"""What a browser without JavaScript would send of a form, by the rules of HTML: the text of a page, to its fields."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from django.http import QueryDict
from django.template.loader import render_to_string

from wippy_console.forms.schema import SchemaForm

DAY = r"\d{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?"
HELD = {"date": DAY, "time": CLOCK, "datetime-local": rf"{DAY}T{CLOCK}"}
"""What these controls can hold; they drop any other text."""

SECONDS = re.compile(r"(?<=:\d\d)(:\d\d)(?:\.(\d+))?$", re.ASCII)
BREAK = re.compile(r"\r\n|\r|\n")


class Page(HTMLParser):
    """The fields of a page, as (name, text), in their order; `typed` replaces or ticks by name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self.options: dict[str, list[tuple[str, bool]]] = {}
        self.types: dict[str, str] = {}
        self._area: str | None = None
        self._text = ""
        self._select: str | None = None
        self._option: tuple[str | None, bool] | None = None
        self.feed(BREAK.sub("\n", text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note fields."""
        found = {name: value or "" for name, value in attrs}
        match tag:
            case "input" if found.get("name"):
                self._input(found)
            case "textarea":
                self._area, self._text = found["name"], ""
                self.types[found["name"]] = "textarea"
            case "select":
                self._select = found["name"]
                self.types[found["name"]] = "select"
                self.options[found["name"]] = []
            case "option":
                self._option, self._text = (found.get("value"), "selected" in found), ""

    def handle_data(self, data: str) -> None:
        """Texts of areas and options."""
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        """Areas and lists are complete."""
        if tag == "textarea" and self._area is not None:
            self.sent.append((self._area, self._text.removeprefix("\n")))
            self._area = None
        elif tag == "option" and self._option and self._select:
            value, selected = self._option
            self.options[self._select].append((self._text if value is None else value, selected))
        elif tag == "select" and self._select:
            listed = self.options[self._select]
            chosen = [value for value, selected in listed if selected] or [value for value, _ in listed[:1]]
            self.sent += [(self._select, value) for value in chosen[-1:]]
            self._select = None

    def _input(self, found: dict[str, str]) -> None:
        name, kind = found["name"], found.get("type", "text")
        self.types[name] = kind
        if kind in ("checkbox", "radio"):
            self.options.setdefault(name, []).append((found.get("value", "on"), "checked" in found))
            self.sent += [(name, found.get("value", "on"))] if "checked" in found else []
        elif kind in HELD:
            held = re.fullmatch(HELD[kind], found.get("value", ""), re.ASCII)
            self.sent.append((name, SECONDS.sub(shortest, found.get("value", "")) if held else ""))
        elif kind not in ("file", "submit"):
            text = found.get("value", "")
            self.sent.append((name, text if kind == "hidden" else text.replace("\n", "")))

    def post(self, **typed: Any) -> QueryDict:
        """Everything as it stands, but for what was `typed`: lists for boxes, None for a field that is not sent."""
        return self.post_all(typed)

    def post_all(self, typed: dict[str, Any]) -> QueryDict:
        """The same with names that are no words."""
        data = QueryDict(mutable=True)
        for name, text in self.sent:
            if name not in typed:
                data.appendlist(_ends(name), _ends(text))
        for name, value in typed.items():
            for text in [] if value is None else value if isinstance(value, list) else [value]:
                data.appendlist(name, _ends(text))
        return data


def shortest(found: re.Match[str]) -> str:
    """Seconds as browsers write them: none when they are zero, and fractions of three digits."""
    fraction = (found[2] or "").rstrip("0")
    return "" if found[1] == ":00" and not fraction else f"{found[1]}.{fraction:0<3}" if fraction else found[1]


def drawn(form: SchemaForm) -> Page:
    """The fields of a schema's form as it is drawn."""
    return Page(render_to_string("forms/nodes.html", {"nodes": form.nodes}))


def _ends(text: str) -> str:
    """Line ends as browsers send them."""
    return BREAK.sub("\r\n", text)
