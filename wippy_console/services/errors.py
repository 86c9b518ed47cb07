"""What services refuse, and the HTTP status that a page answers with.

A missing permission is Django's `PermissionDenied` (403).
"""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """A request can't be carried out; `message` says why in one sentence for the person who asked.

    `fields` maps form field names to their errors ("" = the form as a whole).
    """

    status = 422

    def __init__(self, message: str, fields: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields: dict[str, list[str]] = dict(fields or {})


class Conflict(Refused):
    """Somebody or something was faster; the message names the winner."""

    status = 409


class NotFoundError(Refused):
    """There is no such thing, or the asker may not know of it."""

    status = 404


class Unavailable(Refused):
    """A part that the request needs does not answer now, Temporal for example."""

    status = 503
