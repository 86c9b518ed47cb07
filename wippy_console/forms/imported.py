"""The form for a file with a history."""

from __future__ import annotations

from django import forms

from wippy_console.forms.refusals import RefusableForm


class ImportForm(RefusableForm):
    """A file with a history."""

    file = forms.FileField(
        label="History", help_text="JSON of Temporal's CLI or UI, of an SDK, or from this console; at most 50 MB."
    )
