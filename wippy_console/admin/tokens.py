"""Tokens of Lua's token stores: who may act as whom."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import admin

from wippy_console.admin import base, filters
from wippy_console.models import Token


@admin.register(Token)
class TokenAdmin(base.ReadOnlyAdmin[Token]):
    """Tokens of Lua's token stores: for whom, and until when."""

    entry = "store"
    list_display = ["store", "who", "created_at", "expires"]
    list_filter = [filters.by("store")]
    search_fields = ["store"]
    exclude = ["digest"]

    @admin.display(description="actor")
    def who(self, token: Token) -> str:
        """The actor's id."""
        return str(token.actor.get("id", ""))

    @admin.display(description="expires", ordering="expires_ns")
    def expires(self, token: Token) -> datetime:
        """The moment from which it is worth nothing."""
        return datetime.fromtimestamp(token.expires_ns / 1e9, UTC)
