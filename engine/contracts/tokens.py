"""The contract of a vault: where the tokens of token stores are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.security.context import Security


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token. `digest` is of its random part; `expires` is ns since the epoch."""

    store: str
    digest: str
    holder: Security
    expires: int
    meta: Mapping[str, Any] = field(default_factory=dict)


class TokenVault(Protocol):
    """Where tokens are kept; coroutines of the node's loop."""

    async def put(self, token: Token) -> None:
        """Keep a new token; those that expired may go."""
        ...

    async def get(self, store: str, digest: str) -> Token | None:
        """The token of that digest, expired or not."""
        ...

    async def drop(self, store: str, digest: str) -> bool:
        """Forget it; whether it was there."""
        ...
