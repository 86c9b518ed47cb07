"""Forms of fixed shape."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

from django import forms
from django.http import QueryDict

from engine.entry import Entry
from wippy_console.forms.json_text import JsonText
from wippy_console.forms.refusals import RefusableForm
from wippy_console.forms.schema import MISSING

INPUT = {"class": "input"}


class Words(forms.CharField):
    """A text of some lines, which browsers end with CRLF whatever was typed."""

    widget = forms.Textarea(attrs={"rows": 2})

    def to_python(self, value: Any) -> str:
        """Lines end with LF."""
        return str(super().to_python(value)).replace("\r\n", "\n")


class KeyForm(RefusableForm):
    """The hidden mark of a decision: `key` is made once per drawn form, so that a second click has no second effect."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, initial={"key": uuid.uuid4(), **kwargs.pop("initial", {})}, **kwargs)

    def renew_spent(self, has_failed: Callable[[uuid.UUID], bool]) -> None:
        """Let the form, which is drawn once more, make another decision than the one that it made and that failed."""
        key = getattr(self, "cleaned_data", {}).get("key")
        if isinstance(self.data, QueryDict) and key is not None and has_failed(key):
            again = self.data.copy()
            again["key"] = str(uuid.uuid4())
            self.data = again


class AnswerForm(KeyForm):
    """What goes with a declared signal besides the fields of its schema."""

    question = forms.IntegerField(widget=forms.HiddenInput, required=False)
    reason = Words(required=False)

    def __init__(self, data: Any = None, *, rule: str = "optional", question: int | None = None) -> None:
        super().__init__(data, initial={"question": question})
        self.fields["reason"].required = rule == "required"
        self.fields["reason"].error_messages["required"] = "Say why: this answer needs a reason."
        if rule == "none":
            del self.fields["reason"]


class EndForm(RefusableForm):
    """Cancel or terminate: a reason, and the mark that its asker saw what will happen."""

    reason = Words(error_messages={"required": "Say why."})


class ResetForm(KeyForm):
    """Reset a run: what is sent to it again, why, and what its asker saw."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=200)
    event = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=10**9)
    signals = forms.BooleanField(required=False, label="Send the signals after this step again")
    updates = forms.BooleanField(required=False, label="Send the updates after this step again")
    reason = Words(error_messages={"required": "Say why."})


class BatchForm(RefusableForm):
    """What is to be done to each run of a batch, and why; the fields of other acts are taken away."""

    topic = forms.CharField(max_length=500, widget=forms.TextInput(attrs=INPUT))
    payload = JsonText(required=False, help_text="JSON; left empty the signal has none.")
    step = forms.ChoiceField(
        label="Go on from", choices=[("last", "its last step"), ("first", "its first step: all is done again")]
    )
    signals = forms.BooleanField(required=False, initial=True, label="Send the signals after that step again")
    reason = Words(error_messages={"required": "Say why."})

    OF = MappingProxyType({"signal": ("topic", "payload"), "reset": ("step", "signals")})

    def __init__(self, action: str, data: Any = None) -> None:
        super().__init__(data)
        kept = {*self.OF.get(action, ()), "reason"}
        for name in [each for each in self.fields if each not in kept]:
            del self.fields[name]

    def options(self) -> dict[str, Any]:
        """All but the reason; a payload that was left empty is none."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        return {name: value for name, value in given.items() if value is not MISSING}


class MessageForm(KeyForm):
    """A topic with a JSON payload."""

    topic = forms.CharField(max_length=500, widget=forms.TextInput(attrs=INPUT))
    payload = JsonText(required=False, help_text="JSON; left empty it is null.")

    def payload_value(self) -> Any:
        """The payload, None when left empty."""
        value = self.cleaned_data["payload"]
        return None if value is MISSING else value


class RawSignalForm(MessageForm):
    """Any topic with any JSON payload, and why."""

    reason = Words(required=False)


class QueryForm(forms.Form):
    """A query of a run: its name and its arguments."""

    name = forms.CharField(
        max_length=200, label="Query", widget=forms.TextInput(attrs={**INPUT, "list": "query-names"})
    )
    args = JsonText(
        required=False, label="Arguments", help_text="JSON: a list is the arguments, any other value the only one."
    )

    def given(self) -> list[Any]:
        """The arguments."""
        value = self.cleaned_data["args"]
        return [] if value is MISSING else value if isinstance(value, list) else [value]


class StartForm(KeyForm):
    """Where a run starts, and under which id. Who sends no key starts a run each time."""

    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    worker = forms.ChoiceField(help_text="The temporal.worker entry that the run belongs to.")
    workflow_id = forms.CharField(
        required=False, max_length=1000, strip=False, label="Workflow id", widget=forms.TextInput(attrs=INPUT),
        help_text="Left empty, one is made. While a run with it is open, no second one starts.",
    )  # fmt: skip

    more = JsonText(
        required=False, label="Further arguments", help_text="A JSON list; the form above is the first argument."
    )

    def __init__(
        self,
        workers: list[Entry],
        data: Any = None,
        *,
        worker: str = "",
        workflow_id: str = "",
        more: Sequence[Any] = (),
    ) -> None:
        listed = json.dumps(more, ensure_ascii=False, indent=1)
        super().__init__(data, initial={"worker": worker, "workflow_id": workflow_id, "more": listed})
        if not more:
            del self.fields["more"]
        field: Any = self.fields["worker"]
        field.choices = [(each.id, each.id) for each in workers]
        field.error_messages["required"] = "There is no worker to start on: publish a temporal.worker entry first."

    def clean_more(self) -> list[Any]:
        """The arguments after the first."""
        value = self.cleaned_data["more"]
        if value is not MISSING and not isinstance(value, list):
            raise forms.ValidationError("Write a list: [1, 2].")
        return [] if value is MISSING else value


class AuditForm(forms.Form):
    """The filters of the audit, all from its address; times in UTC."""

    user = forms.CharField(required=False, max_length=400)
    action = forms.CharField(required=False, max_length=30)
    entry = forms.CharField(required=False, max_length=500)
    run = forms.CharField(required=False, max_length=1000)
    label = forms.CharField(required=False, max_length=500)
    outcome = forms.CharField(required=False, max_length=30)
    since = forms.DateTimeField(required=False)
    until = forms.DateTimeField(required=False)
