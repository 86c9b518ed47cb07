"""What the transport says of a server that is away is told in words."""

from __future__ import annotations

import pytest
from temporalio.service import RPCError, RPCStatusCode

from engine.hosts.temporal.wire import failures
from engine.hosts.temporal.wire.outages import in_words

CONNECT = (
    'Failed client connect: Server connection error: tonic::transport::Error(Transport, ConnectError(ConnectError("{}'
)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ('tcp connect error", 127.0.0.1:1, Os { code: 111, kind: ConnectionRefused })))', "refuses the connection"),
        (
            'dns error", Custom { error: "failed to lookup address information" })))',
            "is not found: no machine has that name",
        ),
        ('invalid peer certificate: UnknownIssuer")))', "does not agree on TLS with us"),
        (
            'tcp connect error", Os { code: 101, kind: NetworkUnreachable })))',
            "is not in reach of this machine's network",
        ),
        ("what nobody has heard of", "does not answer"),
    ],
)
def test_a_connection_that_fails_is_told_in_words(raw: str, words: str) -> None:
    assert in_words(CONNECT.format(raw)) == words


def test_what_a_request_met_is_told_in_words_and_what_the_server_said_as_it_is() -> None:
    away = RPCError("tcp connect error", RPCStatusCode.UNAVAILABLE, b"")
    assert failures.from_exception(away).message == "Temporal takes no connection"
    busy = RPCError("namespace rate limit exceeded", RPCStatusCode.RESOURCE_EXHAUSTED, b"")
    assert failures.from_exception(busy).message == "Temporal: namespace rate limit exceeded"
