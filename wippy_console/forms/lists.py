"""The forms of a saved view, and of what a page shows."""

from __future__ import annotations

from typing import Any

from django import forms

from wippy_console.forms.plain import INPUT
from wippy_console.forms.refusals import RefusableForm


class ViewForm(RefusableForm):
    """A view's name, whom it is for, and whether the page opens with it. `query` is of the address to keep."""

    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(attrs={**INPUT, "autofocus": True, "autocomplete": "off"}),
        error_messages={"required": "Give the view a name."},
    )
    query = forms.CharField(required=False, widget=forms.HiddenInput)
    fresh = forms.BooleanField(required=False, label="Put the filters of the page into it as they are now")
    shared = forms.BooleanField(required=False, label="Share it with everybody who sees this page")
    opens = forms.BooleanField(required=False, label="Open this page with it, for me")

    def __init__(self, data: Any = None, *, may_share: bool, is_new: bool, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        if not may_share:
            del self.fields["shared"]
        if is_new or not (self.initial.get("query") or (data or {}).get("query")):
            del self.fields["fresh"]
