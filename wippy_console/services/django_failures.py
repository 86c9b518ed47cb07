"""What exceptions of Django mean to Lua."""

from __future__ import annotations

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.http import Http404

from engine.errors import INTERNAL, INVALID, NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE, Failure
from wippy_console.database.outages import is_away, lacks_migration

MIGRATE = "is its app migrated? manage.py makemigrations, manage.py migrate"


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
        case _ if is_away(error):
            return Failure(UNAVAILABLE, f"the database: {error}", retryable=True)
        case _ if lacks_migration(error):
            text = str(error).partition("\n")[0]
            return Failure(INTERNAL, f"{type(error).__name__}: {text} ({MIGRATE})")
        case _:
            return None
