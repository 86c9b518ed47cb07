"""How the uses of a request and its answer fail, by the kinds of the reference runtime; `details.type` says more."""

from __future__ import annotations

from engine.errors import INTERNAL, INVALID, LIMIT_EXCEEDED, Failure, UnitFailed

PARSE_FAILED, INVALID_STATE = "PARSE_FAILED", "INVALID_STATE"
WRITE_FAILED, STREAM_ERROR = "WRITE_FAILED", "STREAM_ERROR"


def no_context() -> UnitFailed:
    """There is no request here."""
    return UnitFailed(Failure(INTERNAL, "no HTTP context: this code answers no request", retryable=False))


def over() -> UnitFailed:
    """There was one."""
    return bad_state("the request was answered already: its function has ended")


def bad_state(text: str) -> UnitFailed:
    """The answer is not where it would have to be."""
    return UnitFailed(Failure(INVALID, text, False, {"type": INVALID_STATE}))


def unparsed(text: str) -> UnitFailed:
    """A body is not what it should be."""
    return UnitFailed(Failure(INVALID, text, False, {"type": PARSE_FAILED}))


def too_large(text: str) -> UnitFailed:
    """The answer would be larger than it may be."""
    return UnitFailed(Failure(LIMIT_EXCEEDED, text, False, {"type": WRITE_FAILED}))


def unwritten(why: str) -> UnitFailed:
    """It can't be sent any further."""
    return UnitFailed(Failure(INTERNAL, f"write failed: {why}", False, {"type": WRITE_FAILED}))


def unread() -> UnitFailed:
    """The body is gone with its request."""
    text = "the body can't be read any more: the request was answered"
    return UnitFailed(Failure(INTERNAL, text, False, {"type": STREAM_ERROR}))
