"""The filters of the runs page, all from its address."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from wippy_console.services import saved_views, states
from wippy_console.services.runs import Wanted

WITHIN = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
"""How long ago a run may have started, by the words of the address."""

WORDS_OF_WITHIN = [
    ("", "Any time"),
    ("1h", "Last hour"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
]

PLACES = ("before", saved_views.COLUMNS, saved_views.MARK, "dense")
"""Fields that are no filters."""

STATES = (
    ("running", "Running"), ("waiting", "Waiting for a person"), ("scheduled", "Scheduled"), ("retrying", "Retrying"),
    ("no_worker", "No worker"), ("stuck", "Stuck"), ("quarantined", "Quarantined"), ("completed", "Completed"),
    ("failed", "Failed"), ("canceled", "Canceled"), ("terminated", "Terminated"), ("timed_out", "Timed out"),
    ("continued_as_new", "Continued"),
)  # fmt: skip
"""The states of `states.FILTERS` in words."""


class Moment(forms.CharField):
    """A day or a time, of the viewer's zone where it names none; the text stays, `read` tells the moment."""

    def clean(self, value: Any) -> str:
        """Refuse what is neither."""
        text = super().clean(value)
        if text and read(text, UTC, end=False) is None:
            raise forms.ValidationError("is a day or a time, like 2026-11-27 or 2026-11-27T14:30")
        return str(text)


class Texts(forms.Field):
    """Several texts under one name, each as long as `longest` at most; empty ones are left out."""

    def __init__(self, *, longest: int, most: int = 20, choices: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.MultipleHiddenInput, **kwargs)
        self.longest, self.most, self.choices = longest, most, choices

    def clean(self, value: Any) -> tuple[str, ...]:
        """The texts, each once; what can't be one is refused by name."""
        texts = tuple(dict.fromkeys(text for text in value or () if text))
        if len(texts) > self.most:
            raise forms.ValidationError(f"takes at most {self.most} values")
        for text in texts:
            if self.choices and text not in self.choices:
                raise forms.ValidationError(f"is one of {', '.join(self.choices)}, not {text[:40]}")
            if len(text) > self.longest or "\0" in text:
                raise forms.ValidationError(f"has at most {self.longest} characters, none of them NUL")
        return texts


class Key(Texts):
    """Business keys with their values: `order.id=42`."""

    def clean(self, value: Any) -> tuple[str, ...]:
        """Refuse what names no value."""
        texts = tuple(text.strip() for text in super().clean(value))
        if wrong := next((text for text in texts if not text.partition("=")[0].strip() or "=" not in text), ""):
            raise forms.ValidationError(f"is a key with its value, like order.id=42, not {wrong[:40]}")
        return texts


class RunFilters(forms.Form):
    """What is wanted, by the names of the address. An old name stays: `status` may come once or several times."""

    q = forms.CharField(required=False, max_length=2000, label="search")
    status = Texts(longest=20, choices=states.FILTERS)
    entry = forms.CharField(required=False, max_length=500)
    client = forms.CharField(required=False, max_length=500)
    parent = forms.CharField(required=False, max_length=64)
    by = forms.CharField(required=False, max_length=150)
    key = Key(longest=500)
    waiting = forms.BooleanField(required=False)
    within = forms.ChoiceField(required=False, choices=[("", ""), *((word, word) for word in WITHIN)])
    started_from = Moment(required=False, max_length=40)
    started_to = Moment(required=False, max_length=40)
    closed_from = Moment(required=False, max_length=40)
    closed_to = Moment(required=False, max_length=40)
    before = forms.CharField(required=False, max_length=200)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)

    def wanted(self, zone: tzinfo) -> Wanted:
        """What the valid form asks for."""
        given = self.cleaned_data
        since = read(given["started_from"], zone, end=False)
        ago = timezone.now() - WITHIN[given["within"]] if given["within"] else None
        return Wanted(
            text=given["q"],
            statuses=given["status"],
            entry=given["entry"],
            client=given["client"],
            parent=given["parent"],
            by=given["by"],
            keys=given["key"],
            waiting=given["waiting"],
            started_from=max(filter(None, (since, ago)), default=None),
            started_to=read(given["started_to"], zone, end=True),
            closed_from=read(given["closed_from"], zone, end=False),
            closed_to=read(given["closed_to"], zone, end=True),
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set."""
        return any(value for name, value in self.cleaned_data.items() if name not in PLACES)


def read(text: str, zone: tzinfo, *, end: bool) -> datetime | None:
    """The moment in UTC, None for what is none. A day is where it begins, or for an `end` where the next one does."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if len(text.strip()) <= len("2026-11-27"):
            moment = datetime.combine(moment.date() + timedelta(days=end), time())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
