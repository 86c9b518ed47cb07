"""The form of a schema: drawn with a value, or holding what was sent, checked, with errors where they belong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from wippy_console.forms.schema import names, zones
from wippy_console.forms.schema.defaults import filled
from wippy_console.forms.schema.description import BINARY, describe
from wippy_console.forms.schema.drafts import AnyDraft, Draft, GroupDraft, Leaf, RowsDraft
from wippy_console.forms.schema.drawing import drawn, root
from wippy_console.forms.schema.posted import Posted
from wippy_console.forms.schema.posting import Reader
from wippy_console.forms.schema.values import MISSING
from wippy_console.forms.typed import Restored
from wippy_console.services import schemas
from wippy_console.services.errors import Refused
from wippy_console.services.exact import Path

ALL = "__all__"


class SchemaForm:
    """A form drawn from a JSON Schema; without one it has no fields, and no value.

    `data` and `files` are what a browser sent. `value` is drawn instead of the schema's defaults. Times are drawn in
    `zone`. `is_edited`: a button of a list was pressed, so that the form is to be shown again, and not acted on.
    """

    def __init__(
        self,
        schema: Any,
        data: Mapping[str, Any] | None = None,
        *,
        files: Mapping[str, Any] | None = None,
        value: Any = MISSING,
        zone: str = zones.NAME,
    ) -> None:
        self.schema = schema
        self.zone = zones.known(zone)
        self.is_bound = data is not None
        self.is_edited = data is not None and any(_is_act(name) for name in data)
        self.general: list[str] = []
        self._checked = False
        self._value: Any = MISSING
        self.draft = self._draft(value, _posted(data, files or {}))

    def _draft(self, value: Any, data: Posted | None) -> AnyDraft | None:
        shape = None if self.schema is None else describe(self.schema)
        if shape is None:
            return None
        suggestion = filled(shape, there=True) if value is MISSING else value
        if data is None:
            return drawn(shape, suggestion, root(shape), self.zone)
        return Reader(data, self.zone).draft(shape, suggestion, root(shape))

    @property
    def nodes(self) -> list[Draft]:
        """The drafts to show, from the top."""
        if self.draft is None:
            return []
        return list(self.draft.children()) if isinstance(self.draft, GroupDraft) else [self.draft]

    @property
    def has_files(self) -> bool:
        """Whether it must be sent as multipart: also for a list that is empty yet. By the schema's words alone."""
        text = json.dumps(self.schema, default=str)
        return any(f'"{word}"' in text for word in ("base64", *BINARY))

    @property
    def has_lists(self) -> bool:
        """Whether it has buttons that change lists."""
        return any(isinstance(each, RowsDraft) for each in self._all_drafts())

    @property
    def has_secrets(self) -> bool:
        """Whether something in it is not drawn again."""
        leaves = (each for each in self._all_drafts() if isinstance(each, Leaf))
        return any(each.shape.face.secret or each.shape.kind == "file" for each in leaves)

    @property
    def errors(self) -> dict[str, list[str]]:
        """Errors by field name, without the prefix; those of the form as a whole under `__all__`."""
        self._check()
        found = {each.name.removeprefix(names.PREFIX): each.errors for each in self._every() if each.errors}
        return {**found, **({ALL: self.general} if self.general else {})}

    def non_field_errors(self) -> list[str]:
        """Those that no field shows."""
        return self.general

    @property
    def faulty(self) -> list[Draft]:
        """The drafts with errors, for a list of links to them."""
        return [each for each in self._every() if each.errors]

    def is_valid(self) -> bool:
        """Whether what was sent can be acted on."""
        return self.is_bound and not self.is_edited and not self.errors

    def value(self) -> Any:
        """The JSON value of a form that was sent; MISSING when nothing was given."""
        self._check()
        return self._value

    def take_refusal(self, refusal: Refused) -> None:
        """Show a service's refusal at the fields that it names."""
        for path, texts in refusal.paths.items():
            self._place(path, texts)
        if not refusal.paths:
            self.general.append(refusal.message)

    def _check(self) -> None:
        """Read the value once, and check the schema's other rules too, so that everything wrong is shown at once."""
        if self._checked or not self.is_bound or self.is_edited or self.draft is None:
            return
        self._checked = True
        self._value = self.draft.read()
        unread = {each.path for each in self._every() if each.errors}
        if self._value is MISSING:
            return
        try:
            found = schemas.problems(self.schema, self._value)
        except Refused as refusal:
            found = {(): [refusal.message]}
        for path, texts in found.items():
            if not any(path[: len(known)] == known for known in unread if known or not path):
                self._place(path, texts)

    def _place(self, path: Path, texts: list[str]) -> None:
        """At the field of that path, or at the nearest one around it."""
        length, draft = self._nearest(path)
        said = [f"{spoken(path[length:], draft)}{text}" for text in texts]
        errors = (
            self.general if draft is None or (draft is self.draft and isinstance(draft, GroupDraft)) else draft.errors
        )
        errors.extend(text for text in said if text not in errors)

    def _nearest(self, path: Path) -> tuple[int, Draft | None]:
        best: tuple[int, Draft | None] = (0, None)
        for each in self._every():
            length = len(each.path)
            if path[:length] == each.path and length >= best[0] and not (length == len(path) and _is_rest(each)):
                best = (length, each)
        return best

    def _every(self) -> Iterator[Draft]:
        yield from self.draft.every() if self.draft else ()

    def _all_drafts(self) -> Iterator[Draft]:
        """Those of alternatives that were not chosen, too."""
        yield from _everything(self.draft) if self.draft else ()


def _posted(data: Mapping[str, Any] | None, files: Mapping[str, Any]) -> Posted | None:
    return None if data is None else Posted(data, files, isinstance(data, Restored))


def spoken(path: Path, draft: Draft | None) -> str:
    """The rest of an error's path, in words before its text."""
    if not path:
        return ""
    if isinstance(draft, Leaf) and draft.shape.kind == "lines" and isinstance(path[0], int):
        return f"Line {path[0] + 1}: "
    return f"{' › '.join(str(part + 1) if isinstance(part, int) else part or '(no name)' for part in path)}: "


def _everything(draft: Any) -> Iterator[Draft]:
    yield draft
    within = draft.options if hasattr(draft, "options") else draft.children()
    for each in within:
        yield from _everything(each)


def _is_rest(draft: Draft) -> bool:
    return isinstance(draft, Leaf) and draft.name.endswith(":rest")


def _is_act(name: str) -> bool:
    return name.startswith(names.PREFIX) and name.endswith(":do")
