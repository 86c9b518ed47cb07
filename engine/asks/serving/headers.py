"""Headers of answers: none that breaks a line, belongs to the connection, or acts on the whole origin.

Functions answer under the origin of the console, which is no place for their code in browsers: a policy of its own
has each answer be a document that runs nothing and is nobody.
"""

from __future__ import annotations

import re

from engine.asks.serving.failures import too_large
from engine.contracts.serving import Headers
from engine.errors import UnitFailed, invalid

MAX_HEADERS, MAX_HEADER = 100, 8192

ALWAYS: Headers = (
    ("content-security-policy", "sandbox; default-src 'none'"),
    ("x-content-type-options", "nosniff"),
)
UNLESS_SAID: Headers = (("cross-origin-resource-policy", "same-origin"),)

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
_CONNECTION = frozenset(
    ("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "http2-settings")
)
_ORIGIN = frozenset(
    (
        "set-cookie", "set-cookie2", "clear-site-data", "service-worker-allowed", "strict-transport-security",
        "public-key-pins", "alt-svc", "nel", "report-to", "reporting-endpoints", "accept-ch", "critical-ch",
        "expect-ct",
    )
)  # fmt: skip
NEVER = _CONNECTION | _ORIGIN
"""Those that no code may set, for whoever sends an answer as well."""
_OURS = frozenset(name for name, _ in ALWAYS)


class AnswerHeaders:
    """Those that a function sets, by name in lower case."""

    def __init__(self) -> None:
        self._set: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._set

    def put(self, name: bytes, value: bytes) -> None:
        """Set one, in place of what it was; Invalid or LimitExceeded."""
        value = value.strip(b" \t")
        if not _NAME.fullmatch(name):
            raise UnitFailed(invalid("set_header: the name holds what no header's name may hold"))
        known = name.decode("ascii").lower()
        if not _VALUE.fullmatch(value):
            raise UnitFailed(invalid(f"set_header: the value of {known} holds a line break or control character"))
        if reason := _why_not(known):
            raise UnitFailed(invalid(f"set_header: {known} {reason}"))
        if len(name) + len(value) > MAX_HEADER:
            raise too_large(f"set_header: {known[:100]} is longer than {MAX_HEADER} bytes")
        if known not in self._set and len(self._set) >= MAX_HEADERS:
            raise too_large(f"set_header: an answer has at most {MAX_HEADERS} headers")
        self._set[known] = value.decode("latin-1")

    def default(self, name: str, value: str) -> None:
        """Set one of ours unless it is set."""
        self._set.setdefault(name, value)

    def all(self) -> Headers:
        """As they are sent."""
        given = tuple((name, value) for name, value in UNLESS_SAID if name not in self._set)
        return (*self._set.items(), *given, *ALWAYS)


def _why_not(name: str) -> str:
    if name in _CONNECTION or name.startswith("proxy-"):
        return "belongs to the connection and can't be set"
    if name in _ORIGIN:
        return "would act on the whole console, under whose address functions answer, and can't be set"
    if name in _OURS or name.startswith("wippy-"):
        return "is set by the console"
    return ""
