"""What exceptions of Django mean to Lua."""

from __future__ import annotations

import sqlite3

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404

from engine.errors import INVALID, NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE, Failure


def failure_of(error: BaseException) -> Failure | None:
    """The failures that exceptions of Django stand for."""
    match error:
        case ValidationError():
            details = error.message_dict if hasattr(error, "error_dict") else {}
            return Failure(INVALID, ", ".join(error.messages), retryable=False, details=details)
        case ObjectDoesNotExist() | Http404():
            return Failure(NOT_FOUND, str(error), retryable=False)
        case PermissionDenied():
            return Failure(PERMISSION_DENIED, str(error) or "permission denied", retryable=False)
        case OperationalError() | InterfaceError() if not _is_mistaken(error):
            return Failure(UNAVAILABLE, f"the database: {error}", retryable=True)
        case _:
            return None


def _is_mistaken(error: BaseException) -> bool:
    """SQLite says of a wrong statement what others say of a server that is down."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR
