"""The filters of the live page."""

from __future__ import annotations

from django import forms


class FeedForm(forms.Form):
    """What of the feed is shown, from its address; kinds and places are read by the page itself."""

    q = forms.CharField(required=False, max_length=200)
    entry = forms.CharField(required=False, max_length=500)
    run = forms.CharField(required=False, max_length=1000)
    user = forms.CharField(required=False, max_length=150)
