"""The filters of the list of deliveries."""

from __future__ import annotations

from typing import Any

from django import forms

from wippy_console.models import Delivery


class DeliveriesForm(forms.Form):
    """All from the address; times in UTC."""

    state = forms.ChoiceField(required=False, choices=Delivery.State.choices)
    act = forms.ChoiceField(required=False, choices=Delivery.Act.choices)
    endpoint = forms.CharField(required=False, max_length=500)
    source = forms.CharField(required=False, max_length=45)
    q = forms.CharField(required=False, max_length=1000)
    since = forms.DateTimeField(required=False)
    until = forms.DateTimeField(required=False)
    before = forms.CharField(required=False, max_length=2000)

    def wanted(self) -> dict[str, Any]:
        """The filters alone, by the service's names."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "before"}
        return {"text": given.pop("q"), **given}
