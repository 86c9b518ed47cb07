"""A JSON value in a form of fixed shape."""

from __future__ import annotations

from typing import Any

from django import forms

from wippy_console.forms.schema import MISSING
from wippy_console.services import exact
from wippy_console.services.exact import NotExactError

CODE = {"class": "code", "rows": 5, "spellcheck": "false"}


class JsonText(forms.CharField):
    """A JSON value of any shape, exactly as it is written; left empty it is no value."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs=CODE), strip=False, **kwargs)

    def clean(self, value: Any) -> Any:
        """Parse it; the error names line and column."""
        text = super().clean(value)
        if not text.strip():
            return MISSING
        try:
            return exact.json_value(text)
        except NotExactError as error:
            raise forms.ValidationError(str(error)) from None
