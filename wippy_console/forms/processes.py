"""Forms about processes: find, spawn, message, end."""

from __future__ import annotations

from typing import Any

from django import forms

from wippy_console.forms.json_text import JsonText
from wippy_console.forms.plain import INPUT, KeyForm, Words
from wippy_console.forms.refusals import RefusableForm
from wippy_console.forms.schema import MISSING


class FindForm(forms.Form):
    """The filters of the list, all from its address."""

    q = forms.CharField(required=False, max_length=2000)
    node = forms.CharField(required=False, max_length=100)
    host = forms.CharField(required=False, max_length=500)
    under = forms.CharField(required=False, max_length=1200)
    full = forms.BooleanField(required=False)
    doing = forms.BooleanField(required=False)
    ended = forms.BooleanField(required=False)
    page = forms.IntegerField(required=False, min_value=1, max_value=10**6)


class Arguments(JsonText):
    """All arguments of a call, as a list."""

    def __init__(self) -> None:
        text = 'A JSON list with one item for each argument, like ["a", 7]; left empty, there are none.'
        super().__init__(required=False, label="Arguments", help_text=text)

    def clean(self, value: Any) -> Any:
        """A list; what it holds is the affair of whoever gets it."""
        found = super().clean(value)
        if found is not MISSING and not isinstance(found, list):
            raise forms.ValidationError("Write a JSON list: each of its items is one argument.")
        return [] if found is MISSING else found


class TryForm(RefusableForm):
    """How long a function may take, and, without a schema, with which arguments it is called."""

    args = Arguments()
    seconds = forms.IntegerField(
        min_value=1, max_value=60, initial=30, label="Seconds that it may take", widget=forms.NumberInput(attrs=INPUT)
    )

    def __init__(self, data: Any = None, *, drawn: bool) -> None:
        super().__init__(data)
        if drawn:
            del self.fields["args"]


class SpawnForm(KeyForm):
    """Where a process starts, under which name, and, without a schema, with which arguments."""

    host = forms.ChoiceField(help_text="The process.host entry that runs it.")
    node = forms.ChoiceField(required=False, help_text="The process stays on the node that it starts on.")
    name = forms.CharField(
        required=False, max_length=500, widget=forms.TextInput(attrs=INPUT),
        help_text="Others reach it by its name. A living process with that name is used instead of a new one.",
    )  # fmt: skip
    args = Arguments()

    def __init__(self, hosts: list[str], nodes: list[str], data: Any = None, *, drawn: bool, **initial: Any) -> None:
        super().__init__(data, initial=initial)
        host: Any = self.fields["host"]
        host.choices = [(each, each) for each in hosts]
        host.error_messages["required"] = "There is no host to spawn on: publish a process.host entry first."
        node: Any = self.fields["node"]
        node.choices = [("", "Any node"), *((each, each) for each in nodes)]
        if drawn:
            del self.fields["args"]


class EndProcessForm(KeyForm):
    """Cancel or terminate: a reason, and the mark that its asker saw what will happen."""

    reason = Words(error_messages={"required": "Say why."})
