"""Tokens of the API, and requests that were answered once."""

from __future__ import annotations

from django.contrib import admin

from wippy_console.admin import base
from wippy_console.models import AccessToken, RepeatedRequest


@admin.register(AccessToken)
class AccessTokenAdmin(base.ReadOnlyAdmin[AccessToken]):
    """Tokens of the API: whose, what they may, when they were used. They are made on the page of tokens, which shows
    them once.
    """

    small = True
    everything = True
    exclude = ["digest"]
    list_display = ["name", "hint", "owner", "state", "created_at", "expires_at", "last_used_at", "last_used_from"]
    list_select_related = ["owner"]
    search_fields = ["name", "hint"]


@admin.register(RepeatedRequest)
class RepeatedRequestAdmin(base.ReadOnlyAdmin[RepeatedRequest]):
    """Writes of the API with an Idempotency-Key, of the last day; without what they were answered."""

    everything = True
    exclude = ["body", "headers", "fingerprint"]
    list_display = ["caller", "key", "status", "created_at"]
    search_fields = ["key"]
