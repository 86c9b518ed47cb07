"""Tell a database that does not answer from a fault of ours."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError


def is_away(error: BaseException | None) -> bool:
    """Whether the database could not be reached, or could not be had in time."""
    return isinstance(error, (OperationalError, InterfaceError))
