"""How often somebody may try: so many wrong links a minute from one address, and one link as often."""

from __future__ import annotations

from hashlib import sha256
from time import time

from wippy_console.models import GuestLink
from wippy_console.services import counting
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.guests.links import find

MOST = 20
SECONDS = 60


class TooMany(Refused):
    """Too many tries; `SECONDS` later there may be more."""

    status = 429


def enter(address: str, token: str) -> GuestLink:
    """The link with that secret, for somebody at that address; NotFoundError, and TooMany after too many of those.

    A link is entered so many times a minute, too.
    """
    at_address, with_link = _key("from", address), _key("link", token)
    if counting.counted(at_address) >= MOST or counting.count(with_link, 2 * SECONDS) > MOST:
        raise TooMany("That was too often. Wait a minute, then try again.")
    try:
        return find(token)
    except NotFoundError:
        counting.count(at_address, 2 * SECONDS)
        raise


def _key(kind: str, who: str) -> str:
    minute = int(time()) // SECONDS
    return f"guest-{sha256(f'{kind} {minute} {who}'.encode(errors='replace')).hexdigest()}"
