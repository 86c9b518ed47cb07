"""How requests fail. Nothing of a peer's answer, of a query or of credentials stands in a message."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpcore

from engine.errors import INTERNAL, LIMIT_EXCEEDED, PERMISSION_DENIED, Failure, UnitFailed


class UnreachableHost(Exception):
    """A host that can't be connected to, before anything was sent."""


class Refused(UnreachableHost):
    """It may not be reached; the text says why."""


class Unresolved(UnreachableHost):
    """Its name stands for no address."""


class Stale(Exception):
    """A kept connection that its peer had closed, most likely before the request came."""


def timed_out(what: str, seconds: float) -> UnitFailed:
    """The request took too long."""
    return UnitFailed(Failure(INTERNAL, f"{what}: timeout after {seconds:g} s", retryable=True))


def too_large(what: str, which: str, limit: int) -> UnitFailed:
    """The peer sends more than one wants."""
    return UnitFailed(
        Failure(LIMIT_EXCEEDED, f"{what}: {which} is larger than {limit} bytes; a stream may be", retryable=False)
    )


BROKEN = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    UnreachableHost,
    Stale,
    OSError,
    ValueError,
    RuntimeError,
    ExceptionGroup,
)
"""What exchanges raise; `translated` says what it means."""


def exceeded(text: str, *, retryable: bool = False) -> UnitFailed:
    """A limit of ours."""
    return UnitFailed(Failure(LIMIT_EXCEEDED, text, retryable=retryable))


def denied(text: str) -> UnitFailed:
    """What may not be reached."""
    return UnitFailed(Failure(PERMISSION_DENIED, f"not allowed: {text}", retryable=False))


def broken(what: str, text: str, *, retryable: bool = True) -> UnitFailed:
    """The network or the peer failed."""
    return UnitFailed(Failure(INTERNAL, f"{what}: {text}", retryable=retryable))


def translated(what: str, error: Exception) -> UnitFailed:
    """What httpcore raised, or the network below it."""
    known = (_known(what, cause) for cause in _causes(error))
    return next((failed for failed in known if failed), None) or _of_httpcore(what, error)


def _known(what: str, cause: BaseException) -> UnitFailed | None:
    match cause:
        case UnitFailed():
            return cause
        case Refused():
            return denied(str(cause))
        case Unresolved():
            return broken(what, "the name of the host can't be resolved")
        case ConnectionRefusedError():
            return broken(what, "connection refused")
        case ssl.SSLError() if not isinstance(cause, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            return _of_tls(what, cause)  # else it waited when its time was over
        case _:
            return None


def _of_tls(what: str, error: ssl.SSLError) -> UnitFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        return broken(what, f"the peer's certificate is not valid: {error.verify_message}", retryable=False)
    return broken(what, "TLS can't be agreed on with the peer")


def _of_httpcore(what: str, error: Exception) -> UnitFailed:
    match error:
        case httpcore.RemoteProtocolError() if "too long" in str(error) or "too large" in str(error):
            return exceeded(f"{what}: the head of the answer is too large")
        case httpcore.RemoteProtocolError() | Stale():
            return broken(what, "the peer closed the connection, or sent what is no HTTP")
        case httpcore.ConnectTimeout():
            return broken(what, "timeout: no connection")
        case httpcore.ConnectError():
            return broken(what, "can't connect")
        case _:
            return broken(what, "the connection broke")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and len(seen) < 12 and found not in seen:
        seen.append(found)
        found = found.__cause__ or found.__context__
    yield from seen
