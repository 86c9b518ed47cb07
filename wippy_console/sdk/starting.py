"""Workflows that Django code starts."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def start(entry: str, *args: Any, id: str = "", user: User | None = None) -> None:
    """Start a workflow; within a transaction when that has committed, and not at all if it is rolled back.

    `args` are plain data. `id` is the workflow's id: one that runs already is left to run. With a `user` their right
    to start it is asked for, as in the console; without one the code itself starts it.
    """
    from django.db import transaction  # noqa: PLC0415 - the sdk can be imported before the apps are ready

    transaction.on_commit(partial(_started, entry, args, id, user, uuid.uuid4()))


def _started(entry: str, args: tuple[Any, ...], id: str, user: User | None, key: uuid.UUID) -> None:
    from wippy_console.services import accounts, runs  # noqa: PLC0415
    from wippy_console.services.errors import Conflict  # noqa: PLC0415

    try:
        runs.start(user or accounts.code(), entry, "", list(args), id, key=key)
    except Conflict:
        if not id:
            raise
