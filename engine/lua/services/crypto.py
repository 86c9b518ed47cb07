"""Random values, encryption and keys for Lua (docs/lua.md#crypto).

All randomness of one request grows from a secret of 32 bytes that Lua brings along: it got it from the
operating system, or in a workflow from its history. So everything here is pure.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from engine.errors import INTERNAL, Failure, UnitFailed
from engine.lua.marshal import bytes_of
from engine.steps import Value

Text = str | bytes
_NONCE = 12
_CIPHERS: dict[str, type[AESGCM] | type[ChaCha20Poly1305]] = {"aes": AESGCM, "chacha20": ChaCha20Poly1305}


def random_bytes(secret: Text, count: int) -> bytes:
    """`count` bytes that nobody can tell without the secret."""
    return hashlib.shake_256(bytes_of(secret)).digest(count)


def random_string(secret: Text, count: int, charset: Text) -> bytes:
    """`count` bytes of the charset, each as likely as any other."""
    alphabet = bytes_of(charset)
    even = 256 - 256 % len(alphabet)  # bytes beyond would make the first ones of the alphabet likelier
    table = bytes(alphabet[n % len(alphabet)] for n in range(256))
    stream, drawn = count + count // 4 + 64, b""
    while len(drawn) < count:
        drawn = random_bytes(secret, stream).translate(table, bytes(range(even, 256)))
        stream *= 2
    return drawn[:count]


def random_uuid(secret: Text) -> str:
    """A random UUID."""
    return str(uuid.UUID(bytes=random_bytes(secret, 16), version=4))


def encrypt(secret: Text, cipher: str, data: Text, key: Text, aad: Text) -> bytes:
    """Nonce and ciphertext."""
    nonce = random_bytes(secret, _NONCE)
    return nonce + _CIPHERS[cipher](bytes_of(key)).encrypt(nonce, bytes_of(data), bytes_of(aad))


def decrypt(cipher: str, data: Text, key: Text, aad: Text) -> bytes:
    """The text that `encrypt` had; Internal when the key, the data or the aad is not the same."""
    sealed = bytes_of(data)
    try:
        return _CIPHERS[cipher](bytes_of(key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], bytes_of(aad))
    except (InvalidTag, ValueError):
        message = f"crypto.decrypt.{cipher}: wrong key, or the data was changed"
        raise UnitFailed(Failure(INTERNAL, message, retryable=False)) from None


def pbkdf2(password: Text, salt: Text, iterations: int, length: int, name: str) -> bytes:
    """A key of `length` bytes."""
    return hashlib.pbkdf2_hmac(name, bytes_of(password), bytes_of(salt), iterations, length)


def same(left: Text, right: Text) -> bool:
    """Whether two texts are the same; takes as long wherever they differ."""
    return hmac.compare_digest(bytes_of(left), bytes_of(right))


PURE: dict[str, Callable[..., Value]] = {
    "crypto.bytes": random_bytes,
    "crypto.string": random_string,
    "crypto.uuid": random_uuid,
    "crypto.encrypt": encrypt,
    "crypto.decrypt": decrypt,
    "crypto.pbkdf2": pbkdf2,
    "crypto.same": same,
}
