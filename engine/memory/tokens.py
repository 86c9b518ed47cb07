"""A vault in memory."""

from __future__ import annotations

import time

from engine.contracts.tokens import Token


class MemoryVault:
    """Tokens of one OS process, gone with it."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str], Token] = {}
        self._sweep_at = 1000

    async def put(self, token: Token) -> None:
        """Keep it; expired ones are forgotten whenever the number has doubled."""
        if len(self._tokens) >= self._sweep_at:
            now = time.time_ns()
            self._tokens = {key: each for key, each in self._tokens.items() if each.expires > now}
            self._sweep_at = max(1000, 2 * len(self._tokens))
        self._tokens[token.store, token.digest] = token

    async def get(self, store: str, digest: str) -> Token | None:
        """The token."""
        return self._tokens.get((store, digest))

    async def drop(self, store: str, digest: str) -> bool:
        """Forget it."""
        return self._tokens.pop((store, digest), None) is not None
