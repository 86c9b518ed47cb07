"""Whether a request proves who sends it: compared in constant time, and no message holds a secret or what was sent."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.registry.hooks.auth import Basic, Hmac, Open, Token
from engine.registry.hooks.route import Route
from wippy_console.services.hooks import secrets

Headers = Sequence[tuple[str, str]]

_UNPROVED = "Not authenticated."
_UNSET = "This endpoint is not ready."
_MISMATCH = "The signature does not match."
_BASIC = 'Basic realm="hooks", charset="UTF-8"'


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is turned away. `reason` is for the console: it is the same for all requests of its kind.

    `status` is 401 (send `challenge` as WWW-Authenticate) or 503 (a variable is not set); `told` is for the sender.
    """

    status: int
    reason: str
    told: str = _UNPROVED
    challenge: str = ""


def refusal(route: Route, headers: Headers, body: bytes, now: float | None = None) -> Refusal | None:
    """Why the request is refused, None when it is let in.

    `headers` are pairs as ASGI has them, names in lower case, values decoded as Latin-1; `body` is as it came. `now` is
    in seconds since 1970. Blocks: a declared variable may stand in a file.
    """
    if isinstance(route.auth, Open):
        return None
    secret = secrets.value(route.auth.secret_env)
    if secret is None:
        return Refusal(503, unset(route.auth.secret_env), _UNSET)
    match route.auth:
        case Hmac() as wanted:
            reason = _of_signature(wanted, secret, headers, body, time.time() if now is None else now)
            challenge = f'Signature realm="hooks", header="{wanted.header}"'
        case Token() as wanted:
            reason, challenge = _of_token(wanted, secret, headers), 'Bearer realm="hooks"'
        case Basic() as wanted:
            reason, challenge = _of_basic(wanted, secret, headers), _BASIC
    return Refusal(401, reason, challenge=challenge) if reason else None


def unset(name: str) -> str:
    """What is said of a route whose variable has no value."""
    return f"The variable {name} is not set for the console's web processes: nobody is let in."


def problem(route: Route) -> str:
    """Why nobody is let in by a route, "" when senders who prove themselves are."""
    name = route.auth.secret_env
    return unset(name) if name and secrets.value(name) is None else ""


def _of_signature(wanted: Hmac, secret: str, headers: Headers, body: bytes, now: float) -> str:
    given, problem = _one(headers, wanted.header)
    if problem:
        return problem
    if wanted.timestamp_header == wanted.header:
        fields = [each.strip() for each in given.split(",")]
        stamp = next((each[2:] for each in fields if each.startswith("t=")), "")
    else:
        fields = [given.strip()]
        stamp, problem = _one(headers, wanted.timestamp_header) if wanted.timestamp_header else ("", "")
    if problem:
        return problem
    if wanted.timestamp_header:
        if late := _of_time(stamp.strip(), wanted.tolerance, now):
            return late
        body = stamp.strip().encode("latin-1", "replace") + b"." + body
    digest = hmac.new(secret.encode(), body, getattr(hashlib, wanted.algorithm)).digest()
    signatures = [each.removeprefix(wanted.prefix) for each in fields if each.startswith(wanted.prefix)]
    if not signatures:
        return f"The header {wanted.header} does not begin with {wanted.prefix}."
    return "" if _any_equal((_decoded(each, wanted.encoding) for each in signatures), digest) else _MISMATCH


def _of_time(stamp: str, tolerance: float, now: float) -> str:
    """Both ways: what is from the future may be a clock that is wrong, or kept to be sent later."""
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        return "The timestamp is not in seconds since 1970."
    if abs(now - int(stamp)) <= tolerance:
        return ""
    which = "old" if int(stamp) < now else "far in the future"
    return f"The timestamp is too {which}: it may differ by {tolerance:g} seconds."


def _of_token(wanted: Token, secret: str, headers: Headers) -> str:
    given, problem = _one(headers, wanted.header)
    if problem:
        return problem
    if wanted.header == "authorization":
        scheme, _, given = given.partition(" ")
        if scheme.lower() != "bearer":
            return "The header authorization has no Bearer token."
    return "" if _any_equal([_bytes(given.strip())], secret.encode()) else "The token is another one."


def _of_basic(wanted: Basic, secret: str, headers: Headers) -> str:
    given, problem = _one(headers, "authorization")
    if problem:
        return problem
    scheme, _, credentials = given.partition(" ")
    if scheme.lower() != "basic":
        return "The header authorization has no Basic credentials."
    try:
        sent = base64.b64decode(_bytes(credentials.strip()), validate=True)
    except binascii.Error:
        return "The Basic credentials are not in base64."
    known = f"{wanted.username}:{secret}"
    forms = [known.encode(), _bytes(known)]  # clients differ in how they write what is not ASCII
    return "" if sum(hmac.compare_digest(sent, form) for form in forms) else "The name or the password is another one."


def _one(headers: Headers, name: str) -> tuple[str, str]:
    """The value of a header that must be there once, or what is wrong."""
    found = [value for key, value in headers if key == name]
    if len(found) == 1:
        return found[0], ""
    return "", f"The header {name} is missing." if not found else f"The header {name} is there more than once."


def _any_equal(given: Iterable[bytes], known: bytes) -> bool:
    """Whether one of them is the same; each is compared, in constant time."""
    return sum(hmac.compare_digest(each, known) for each in given) > 0


def _decoded(signature: str, encoding: str) -> bytes:
    try:
        return bytes.fromhex(signature) if encoding == "hex" else base64.b64decode(_bytes(signature), validate=True)
    except ValueError:
        return b""


def _bytes(text: str) -> bytes:
    """A header's value as it came: ASGI's text is Latin-1."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
