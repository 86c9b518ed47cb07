"""Notifications: a user's preferences, and for administrators what is queued, sent and failed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse


def preferences(request: HttpRequest) -> HttpResponse:
    """How the user wishes to hear of what."""
    return HttpResponse()
