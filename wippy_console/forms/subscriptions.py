"""The forms of subscriptions, and of what their list shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from wippy_console.forms.access_tokens import Listed
from wippy_console.forms.plain import INPUT
from wippy_console.forms.refusals import RefusableForm
from wippy_console.models import AccessToken, Subscription
from wippy_console.services import feed
from wippy_console.services.subscriptions import Fields

PLAIN = {**INPUT, "autocomplete": "off", "spellcheck": "false"}
NOW, BEGINNING, AFTER = "now", "beginning", "after"
LARGEST = 2**63 - 1


class Place(forms.IntegerField):
    """The id of an event."""

    widget = forms.NumberInput(attrs=INPUT)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=LARGEST, **kwargs)


class SubscriptionForm(RefusableForm):
    """What is sent where; while it is new by which token, and from where on."""

    name = forms.CharField(
        max_length=100, label="What it is for", widget=forms.TextInput(attrs=PLAIN),
        error_messages={"required": "Say what it is for."},
    )  # fmt: skip
    url = forms.CharField(
        max_length=2000, label="Send to", widget=forms.URLInput(attrs=PLAIN),
        error_messages={"required": "Write an address."},
        help_text="An https:// address. Each request is signed by a secret, which is shown once.",
    )  # fmt: skip
    token = forms.ChoiceField(
        label="Sees what this token may see", error_messages={"required": "Choose a token."},
        help_text="It pauses when the token is revoked or expires.",
    )  # fmt: skip
    kinds = forms.MultipleChoiceField(
        required=False, label="Kinds of events", choices=[(kind, kind) for kind in feed.KINDS],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    namespaces = Listed(
        required=False,
        help_text="Such as shop, or shop.* for all below it as well. Left empty: all that the token may.",
    )
    entry = forms.CharField(required=False, max_length=500, widget=forms.TextInput(attrs=PLAIN))
    run = forms.CharField(
        required=False, max_length=1000, label="Run", widget=forms.TextInput(attrs=PLAIN),
        help_text="A run id, or a workflow id with all its runs.",
    )  # fmt: skip
    user = forms.CharField(
        required=False, max_length=150, label="By whom", widget=forms.TextInput(attrs=PLAIN),
        help_text="Who did it, or started the run.",
    )  # fmt: skip
    text = forms.CharField(
        required=False, max_length=2000, label="Words", widget=forms.TextInput(attrs=PLAIN),
        help_text="All of them stand somewhere in the event.",
    )  # fmt: skip
    begin = forms.ChoiceField(
        label="Begin", initial=NOW, widget=forms.RadioSelect,
        choices=[(NOW, "With what happens from now on"), (BEGINNING, "With all that the feed holds"),
                 (AFTER, "After an event")],
    )  # fmt: skip
    cursor = Place(required=False, label="The id of that event")

    def __init__(self, data: Any, *, tokens: Sequence[AccessToken] = (), row: Subscription | None = None) -> None:
        known = {name: getattr(row, name) for name in Fields.__dataclass_fields__} if row else {}
        super().__init__(data, initial=known | ({"namespaces": ", ".join(row.namespaces)} if row else {}))
        self.tokens = {str(each.pk): each for each in tokens}
        fields: dict[str, Any] = self.fields
        if row is not None:
            for name in ("token", "begin", "cursor"):
                del fields[name]
        else:
            fields["token"].choices = [
                ("", "Choose a token"),
                *((key, _words(each)) for key, each in self.tokens.items()),
            ]

    def clean(self) -> dict[str, Any]:
        """Who wants to begin after an event names it."""
        given = self.cleaned_data
        if given.get("begin") == AFTER and "cursor" in given and given["cursor"] is None:
            self.add_error("cursor", "Write the id of an event.")
        return given

    def given(self) -> Fields:
        """What is sent where."""
        return Fields(**{name: self.cleaned_data[name] for name in Fields.__dataclass_fields__})

    def token_of(self) -> AccessToken | None:
        """By which it sees the feed."""
        return self.tokens.get(self.cleaned_data["token"])

    def place(self) -> int | None:
        """The event after which it begins; None for now."""
        given: dict[str, int | None] = {NOW: None, BEGINNING: 0, AFTER: self.cleaned_data["cursor"]}
        return given[self.cleaned_data["begin"]]


class RedeliverForm(RefusableForm):
    """From where on events are sent again."""

    cursor = Place(
        label="After the event with the id", error_messages={"required": "Write the id of an event, or 0."},
        help_text="0 for all that the feed holds.",
    )  # fmt: skip


class SubscriptionsForm(forms.Form):
    """What the list of subscriptions shows."""

    state = forms.ChoiceField(required=False, choices=[(each, each) for each in ("", *Subscription.State.values)])
    owner = forms.CharField(required=False, max_length=150)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**31)


def _words(token: AccessToken) -> str:
    return f"{token.name} ({token.hint}…) of {token.owner}"
