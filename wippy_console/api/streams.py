"""The feed as server-sent events: lossless from a cursor, read from the memory of the process's one reader.

A server can't know whether what it sent was read, so a stream ends after some megabytes: its client comes back with
`Last-Event-ID`, and one that does not read costs no more memory than that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import weakref
from collections.abc import AsyncIterator
from copy import copy
from dataclasses import dataclass, field
from functools import partial

from wippy_console.database.threads import in_thread, let_go_of_request
from wippy_console.live import session
from wippy_console.live.frames import Frame
from wippy_console.live.shutdown import open_sockets
from wippy_console.live.tailer import tailer
from wippy_console.models import FeedEvent
from wippy_console.services import access_tokens, feed, feed_pages
from wippy_console.services.feed import Sight
from wippy_console.services.feed_pages import Wanted

logger = logging.getLogger(__name__)

AT_ONCE = 100
MOST = 100
"""Open in one process."""
MOST_OF_CALLER = 10
MOST_BYTES = 2_000_000
RECHECK_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who listens: the bearer of a token, from an address, or a session."""

    token_id: int | None
    address: str = ""
    session_key: str = ""

    def sight(self) -> Sight:
        """What they may see now: nothing when the token or the session counts no more."""
        if self.token_id is None:
            return session.verdicts([self.session_key])[self.session_key].seen
        token = access_tokens.again(self.token_id, self.address)
        return feed.sight(token.owner) if token is not None else feed.NOTHING


@dataclass(eq=False)
class Stream:
    """One answer that goes on. It keeps a cursor and nothing else."""

    caller: Caller
    wanted: Wanted
    cursor: int
    is_closing: bool = False
    _wake: asyncio.Event | None = None
    _seen: Sight = feed.NOTHING
    _checked_at: float = field(default=0.0)

    async def close(self, code: int) -> None:
        """End it before the process does."""
        self.is_closing = True
        if self._wake is not None:
            self._wake.set()

    async def parts(self) -> AsyncIterator[bytes]:
        """What is sent, until it ends; its client comes back by itself."""
        await let_go_of_request()
        subscription = tailer.subscribe()
        self._wake = subscription.wake
        open_sockets.add(self)
        try:
            yield f"retry: {RETRY_MILLISECONDS}\nid: {self.cursor}\n\n".encode()
            async for part in self._follow(subscription.wake):
                yield part
        except Exception:  # whatever it is: the client comes back
            logger.exception("a stream of the feed failed")
        finally:
            open_sockets.discard(self)
            tailer.unsubscribe(subscription)
            _open.discard(self)

    async def _follow(self, wake: asyncio.Event) -> AsyncIterator[bytes]:
        left, said_at = MOST_BYTES, time.monotonic()
        while left > 0 and await self._may_go_on():
            wake.clear()
            text, more = await self._read()
            if not text and not more and not self.is_closing:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(wake.wait(), RECHECK_SECONDS)
            if not text and time.monotonic() - said_at >= HEARTBEAT_SECONDS:
                text = b": still here\n\n"
            if text:
                left, said_at = left - len(text), time.monotonic()
                yield text

    async def _may_go_on(self) -> bool:
        """Whether they may still see the feed, asked once a second."""
        if time.monotonic() - self._checked_at >= RECHECK_SECONDS:
            self._seen, self._checked_at = await in_thread(self.caller.sight), time.monotonic()
        return not self._seen.rows.nowhere and not self.is_closing

    async def _read(self) -> tuple[bytes, bool]:
        """What came, and whether there is more; from memory, or from the table when the cursor lies further back."""
        seen = self._seen
        kept = tailer.read(self.cursor, limit=AT_ONCE, seen=seen, fits=partial(_fits, self.wanted, seen))
        if kept is not None:
            frames, self.cursor = kept
            events = feed.trimmed([copy(each.event) for each in frames], seen)
            return b"".join(map(_block, events)), bool(frames)
        found = await in_thread(partial(feed_pages.follow, seen, self.wanted, self.cursor, AT_ONCE))
        self.cursor = found.cursor
        return b"".join(map(_block, found.events)), found.more


_open: weakref.WeakSet[Stream] = weakref.WeakSet()
"""Weak, since one whose client left before it began never ends."""


def crowded(caller: Caller) -> int:
    """The status that refuses one more: 429 when the caller has enough, 503 when the process has, or else 0."""
    found = list(_open)
    if sum(_owner(each.caller) == _owner(caller) for each in found) >= MOST_OF_CALLER:
        return 429
    return 503 if len(found) >= MOST else 0


def opened(caller: Caller, wanted: Wanted, cursor: int) -> Stream:
    """A stream that counts from now on."""
    stream = Stream(caller, wanted, cursor)
    _open.add(stream)
    return stream


def _owner(caller: Caller) -> tuple[int | None, str]:
    return caller.token_id, caller.session_key


def _fits(wanted: Wanted, seen: Sight, frame: Frame) -> bool:
    return feed_pages.suits(frame.event, wanted, seen)


def _block(event: FeedEvent) -> bytes:
    return f"id: {event.id}\nevent: {event.kind}\ndata: {feed.as_json(event)}\n\n".encode()
