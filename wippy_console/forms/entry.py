"""The editor's form: an entry as its author would write it, Lua text and YAML fields."""

from __future__ import annotations

from typing import Any

from django import forms

from engine.entry import Entry
from engine.registry import documents
from engine.registry.problems import Problem
from engine.registry.texts import fields_text
from engine.registry.tree import MAX_YAML
from wippy_console.forms import suggestions
from wippy_console.forms.refusals import RefusableForm
from wippy_console.services.errors import Refused
from wippy_console.services.registry import ChangesRefused

LUA_KINDS = ("workflow.lua", "function.lua", "process.lua", "library.lua", "module.lua")
KINDS = (
    *LUA_KINDS,
    "function.python",
    "process.host",
    "process.service",
    "temporal.client",
    "temporal.worker",
    "registry.entry",
    "env.variable",
    "http.router",
    "http.endpoint",
    "http.service",
)
CODE = {"class": "code", "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


class FieldsError(forms.ValidationError):
    """The YAML can't be read; `line` is where."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


class DraftForm(RefusableForm):
    """A change of the registry, whose page itself says what was refused and where, beside the `refusal`."""

    refusal: Refused | None = None

    def take_refusal(self, refusal: Refused) -> None:
        """Keep it for the page."""
        self.refusal = refusal

    def problems(self) -> list[Problem]:
        """Every problem of the registry that the refusal names."""
        return self.refusal.problems if isinstance(self.refusal, ChangesRefused) else []


class EntryForm(DraftForm):
    """`base` is the registry version that the author saw; 0 when there was none."""

    base = forms.IntegerField(widget=forms.HiddenInput, required=False)
    source = forms.CharField(
        required=False, strip=False, label="Lua source",
        widget=forms.Textarea(attrs={**CODE, "rows": 24, "data-editor": "lua"}),
    )  # fmt: skip
    fields_text = forms.CharField(
        required=False, strip=False, label="Fields", help_text="YAML, as in _index.yaml without name, kind and source.",
        widget=forms.Textarea(attrs={**CODE, "rows": 12, "data-editor": "yaml"}),
    )  # fmt: skip
    message = forms.CharField(
        required=False, label="What changes", widget=forms.TextInput(attrs={"class": "input"}),
        help_text="A line for the list of versions.",
    )  # fmt: skip

    def clean_source(self) -> str:
        """Browsers send CR LF; files have LF."""
        return str(self.cleaned_data["source"]).replace("\r\n", "\n")

    def clean_fields_text(self) -> dict[str, Any]:
        """The fields as data."""
        return read_fields(self.cleaned_data["fields_text"])

    def parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """(meta, data) of a valid form; the source is left out where there is none."""
        given = dict(self.cleaned_data["fields_text"])
        meta = given.pop("meta", None) or {}
        source = self.cleaned_data["source"]
        return meta, {**given, "source": source} if source.strip() else given

    def fields_problems(self) -> list[tuple[int, str]]:
        """(line, message) of each error in the fields that has a line."""
        errors = self.errors.as_data().get("fields_text", [])
        found = (error for error in errors if isinstance(error, FieldsError))
        return [(error.line, str(error.message)) for error in found if error.line]


class NewEntryForm(EntryForm):
    """An entry that is not there yet."""

    entry_id = forms.CharField(
        max_length=500,
        label="Id",
        widget=forms.TextInput(attrs={"class": "input", "placeholder": "app.orders:process"}),
        help_text="namespace:name",
    )
    kind = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"class": "input", "list": "kinds"}))

    def clean(self) -> dict[str, Any]:
        """What another kind suggested, and nobody touched, is no part of the entry."""
        given = super().clean() or self.cleaned_data
        kind = given.get("kind", "")
        if suggestions.is_suggested(given.get("source", "")) and not suggestions.source(kind):
            given["source"] = ""
        text = str(self.data.get("fields_text", "")).replace("\r\n", "\n")
        if suggestions.is_suggested(text) and text != suggestions.fields(kind) and "fields_text" in given:
            given["fields_text"] = read_fields(suggestions.fields(kind)) if kind in LUA_KINDS else {}
        return given

    def named(self) -> tuple[str, str]:
        """(id, kind), of a form that was not sent or is wrong as far as they are known."""
        given = getattr(self, "cleaned_data", {})
        return given.get("entry_id", ""), given.get("kind", "")

    field_order = ("base", "entry_id", "kind", "source", "fields_text", "message")


class RemovalForm(DraftForm):
    """`base` is the registry version in which the entry was looked at."""

    base = forms.IntegerField(widget=forms.HiddenInput)
    message = forms.CharField(
        required=False, label="Why", widget=forms.TextInput(attrs={"class": "input"}),
        help_text="A line for the list of versions.",
    )  # fmt: skip


def read_fields(text: str) -> dict[str, Any]:
    """YAML text as a mapping, as `apply` reads it; ValidationError of a FieldsError for each problem else."""
    if len(text) > MAX_YAML:
        raise FieldsError(f"The fields are longer than {MAX_YAML:,} characters.", None)
    document = documents.load(text, "")
    if document.problems:
        raise forms.ValidationError([_fields_error(each) for each in document.problems])
    value = {} if document.value is None else document.value
    if not isinstance(value, dict) or not isinstance(value.get("meta") or {}, dict):
        raise FieldsError("The fields are a mapping of names to values, meta too.", 1)
    return value


def _fields_error(problem: Problem) -> FieldsError:
    where = f"Line {problem.line}: " if problem.line else ""
    return FieldsError(where + problem.message, problem.line)


def suggestion(kind: str) -> dict[str, Any]:
    """What the editor shows of an entry that is not there yet."""
    return {"source": suggestions.source(kind), "fields_text": suggestions.fields(kind)}


def initial(entry: Entry, base: int) -> dict[str, Any]:
    """What the editor shows at first."""
    return {"base": base, "source": entry.data.get("source", ""), "fields_text": fields_text(entry)}


class EntryFilters(forms.Form):
    """The filters of the registry's tree, all from its address."""

    q = forms.CharField(required=False, max_length=500, label="search")
    kind = forms.ChoiceField(required=False)

    def __init__(self, data: Any, *, kinds: list[str]) -> None:
        super().__init__(data)
        field: Any = self.fields["kind"]
        field.choices = [(kind, kind) for kind in ("", *dict.fromkeys([*kinds, *KINDS]))]
