"""What an endpoint wants as a proof of who sends: values of `auth`. A secret is known by its variable's name only."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from engine.durations import SECOND, option_duration
from engine.registry.hooks.unreadable import Unreadable

NONE = "none"
ALGORITHMS = ("sha256", "sha1", "sha512")
ENCODINGS = ("hex", "base64")
TOLERANCE = 300.0
LONGEST_TOLERANCE = 86_400.0
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[A-Za-z0-9_.-]+:[A-Za-z0-9_./-]+")


@dataclass(frozen=True, slots=True)
class Open:
    """`auth: none`: whoever knows the address."""

    secret_env: str = ""
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hmac:
    """A signature of the body in `header`; with `timestamp_header`, of `<timestamp>.<body>`. Headers in lower case.

    Where both headers are the same one it is a list of `t=<timestamp>` and signatures that begin with `prefix`
    (`t=1492774577,v1=5257a8...`). `tolerance` is in seconds, 0 without a timestamp.
    """

    header: str
    secret_env: str
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    timestamp_header: str = ""
    tolerance: float = 0.0

    @property
    def headers(self) -> tuple[str, ...]:
        """Those by which it is proved: never kept."""
        return tuple(dict.fromkeys(filter(None, (self.header, self.timestamp_header))))


@dataclass(frozen=True, slots=True)
class Token:
    """The secret itself in `header` (lower case), in `authorization` after `Bearer`."""

    secret_env: str
    header: str = "authorization"

    @property
    def headers(self) -> tuple[str, ...]:
        """Those by which it is proved: never kept."""
        return (self.header,)


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP's basic authentication: this name, and the variable's value as the password."""

    username: str
    secret_env: str
    headers: tuple[str, ...] = ("authorization",)


Auth: TypeAlias = Open | Hmac | Token | Basic


def missing() -> Unreadable:
    """An endpoint that says nothing of it; `field` is below the entry."""
    return Unreadable("is missing: who may send?", "auth", "say `auth`, or `auth: none`")


def read(value: Any) -> Auth:
    """Read a value of `auth`; Unreadable."""
    if value == NONE:
        return Open()
    if not isinstance(value, Mapping):
        raise Unreadable(f"must be a mapping with one of {', '.join(_READERS)}, or the word none")
    given = [kind for kind in _READERS if kind in value]
    if len(given) != 1:
        raise Unreadable(f"must have exactly one of {', '.join(_READERS)}", hint="or write `auth: none`")
    kind = given[0]
    fields = value[kind]
    if not isinstance(fields, Mapping):
        raise Unreadable("must be a mapping", kind)
    try:
        return _READERS[kind](fields)
    except Unreadable as error:
        raise error.below(kind) from None


def header(value: Any, field: str) -> str:
    """A header's name in lower case; Unreadable."""
    if not isinstance(value, str) or not _HEADER.fullmatch(value):
        raise Unreadable("must be the name of a header", field)
    return value.lower()


def _hmac(fields: Mapping[str, Any]) -> Hmac:
    algorithm, encoding = fields.get("algorithm", ALGORITHMS[0]), fields.get("encoding", ENCODINGS[0])
    prefix = fields.get("prefix", "")
    if algorithm not in ALGORITHMS:
        raise Unreadable(f"must be one of {', '.join(ALGORITHMS)}", "algorithm")
    if encoding not in ENCODINGS:
        raise Unreadable(f"must be one of {', '.join(ENCODINGS)}", "encoding")
    if not isinstance(prefix, str):
        raise Unreadable('must be text, such as "sha256="', "prefix")
    named = fields.get("timestamp_header")
    stamped = header(named, "timestamp_header") if named is not None else ""
    if not stamped and "tolerance" in fields:
        raise Unreadable("says nothing without timestamp_header", "tolerance")
    name = header(fields.get("header"), "header")
    if stamped == name and not prefix:
        raise Unreadable('says how a signature begins in a header that has the time as well, such as "v1="', "prefix")
    tolerance = _tolerance(fields.get("tolerance")) if stamped else 0.0
    return Hmac(name, _variable(fields, "secret_env"), algorithm, encoding, prefix, stamped, tolerance)


def _tolerance(value: Any) -> float:
    if value is None:
        return TOLERANCE
    seconds = (option_duration(value) or 0) / SECOND
    if not 0 < seconds <= LONGEST_TOLERANCE:
        raise Unreadable('must be a duration of more than 0 and at most 24h, such as "5m"', "tolerance")
    return seconds


def _token(fields: Mapping[str, Any]) -> Token:
    return Token(_variable(fields, "secret_env"), header(fields.get("header", "authorization"), "header"))


def _basic(fields: Mapping[str, Any]) -> Basic:
    username = fields.get("username")
    if not isinstance(username, str) or not username or ":" in username:
        raise Unreadable("must be a name without a colon", "username")
    return Basic(username, _variable(fields, "password_env"))


def _variable(fields: Mapping[str, Any], field: str) -> str:
    name = fields.get(field)
    if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
        raise Unreadable("must be the name of a variable, or the id of an env.variable", field)
    return name


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Auth]] = {"hmac": _hmac, "token": _token, "basic": _basic}
