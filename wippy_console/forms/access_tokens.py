"""The forms of access tokens, of what their list shows, and of service accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import capfirst

from wippy_console import permissions
from wippy_console.forms.plain import INPUT
from wippy_console.forms.refusals import RefusableForm
from wippy_console.services.access_tokens import MOST_PER_MINUTE, Limits

ALL, SOME = "all", "some"
NEVER, DAY = "never", "day"
EXPIRES = (
    ("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"),
    (DAY, "After a day that I name"), (NEVER, "Never"),
)  # fmt: skip
_LONGEST = timedelta(days=3660)
_BETWEEN = re.compile(r"[\s,;]+")

KINDS = {
    "See": (
        permissions.VIEW_RUN, permissions.VIEW_QUESTION, permissions.VIEW_DECISION, permissions.VIEW_FEED,
        permissions.VIEW_REGISTRY, permissions.VIEW_FLEET, permissions.VIEW_DELIVERY, permissions.VIEW_NOTIFICATION,
        permissions.UNMASK_VALUES,
    ),
    "Runs and processes": (
        permissions.START_RUN, permissions.SIGNAL_RUN, permissions.CANCEL_RUN, permissions.RAW_SIGNAL_RUN,
        permissions.TERMINATE_RUN, permissions.RESET_RUN,
    ),
    "Registry": (permissions.PUBLISH_VERSION, permissions.PUBLISH_CLIENT, permissions.PUBLISH_PYTHON),
}  # fmt: skip
OTHERS = "Others"


class Listed(forms.CharField):
    """Some words in a line, with commas or spaces between them."""

    widget = forms.TextInput(attrs={**INPUT, "autocomplete": "off", "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        """The words, each once."""
        return list(dict.fromkeys(filter(None, _BETWEEN.split(super().to_python(value) or ""))))


class TokenForm(RefusableForm):
    """For whom a token is, what it may at most, and until when."""

    owner = forms.ChoiceField(label="Acts for", help_text="It never has more rights than that account has just then.")
    name = forms.CharField(
        max_length=100, label="What it is for", widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
        error_messages={"required": "Say what it is for."},
        help_text="The audit tells by this name what was done by the token.",
    )  # fmt: skip
    extent = forms.ChoiceField(label="It may do", initial=SOME, widget=forms.RadioSelect)
    rights = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    namespaces = Listed(
        required=False,
        help_text="Such as shop, or shop.* for all below it as well. Left empty: wherever the rights count.",
    )
    addresses = Listed(
        required=False, label="From where", help_text="Such as 10.1.2.3 or 10.1.0.0/16. Left empty: from anywhere."
    )
    per_minute = forms.IntegerField(
        min_value=1, max_value=MOST_PER_MINUTE, initial=600, label="Requests a minute",
        widget=forms.NumberInput(attrs=INPUT),
    )  # fmt: skip
    expires = forms.ChoiceField(choices=EXPIRES, initial="90", label="Expires")
    until = forms.DateField(
        required=False, label="Last day", widget=forms.DateInput(attrs={**INPUT, "type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, data: Any, *, owners: Sequence[Any], rights: Sequence[str], zone: tzinfo = UTC) -> None:
        super().__init__(data)
        self.owners, self.zone = {str(each.pk): each for each in owners}, zone
        fields: dict[str, Any] = self.fields
        whose = "I" if len(owners) == 1 else "the account"
        fields["owner"].choices = [(key, each.get_username()) for key, each in self.owners.items()]
        fields["owner"].initial = next(iter(self.owners))
        fields["owner"].required = len(owners) > 1
        fields["extent"].choices = [(SOME, "Only what is chosen here"), (ALL, f"All that {whose} may, now and later")]
        fields["rights"].choices = [(code(each), capfirst(permissions.words(each))) for each in rights]
        if len(owners) == 1:
            fields["owner"].widget = forms.HiddenInput()

    def kinds(self) -> Iterator[tuple[str, list[Any]]]:
        """The boxes of the rights, by what they are about."""
        boxes = {each.data["value"]: each for each in self["rights"].subwidgets}
        for word, rights in KINDS.items():
            if found := [boxes.pop(code(each)) for each in rights if code(each) in boxes]:
                yield word, found
        if boxes:
            yield OTHERS, list(boxes.values())

    def clean(self) -> dict[str, Any]:
        """A token that may do nothing at all, or whose last day nobody named, is not meant."""
        given = self.cleaned_data
        if given.get("extent") == SOME and "rights" in given and not given["rights"]:
            self.add_error("rights", "Choose what it may do, or all of it.")
        if given.get("expires") == DAY and "until" in given:
            self._check_day(given["until"])
        return given

    def _check_day(self, day: Any) -> None:
        if day is None:
            self.add_error("until", "Name the last day.")
        elif datetime.combine(day, time(), UTC) > timezone.now() + _LONGEST:
            self.add_error("until", "Name a day within ten years, or let it never expire.")

    def field_of(self, name: str) -> str | None:
        """What the service calls `expires_at` is one of two fields."""
        if name == "expires_at":
            return "until" if self.cleaned_data.get("expires") == DAY else "expires"
        return super().field_of(name)

    def owner_of(self) -> Any:
        """Whom it is for."""
        return self.owners[self.cleaned_data["owner"] or next(iter(self.owners))]

    def limits(self) -> Limits:
        """What it may at most."""
        given = self.cleaned_data
        rights = given["rights"] if given["extent"] == SOME else []
        return Limits(rights, given["namespaces"], given["addresses"], given["per_minute"], self._expires_at())

    def _expires_at(self) -> datetime | None:
        chosen = self.cleaned_data["expires"]
        if chosen == NEVER:
            return None
        if chosen == DAY:
            return datetime.combine(self.cleaned_data["until"] + timedelta(days=1), time(), self.zone)
        return timezone.now() + timedelta(days=int(chosen))


class TokensForm(forms.Form):
    """What the list of tokens shows."""

    state = forms.ChoiceField(required=False, choices=[(each, each) for each in ("", "active", "over")])
    owner = forms.CharField(required=False, max_length=150)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**31)


class AccountForm(RefusableForm):
    """A service account: its name while it is new, its groups, and whether its tokens count."""

    name = forms.CharField(
        max_length=100, widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
        error_messages={"required": "Give it a name."},
        help_text="Letters, digits, dots, dashes and underscores; it is called service:NAME then.",
    )  # fmt: skip
    groups = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Its rights come from them, as those of people do.",
    )
    active = forms.BooleanField(required=False, label="Active: its tokens count")

    def __init__(self, data: Any, *, groups: Sequence[str], account: Any = None) -> None:
        held = [group.name for group in account.groups.all()] if account else []
        super().__init__(data, initial={"groups": held, "active": account.is_active if account else True})
        fields: dict[str, Any] = self.fields
        fields["groups"].choices = [(each, each) for each in groups]
        del fields["name" if account else "active"]


def code(permission: str) -> str:
    """The name of a right within the app, as tokens have it."""
    return permission.partition(".")[2]
