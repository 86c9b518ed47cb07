"""The feed over a WebSocket: lossless from a cursor, in bounded chunks, each acknowledged.

`/ws/feed/?since=<id>&run=<run id>&kinds=EXIT,STARTED&watch=<run id>`. Without `since` it begins at the newest row;
`run` and `kinds` narrow it; `watch` (by default the same run) asks for hints and narrows nothing.

Server to client: `{"events": [...], "cursor": id}`, up to 100 events; the next chunk comes after the client's
`{"ack": cursor}`. A chunk without events says where the stream begins. `"reset": true` says that `since` lies after the
newest row (another database): load the page again. `{"run": {run_id, history_length, status}}` hints that the
watched run has changed. `{"pong": true}` answers `{"ping": ...}`.

Closes with 4400 (bad request), 4401 (signed out), 4403 (may not see the feed); come back after 4011 (an error),
4012 (restart), 4013 (the database does not answer).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from wippy_console.database.threads import in_thread
from wippy_console.live.frames import Frame, rendered
from wippy_console.live.session import guard
from wippy_console.live.shutdown import open_sockets
from wippy_console.live.tailer import Subscription, tailer
from wippy_console.models import Run
from wippy_console.services import feed
from wippy_console.services.feed import Sight

logger = logging.getLogger(__name__)

CHUNK = 100
RECHECK_SECONDS = 10.0
BAD_REQUEST = 4400
FAILED = 4011
TRY_AGAIN = 4013
MAX_MESSAGE = 1000
"""Characters; what a client has to say is a number."""


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """What a client asked for; `since` None means from now on. Of the run `watched` changes are hinted."""

    since: int | None
    run_id: str
    kinds: tuple[str, ...]
    watched: str


class FeedConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One socket. It keeps a cursor and nothing else, so a client that does not read costs no memory."""

    _pump: asyncio.Task[None] | None = None
    _subscription: Subscription | None = None

    async def connect(self) -> None:
        """Accept first: a browser sees the code of a close only after that."""
        await self.accept()
        self._acked = asyncio.Event()
        self._cursor = 0
        self._checked_at = 0.0
        self._seen = feed.NOTHING
        request = parse(self.scope["query_string"])
        if request is None:
            await self.close(BAD_REQUEST)
            return
        open_sockets.add(self)
        self._pump = asyncio.create_task(self._run(request))

    async def disconnect(self, code: int) -> None:
        """Let go of everything."""
        open_sockets.discard(self)
        if self._subscription is not None:
            tailer.unsubscribe(self._subscription)
        if self._pump is not None:
            self._pump.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take an acknowledgement or a ping; anything else that is JSON is ignored."""
        text = text_data or ""
        try:
            message = json.loads(text if len(text) <= MAX_MESSAGE else "")
        except (ValueError, RecursionError):
            await self.close(BAD_REQUEST)
            return
        match message:
            case {"ack": int(cursor)} if cursor >= self._cursor:
                self._acked.set()
            case {"ping": _}:
                await self._send({"pong": True})

    # -- the pump ----------------------------------------------------------------------------------

    async def _run(self, request: FeedRequest) -> None:
        """Send until the socket closes; what fails here closes it, and the client comes back."""
        try:
            await self._follow(request)
        except DatabaseError:
            logger.exception("the feed can't be read")
            await self.close(TRY_AGAIN)
        except Exception:
            logger.exception("the feed socket failed")
            await self.close(FAILED)

    async def _follow(self, request: FeedRequest) -> None:
        if not await self._may_go_on():
            return
        subscription = self._subscription = tailer.subscribe(request.watched)
        await self._begin(request)
        while await self._send_new(request, subscription):
            await self._pause(subscription.wake)
            if self._check_due() and not await self._may_go_on():
                return

    async def _begin(self, request: FeedRequest) -> None:
        """Settle the cursor, and say how the run stands: it may have moved since the page was drawn."""
        head = await in_thread(feed.head)
        self._cursor = head if request.since is None else min(request.since, head)
        if request.since is None or request.since > head:
            await self._send({"events": [], "cursor": head, "reset": request.since is not None})
        if request.watched:
            await self._hint(await in_thread(partial(run_hint, request.watched)))

    async def _send_new(self, request: FeedRequest, subscription: Subscription) -> bool:
        """Send what there is; False when the socket was closed. The bell is unset first, so no ring is missed."""
        subscription.wake.clear()
        while True:
            hint, seen = subscription.take_hint(), self._seen
            frames, cursor = await self._read(request)
            if not frames and hint is None:
                self._cursor = cursor
                return True
            if not await self._may_go_on():
                return False
            await self._hint(hint)
            if self._seen != seen:  # what was read was chosen by rights of before: it is read again
                continue
            if not frames:
                self._cursor = cursor
            elif not await self._send_chunk(frames, cursor):
                return False

    async def _hint(self, hint: dict[str, Any] | None) -> None:
        """Tell how the watched run stands, unless it is none that the user may see."""
        if hint is not None and self._seen.runs.covers(hint.pop("namespace")):
            await self._send({"run": hint})

    async def _send_chunk(self, frames: list[Frame], cursor: int) -> bool:
        """Send one chunk and wait for its acknowledgement; False when the socket was closed meanwhile."""
        self._cursor = cursor
        self._acked.clear()
        events = ",".join(each.text_for(self._seen) for each in frames)
        await self.send(text_data=f'{{"events":[{events}],"cursor":{cursor}}}')
        while not self._acked.is_set():
            await self._pause(self._acked)
            if self._check_due() and not await self._may_go_on():
                return False
        return True

    async def _read(self, request: FeedRequest) -> tuple[list[Frame], int]:
        """From the process's memory, or from the table when the cursor lies further back."""
        frames = tailer.read(self._cursor, request.run_id, request.kinds, CHUNK, self._seen)
        if frames is not None:
            return frames
        return await in_thread(partial(read_table, self._cursor, request, self._seen))

    async def _may_go_on(self) -> bool:
        """Check session and right afresh; close the socket when either is gone."""
        verdict = await guard.verdict(self.scope)
        self._checked_at, self._seen = time.monotonic(), verdict.seen
        if verdict.code:
            await self.close(verdict.code)
        return not verdict.code

    def _check_due(self) -> bool:
        return time.monotonic() - self._checked_at >= RECHECK_SECONDS

    async def _pause(self, bell: asyncio.Event) -> None:
        """Wait for the bell, but not longer than the next check is due."""
        left = RECHECK_SECONDS - (time.monotonic() - self._checked_at)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(bell.wait(), max(left, 0.01))

    async def _send(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message))


def parse(query: bytes) -> FeedRequest | None:
    """What the query string asks for; None when it makes no sense."""
    fields = parse_qs(query.decode("utf-8", "replace"))
    since = fields.get("since", [""])[0]
    if since and not (since.isascii() and since.isdigit() and int(since) < 2**63):
        return None
    kinds = tuple(kind for text in fields.get("kinds", []) for kind in text.split(",") if kind)
    run_id = fields.get("run", [""])[0]
    watched = fields.get("watch", [run_id])[0]
    return FeedRequest(int(since) if since else None, run_id, kinds, watched)


def run_hint(run_id: str) -> dict[str, Any] | None:
    """How the run stands, or None when it is unknown."""
    found = Run.objects.filter(run_id=run_id).values("run_id", "history_length", "status", "namespace").first()
    return dict(found) if found else None


def read_table(cursor: int, request: FeedRequest, seen: Sight) -> tuple[list[Frame], int]:
    """Up to a chunk of matching rows after `cursor`, and the new cursor."""
    head = feed.head()
    found = rendered(feed.between(cursor, head, run_id=request.run_id, kinds=request.kinds, seen=seen)[:CHUNK])
    return found, found[-1].id if len(found) == CHUNK else max(cursor, head)
