"""Tokens of Lua's token stores as rows: an `engine.asks.tokens.TokenVault` that all nodes share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, InterfaceError

from engine.contracts.tokens import Token
from engine.errors import UNAVAILABLE, Failure, UnitFailed
from engine.security.context import Security
from wippy_console import models
from wippy_console.database.storable import storable
from wippy_console.database.threads import in_thread

T = TypeVar("T")


class DatabaseVault:
    """Used on the loop. A database that is down is Unavailable, worth another try."""

    async def put(self, token: Token) -> None:
        """Keep it, and delete those that expired."""
        held = token.holder.to_json()
        row = models.Token(
            store=token.store,
            digest=token.digest,
            actor=storable(held["actor"]),
            scope=storable(held["scope"]),
            meta=storable(dict(token.meta)),
            expires_ns=token.expires,
        )

        def write() -> None:
            models.Token.objects.filter(expires_ns__lte=time.time_ns()).delete()
            row.save(force_insert=True)

        await _done(write)

    async def get(self, store: str, digest: str) -> Token | None:
        """The token of that digest."""
        row = await _done(lambda: models.Token.objects.filter(store=store, digest=digest).first())
        if row is None:
            return None
        holder = Security.from_json({"actor": row.actor, "scope": row.scope})
        return Token(row.store, row.digest, holder or Security(), row.expires_ns, row.meta)

    async def drop(self, store: str, digest: str) -> bool:
        """Forget it."""
        count, _ = await _done(lambda: models.Token.objects.filter(store=store, digest=digest).delete())
        return count > 0


async def _done(work: Callable[[], T]) -> T:
    try:
        return await in_thread(work)
    except (DatabaseError, InterfaceError) as error:
        # Without the text of the error, which may show what was to be written.
        raise UnitFailed(Failure(UNAVAILABLE, "the token store can't be reached", retryable=True)) from error
