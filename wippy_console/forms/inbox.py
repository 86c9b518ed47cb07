"""The filters of the inbox, all from its address, and the small forms of one question."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

from django import forms

from wippy_console.forms.plain import KeyForm, Words
from wippy_console.forms.refusals import RefusableForm
from wippy_console.services.questions import PRIORITIES, Wanted


class InboxFilters(forms.Form):
    """Days are days of the viewer's zone; `until` is the last one that counts."""

    q = forms.CharField(required=False, max_length=200)
    entry = forms.CharField(required=False, max_length=500)
    namespace = forms.CharField(required=False, max_length=500)
    label = forms.CharField(required=False, max_length=200)
    priority = forms.ChoiceField(
        required=False, choices=[("", "Any priority"), *((word, word.title()) for word in PRIORITIES)]
    )
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    after = forms.CharField(required=False, max_length=200)
    before = forms.CharField(required=False, max_length=200)

    def wanted(self, zone: tzinfo) -> Wanted:
        """What the valid form asks for."""
        given = self.cleaned_data
        return Wanted(
            text=given["q"],
            entry=given["entry"],
            namespace=given["namespace"].removesuffix("*").removesuffix("."),
            label=given["label"],
            priority=given["priority"],
            since=_midnight(given["since"], zone),
            until=_midnight(given["until"], zone, days=1),
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set."""
        return any(value for name, value in self.cleaned_data.items() if name not in ("after", "before"))


def _midnight(day: date | None, zone: tzinfo, days: int = 0) -> datetime | None:
    """When the day, or one some days later, begins; the first and last of all days have no such moment in UTC."""
    if day is None:
        return None
    try:
        later = day + timedelta(days=days)
        return datetime(later.year, later.month, later.day, tzinfo=zone).astimezone(UTC)
    except (OverflowError, ValueError):
        return datetime.max.replace(tzinfo=UTC) if day.year > 1 else datetime.min.replace(tzinfo=UTC)


class AssignForm(RefusableForm):
    """To whom a question is given; `over` is who had it when the form was drawn."""

    over = forms.CharField(required=False, max_length=150, widget=forms.HiddenInput)
    to = forms.CharField(
        max_length=150,
        widget=forms.TextInput(attrs={"class": "input", "list": "candidates", "autocomplete": "off"}),
        error_messages={"required": "Say to whom."},
    )
    reason = Words(required=False)


class PostponeForm(RefusableForm):
    """Until when a question is hidden from everybody's list."""

    until = forms.DateField(
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}), error_messages={"required": "Say until when."}
    )

    def moment(self, zone: tzinfo) -> datetime | None:
        """When that day begins for the viewer."""
        return _midnight(self.cleaned_data["until"], zone)


class CommentForm(KeyForm):
    """What somebody says about a question."""

    text = Words(
        label="Comment",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write something first."},
        help_text="Markdown. @name tells somebody of it, if they may see the question.",
    )
