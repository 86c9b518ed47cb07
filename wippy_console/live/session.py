"""Who listens: read afresh from the database, since an open socket outlives a logout and a lost right.

All sockets that ask at one moment are checked by the same few queries: a hundred sockets get one event within
milliseconds of each other, and each of them must be checked before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from wippy_console import permissions
from wippy_console.database.threads import in_thread
from wippy_console.services import feed
from wippy_console.services.feed import Sight

SIGNED_OUT = 4401
FORBIDDEN = 4403
ALLOWED = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The code to close a socket with, or ALLOWED and what its user may see."""

    code: int
    seen: Sight = feed.NOTHING


class Guard:
    """Gathers the questions of a moment; for one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Verdict]] = {}
        self._task: asyncio.Task[None] | None = None

    async def verdict(self, scope: Mapping[str, Any]) -> Verdict:
        """Whether the socket's session lives and its user may see the feed, and what of it."""
        key = session_key(scope)
        if not key:
            return Verdict(SIGNED_OUT)
        if key not in self._waiting:
            self._waiting[key] = asyncio.get_running_loop().create_future()
        answer = self._waiting[key]
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._answer())
        return await asyncio.shield(answer)

    async def _answer(self) -> None:
        """Answer until nobody waits; who comes while a read is under way is in the next one."""
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                found = await in_thread(partial(verdicts, list(asked)))
            except Exception as error:
                _fail(asked.values(), error)
                continue
            for key, future in asked.items():
                future.set_result(found[key])


def verdicts(keys: list[str]) -> dict[str, Verdict]:
    """Those for these sessions."""
    found = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    signed_in = _signed_in({row.session_key: row.get_decoded() for row in found})
    scopes = permissions.scopes_of(signed_in.values(), feed.SEEN_BY)
    seen = {pk: feed.sight_of(each) for pk, each in scopes.items()}
    return {key: _verdict(signed_in.get(key), seen) for key in keys}


def session_key(scope: Mapping[str, Any]) -> str:
    """The key of the session that the socket came with, "" for none."""
    session: Any = scope.get("session")
    return (session.session_key if session is not None else None) or ""


def _signed_in(sessions: Mapping[str, Mapping[str, Any]]) -> dict[str, User]:
    """The active user of each session, as `django.contrib.auth.get_user` finds it."""
    ids = {key: data.get(SESSION_KEY) for key, data in sessions.items()}
    users = get_user_model().objects.filter(pk__in={pk for pk in ids.values() if pk}, is_active=True)
    by_id = {str(user.pk): user for user in users}
    found = {key: by_id[str(pk)] for key, pk in ids.items() if str(pk) in by_id}
    return {key: user for key, user in found.items() if _vouched(user, sessions[key])}


def _vouched(user: User, session: Mapping[str, Any]) -> bool:
    """Whether the session was made by a backend of ours and with the password that the user still has."""
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return False
    given = session.get(HASH_SESSION_KEY) or ""
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(given, each) for each in hashes)


def _verdict(user: User | None, seen: Mapping[int, Sight]) -> Verdict:
    if user is None:
        return Verdict(SIGNED_OUT)
    found = seen[user.pk]
    return Verdict(FORBIDDEN) if found.rows.nowhere else Verdict(ALLOWED, found)


def _fail(futures: Iterable[asyncio.Future[Verdict]], error: Exception) -> None:
    for future in futures:
        future.set_exception(error)


guard = Guard()
"""The one of this process."""
