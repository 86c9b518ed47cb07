"""Where a page of a list begins: what tells a row's place, as a text for an address."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from wippy_console.services.errors import Refused

DAMAGED = "The page's address is damaged. Start again from the first page."


def made(*place: str) -> str:
    """The cursor of a place; only its last part may hold a bar."""
    return base64.urlsafe_b64encode("|".join(place).encode()).decode().rstrip("=")


def place_of(cursor: str, parts: int) -> list[str]:
    """Its parts again; Refused for what is no cursor of so many."""
    try:
        place = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split("|", parts - 1)
    except (ValueError, binascii.Error):
        raise Refused(DAMAGED) from None
    if len(place) != parts:
        raise Refused(DAMAGED)
    return place


def moment_of(text: str) -> datetime:
    """A part that is a moment, in UTC; Refused for any other, and for one that no other zone could tell."""
    try:
        moment = datetime.fromisoformat(text)
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(DAMAGED) from None
    if moment.tzinfo is None:
        raise Refused(DAMAGED)
    return utc
