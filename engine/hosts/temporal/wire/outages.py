"""What the SDK's core says of a server that can't be reached, in words for people."""

from __future__ import annotations

import re

_WORDS = {
    r"ConnectionRefused|Connection refused": "refuses the connection",
    r"dns error|failed to lookup": "is not found: no machine has that name",
    r"InvalidCertificate|certificate|HandshakeFailure|TLS|tls|InvalidContentType": "does not agree on TLS with us",
    r"NetworkUnreachable|HostUnreachable|unreachable|No route": "is not in reach of this machine's network",
    r"ConnectionReset|BrokenPipe|[Bb]roken pipe|reset by peer|h2 protocol|stream closed": "broke the connection off",
    r"Unauthenticated|PermissionDenied|[Uu]nauthorized|forbidden": "does not accept our credentials",
    r"[Tt]imed ?[Oo]ut|[Tt]imeout [Ee]xpired|[Dd]eadline": "does not answer in time",
    r"tcp connect error|error trying to connect": "takes no connection",
}


def in_words(raw: str) -> str:
    """What the server does, to go after its name: "refuses the connection"."""
    return next((words for pattern, words in _WORDS.items() if re.search(pattern, raw)), "does not answer")


def is_raw(text: str) -> bool:
    """Whether a message is one of the transport, which tells people nothing, and not of the server."""
    return re.search(r"tonic::|transport error|hyper|Os \{|os error|tcp connect error|h2 protocol", text) is not None
