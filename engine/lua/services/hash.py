"""Digests and base64 for Lua (docs/lua.md#hash). FNV is Lua: it needs no library, and so its work is counted."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable

from engine.errors import UnitFailed, invalid
from engine.lua.marshal import bytes_of
from engine.steps import Value


def digest(name: str, data: str | bytes, raw: bool) -> str | bytes:
    """The digest of the data, as hexadecimal text or raw."""
    found = hashlib.new(name, bytes_of(data), usedforsecurity=False)
    return found.digest() if raw else found.hexdigest()


def keyed(name: str, data: str | bytes, key: str | bytes, raw: bool) -> str | bytes:
    """The HMAC of the data, as hexadecimal text or raw."""
    found = hmac.new(bytes_of(key), bytes_of(data), name)
    return found.digest() if raw else found.hexdigest()


def encode(data: str | bytes) -> str:
    """Standard base64 with padding (RFC 4648)."""
    return base64.b64encode(bytes_of(data)).decode("ascii")


def decode(text: str | bytes) -> bytes:
    """The bytes of standard base64; line breaks may stand in it."""
    try:
        return base64.b64decode(bytes_of(text).translate(None, b"\r\n"), validate=True)
    except binascii.Error as error:
        raise UnitFailed(invalid(f"base64.decode: {error}")) from None


PURE: dict[str, Callable[..., Value]] = {
    "hash.digest": digest,
    "hash.hmac": keyed,
    "base64.encode": encode,
    "base64.decode": decode,
}
