"""JSON Web Tokens for Lua (docs/lua.md#crypto). The clock is the unit's: a replay judges a token as the run did."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import HMACAlgorithm, RSAAlgorithm
from jwt.api_jws import PyJWS
from jwt.exceptions import InvalidKeyError, PyJWTError

from engine.errors import INTERNAL, Failure, UnitFailed, invalid
from engine.lua.marshal import bytes_of
from engine.lua.services import json as services_json
from engine.steps import Value

Text = str | bytes
MAX_KEY = 5000
"""Bytes of a PEM text: enough for RSA with 4096 bits. Reading a larger one takes seconds."""

ALGORITHMS = ("HS256", "HS384", "HS512", "RS256")


class _Hmac(HMACAlgorithm):
    def check_key_length(self, key: bytes) -> str | None:
        return None  # the key is the author's choice, and the warning would reach nobody who wrote Lua


class _Rsa(RSAAlgorithm):
    def prepare_key(self, key: Any) -> Any:
        if len(key) > MAX_KEY:
            raise InvalidKeyError(f"the key is longer than {MAX_KEY} bytes")
        return _read(key)

    def check_key_length(self, key: Any) -> str | None:
        return None

    def sign(self, msg: bytes, key: Any) -> bytes:
        if not isinstance(key, RSAPrivateKey):
            raise InvalidKeyError("a public key signs nothing")
        return super().sign(msg, key)


@lru_cache(maxsize=64)
def _read(key: bytes) -> Any:
    """The RSA key of a PEM text. Checking a private key takes a tenth of a second or more: once is enough."""
    return RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(key)


def _jws() -> PyJWS:
    jws = PyJWS(algorithms=[])  # not even "none"
    jws.register_algorithm("HS256", _Hmac(HMACAlgorithm.SHA256))
    jws.register_algorithm("HS384", _Hmac(HMACAlgorithm.SHA384))
    jws.register_algorithm("HS512", _Hmac(HMACAlgorithm.SHA512))
    jws.register_algorithm("RS256", _Rsa(RSAAlgorithm.SHA256))
    return jws


_JWS = _jws()


def encode(claims: Value, key: Text, algorithm: str) -> str:
    """The signed token of a table of claims; its field `_header` goes into the token's header."""
    _check_algorithm(algorithm)
    claims = _object(claims, "the claims")
    header = _object(claims.pop("_header", None) or {}, "_header")
    if header.get("alg", algorithm) != algorithm:
        raise UnitFailed(invalid(f"crypto.jwt: _header says alg {header['alg']!r}, the argument {algorithm!r}"))
    body = services_json.encode(claims).encode() if claims else b"{}"
    plain_header = services_json.decode(services_json.encode(header)) if header else {}
    try:
        return _JWS.encode(body, bytes_of(key), algorithm, {"typ": "JWT", **plain_header, "alg": algorithm})
    except (PyJWTError, TypeError, ValueError) as error:
        raise UnitFailed(invalid(f"crypto.jwt: the key does not fit {algorithm}: {error}")) from None


def verify(token: Text, key: Text, algorithm: str, require_exp: bool, now: int) -> Value:
    """The claims of a token that the key signed and that holds `now` (ns); `_header` among them is its header."""
    _check_algorithm(algorithm)
    try:
        found = _JWS.decode_complete(bytes_of(token), bytes_of(key), algorithms=[algorithm])
    except (InvalidKeyError, TypeError) as error:
        raise UnitFailed(invalid(f"crypto.jwt: the key does not fit {algorithm}: {error}")) from None
    except (PyJWTError, ValueError) as error:
        raise _refused(str(error)) from None
    claims = services_json.decode(found["payload"])
    if not isinstance(claims, dict):
        raise _refused("its claims are no object")
    _check_time(claims, require_exp, now / 1_000_000_000)
    return {**claims, "_header": found["header"]}


def _check_algorithm(name: str) -> None:
    if name not in ALGORITHMS:
        raise UnitFailed(invalid(f"crypto.jwt: unknown algorithm {name!r}: use {', '.join(ALGORITHMS)}"))


def _object(value: Value, what: str) -> dict[str, Any]:
    """The table as an object; an empty one came as a list."""
    if not value and isinstance(value, list):
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise UnitFailed(invalid(f"crypto.jwt: {what} must be a table with names as keys"))
    return dict(value)


def _check_time(claims: dict[str, Any], require_exp: bool, now: float) -> None:
    expires, begins = _moment(claims, "exp"), _moment(claims, "nbf")
    if expires is None and require_exp:
        raise _refused("it has no exp")
    if expires is not None and now >= expires:
        raise _refused("it has expired")
    if begins is not None and now < begins:
        raise _refused("it is not valid yet")


def _moment(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)):
        return value
    raise _refused(f"its {name} is no number")


def _refused(why: str) -> UnitFailed:
    return UnitFailed(Failure(INTERNAL, f"crypto.jwt.verify: the token is not valid: {why}", retryable=False))


PURE: dict[str, Callable[..., Value]] = {"jwt.encode": encode, "jwt.verify": verify}
