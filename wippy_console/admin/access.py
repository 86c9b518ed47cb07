"""Tokens of the API, and requests that were answered once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from wippy_console.admin import base, filters
from wippy_console.models import AccessToken, RepeatedRequest
from wippy_console.services import access_tokens


@admin.register(AccessToken)
class AccessTokenAdmin(base.ReadOnlyAdmin[AccessToken]):
    """Tokens of the API: whose, what they may, when they were used. They are made on the page of tokens, which shows
    them once.
    """

    small = True
    everything = True
    exclude = ["digest"]
    list_display = ["name", "hint", "owner", "state", "created_at", "expires_at", "last_used_at", "last_used_from"]
    list_filter = [filters.by("owner")]
    list_select_related = ["owner"]
    search_fields = ["name", "hint"]
    actions = ["revoke"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing of a token is edited; whoever may revoke those of others is offered that."""
        return obj is None and request.user.has_perm(access_tokens.REVOKE_OTHERS)

    @admin.action(description="Revoke them", permissions=["change"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[AccessToken]) -> None:
        """They count no more."""
        for token in tokens:
            access_tokens.revoke(request.user, token.pk)
        self.message_user(request, "Revoked.")


@admin.register(RepeatedRequest)
class RepeatedRequestAdmin(base.ReadOnlyAdmin[RepeatedRequest]):
    """Writes of the API with an Idempotency-Key, of the last day; without what they were answered."""

    everything = True
    exclude = ["body", "headers", "fingerprint"]
    list_display = ["caller", "key", "status", "created_at"]
    search_fields = ["key"]
