"""The form of a user's preferences of notifications, and the filters of the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from wippy_console.forms.plain import INPUT
from wippy_console.forms.refusals import RefusableForm
from wippy_console.models import NotificationPreference
from wippy_console.services.notifications import KINDS, METHODS

NEVER = "never"
WORDS = {"email": "E-mail", "chat": "Chat", "webhook": "Webhook", "browser": "Browser", NEVER: "Never"}


class PreferencesForm(RefusableForm):
    """For each kind some methods, or never; and two addresses."""

    chat = forms.CharField(
        required=False, max_length=1000, label="Chat", widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
        help_text="An Apprise address, such as slack://…, discord://…, tgram://… or workflows://….",
    )  # fmt: skip
    webhook = forms.CharField(
        required=False, max_length=2000, label="Webhook", widget=forms.URLInput(attrs={**INPUT, "autocomplete": "off"}),
        help_text="An https:// address. Each message is signed by a secret, which is shown once when you save.",
    )  # fmt: skip

    def __init__(self, data: Any, known: NotificationPreference) -> None:
        muted = known.chosen.get("muted") or ()
        chosen = {kind: [*known.chosen.get(kind, ()), *([NEVER] if kind in muted else ())] for kind in KINDS}
        super().__init__(data, initial={"chat": known.chat, "webhook": known.webhook, **chosen})
        for kind, word in KINDS.items():
            self.fields[kind] = forms.MultipleChoiceField(
                choices=[*WORDS.items()], label=word, required=False, widget=forms.CheckboxSelectMultiple
            )

    def rows(self) -> Iterator[Any]:
        """The fields of the kinds."""
        return (self[kind] for kind in KINDS)

    def chosen(self) -> dict[str, list[str]]:
        """Methods by kind."""
        return {kind: [each for each in self.cleaned_data[kind] if each in METHODS] for kind in KINDS}

    def muted(self) -> list[str]:
        """The kinds that are never wanted."""
        return [kind for kind in KINDS if NEVER in self.cleaned_data[kind]]


class OutboxForm(forms.Form):
    """Filters of the outbox."""

    state = forms.ChoiceField(required=False, choices=[(each, each) for each in ("queued", "dead", "sent")])
    method = forms.CharField(required=False)
    kind = forms.CharField(required=False)
    user = forms.CharField(required=False)
    before = forms.UUIDField(required=False)
