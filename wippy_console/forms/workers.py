"""Forms about workers."""

from __future__ import annotations

from django import forms

from wippy_console.forms.plain import KeyForm


class PromoteForm(KeyForm):
    """The confirmation of a promotion: it carries which build was current when it was drawn ("" for none)."""

    instead = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)
