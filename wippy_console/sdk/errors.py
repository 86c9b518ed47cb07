"""Errors that Python functions raise; Lua gets them as its own, with kind, message, retryable and details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from engine import errors
from engine.errors import Failure, UnitFailed


class Error(UnitFailed):
    """A failure that the function means. `kind` is one of the names below; `details` are plain data.

    `retryable` says whether another try may help; None leaves it to the caller, whose retries leave out Internal,
    Invalid and PermissionDenied.
    """

    default_kind: ClassVar[str] = errors.INTERNAL
    default_retryable: ClassVar[bool | None] = None

    def __init__(
        self,
        message: str = "",
        *,
        kind: str = "",
        retryable: bool | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        text = message or type(self).__name__
        again = self.default_retryable if retryable is None else retryable
        super().__init__(Failure(kind or self.default_kind, text, again, dict(details or {})))

    @property
    def kind(self) -> str:
        """As Lua's `err:kind()`."""
        return self.failure.kind

    @property
    def retryable(self) -> bool | None:
        """As Lua's `err:retryable()`."""
        return self.failure.retryable

    @property
    def details(self) -> Mapping[str, Any]:
        """As Lua's `err:details()`."""
        return self.failure.details


class NotFound(Error):
    """What was asked for does not exist; another try finds it no better."""

    default_kind = errors.NOT_FOUND
    default_retryable = False


class AlreadyExists(Error):
    """It is there already."""

    default_kind = errors.ALREADY_EXISTS
    default_retryable = False


class Invalid(Error):
    """What was given can't be used."""

    default_kind = errors.INVALID
    default_retryable = False


class PermissionDenied(Error):
    """Whoever asks may not."""

    default_kind = errors.PERMISSION_DENIED
    default_retryable = False


class Canceled(Error):
    """The function was asked to stop, and stops."""

    default_kind = errors.CANCELED
    default_retryable = False


class Unavailable(Error):
    """Something is down; another try may find it up."""

    default_kind = errors.UNAVAILABLE
    default_retryable = True


class Timeout(Error):
    """Something took too long."""

    default_kind = errors.TIMEOUT
    default_retryable = True


class RateLimited(Error):
    """Somebody wants to be asked less often."""

    default_kind = errors.RATE_LIMITED
    default_retryable = True


class Conflict(Error):
    """Others changed it meanwhile."""

    default_kind = errors.CONFLICT


class LimitExceeded(Error):
    """It is more than there may be."""

    default_kind = errors.LIMIT_EXCEEDED


class Internal(Error):
    """A defect."""

    default_kind = errors.INTERNAL
