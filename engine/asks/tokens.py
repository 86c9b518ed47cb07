"""Token stores (docs/lua.md#security): a token stands for an actor and a scope until it expires or is revoked.

Of a token only a digest is kept, so that whoever reads the store can't use what is in it. An error names
neither the token nor what is wrong with it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any

from engine.asks.threads import on_thread
from engine.contracts.ask import AskHandler
from engine.contracts.catalog import Catalog
from engine.contracts.tokens import Token, TokenVault
from engine.durations import option_lifetime
from engine.entry import Entry
from engine.errors import INTERNAL, Failure, UnitFailed, invalid
from engine.registry import policies
from engine.registry.placeholders import filled
from engine.security.context import Actor, Policy, Security, as_mapping
from engine.steps import Value

KIND = "security.token_store"
LENGTH = 32
EXPIRATION = "24h"


class TokenAsks:
    """The asks of token stores. `environ` fills in `${env:NAME}` of token keys, `find` finds the holders' policies."""

    def __init__(
        self, catalog: Catalog, vault: TokenVault, environ: Mapping[str, str], *, find: policies.Find | None = None
    ) -> None:
        self._catalog = catalog
        self._find = find or catalog.entry
        self._vault = vault
        self._environ = environ

    def handlers(self) -> Mapping[str, AskHandler]:
        """Every ask by name."""
        return {
            "security.token_store": self.exists,
            "security.token.create": self.create,
            "security.token.validate": self.validate,
            "security.token.revoke": self.revoke,
        }

    async def exists(self, asker: str, args: tuple[Value, ...]) -> Value:
        """(store) -> true when the registry has it."""
        await self._store(args[0])
        return True

    async def create(self, asker: str, args: tuple[Value, ...]) -> Value:
        """(store, actor, policy ids[, options]) -> a new token, as text."""
        store_id, actor, scope, options = *args[:3], as_mapping(args[3] if len(args) > 3 else None)
        store = await self._store(store_id)
        key = self._key(store)
        lifetime = _lifetime(options.get("expiration") or store.data.get("default_expiration") or EXPIRATION)
        secret = secrets.token_bytes(store.data.get("token_length") or LENGTH)
        text = base64.urlsafe_b64encode(secret).rstrip(b"=").decode("ascii")
        holder = Security(Actor.from_json(actor), tuple(map(Policy, scope)))
        expires = time.time_ns() + lifetime
        await self._vault.put(Token(store_id, _digest(text), holder, expires, as_mapping(options.get("meta"))))
        return f"{text}.{_signature(key, text)}" if key else text

    async def validate(self, asker: str, args: tuple[Value, ...]) -> Value:
        """(store, token) -> {actor, scope}, with the policies of the current registry version."""
        store_id, token = args
        text = self._checked(await self._store(store_id), token)
        stored = await self._vault.get(store_id, _digest(text)) if text else None
        if stored is None or stored.expires <= time.time_ns() or stored.holder.actor is None:
            raise UnitFailed(Failure(INTERNAL, "token validation failed", retryable=False))
        holder = await on_thread(policies.resolved, stored.holder, self._find)
        scope = (holder.scope if holder else None) or ()
        return {"actor": stored.holder.actor.to_json(), "scope": [policy.to_value() for policy in scope]}

    async def revoke(self, asker: str, args: tuple[Value, ...]) -> Value:
        """(store, token) -> whether it was known."""
        store_id, token = args
        text = self._checked(await self._store(store_id), token)
        return bool(text) and await self._vault.drop(store_id, _digest(text))

    async def _store(self, store_id: str) -> Entry:
        entry = await on_thread(self._catalog.entry, store_id)
        if entry is None or entry.kind != KIND:
            raise UnitFailed(Failure(INTERNAL, f"token store '{store_id}' not found", retryable=False))
        return entry

    def _checked(self, store: Entry, token: Any) -> str:
        """The random part of a token, or "" when it is not signed by the store's key."""
        key = self._key(store)
        text, dot, signature = token.partition(".") if isinstance(token, str) else ("", "", "")
        if not key:
            return "" if dot else text
        return text if hmac.compare_digest(signature.encode(), _signature(key, text).encode()) else ""

    def _key(self, store: Entry) -> str:
        """The key of the store, "" for none; a variable that is not set is an error, not a store without a key."""
        name = store.data.get("token_key_env")
        given = f"${{env:{name}}}" if name else store.data.get("token_key") or ""
        try:
            return str(filled(given, self._environ))
        except KeyError as error:
            text = f"token store '{store.id}': the variable {error} is not set"
            raise UnitFailed(Failure(INTERNAL, text, retryable=False)) from error


def _signature(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _lifetime(value: Any) -> int:
    """Nanoseconds of an expiration; raises UnitFailed (Invalid)."""
    lifetime = option_lifetime(value)
    if lifetime is None or lifetime <= 0:
        raise UnitFailed(invalid("expiration must be a duration above zero"))
    return lifetime
