"""Who listens: read afresh from the database, since an open socket outlives a logout and a lost right.

All sockets that ask at one moment are checked by the same three queries: a hundred sockets get one event within
milliseconds of each other, and each of them must be checked before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
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

SIGNED_OUT = 4401
FORBIDDEN = 4403
ALLOWED = 0


class Guard:
    """Gathers the questions of a moment; for one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[int]] = {}
        self._task: asyncio.Task[None] | None = None

    async def refusal(self, scope: Mapping[str, Any]) -> int:
        """The code to close the socket with, or 0 when its session lives and its user may see the feed."""
        key = session_key(scope)
        if not key:
            return SIGNED_OUT
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
                codes = await in_thread(partial(refusals, list(asked)))
            except Exception as error:
                _fail(asked.values(), error)
                continue
            for key, future in asked.items():
                future.set_result(codes[key])


def refusals(keys: list[str]) -> dict[str, int]:
    """The codes for these sessions."""
    found = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    signed_in = _signed_in({row.session_key: row.get_decoded() for row in found})
    allowed = _allowed(signed_in.values())
    return {key: _code(signed_in.get(key), allowed) for key in keys}


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


def _allowed(users: Iterable[User]) -> set[int]:
    """The ids of those who may see the feed."""
    backend = "django.contrib.auth.backends.ModelBackend"
    holders = get_user_model().objects.with_perm(permissions.VIEW_FEED, backend=backend)
    return set(holders.filter(pk__in=[user.pk for user in users]).values_list("pk", flat=True))


def _code(user: User | None, allowed: set[int]) -> int:
    if user is None:
        return SIGNED_OUT
    return ALLOWED if user.pk in allowed else FORBIDDEN


def _fail(futures: Iterable[asyncio.Future[int]], error: Exception) -> None:
    for future in futures:
        future.set_exception(error)


guard = Guard()
"""The one of this process."""
