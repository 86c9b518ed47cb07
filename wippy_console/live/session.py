"""Who listens: read afresh from the database, since an open socket outlives a logout (and a lost right)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.base import SessionBase

from wippy_console import permissions

SIGNED_OUT = 4401
FORBIDDEN = 4403


def refusal(scope: Mapping[str, Any]) -> int:
    """The code to close the socket with, or 0 when its session lives and its user may see the feed.

    Synchronous: reads the session, the user and the rights from the database.
    """
    user = _user(scope)
    if user is None or not user.is_authenticated:
        return SIGNED_OUT
    return 0 if permissions.allows(user, permissions.VIEW_FEED) else FORBIDDEN


def _user(scope: Mapping[str, Any]) -> Any:
    """The user whom the session names now: None or anonymous after logout, expiry, or a changed password."""
    session: Any = scope.get("session")
    key = session.session_key if session is not None else None
    if not key:
        return None
    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(key)
    if not store.exists(key):
        return None
    return get_user(SimpleNamespace(session=store, META={}))  # type: ignore[arg-type]
