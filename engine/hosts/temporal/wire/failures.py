"""Failures across Temporal, both ways, as docs/temporal.md#errors has them.

Outwards a `Failure` is an ApplicationError whose type is its kind and whose details hold the whole failure:
`{"errors": [{msg, kind, retry, details, stack}]}`. Inwards the wrappers of activities and child workflows
are opened, and what they knew goes into details that start with `_`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    CancelledError,
    ChildWorkflowError,
    ServerError,
    TerminatedError,
    TimeoutError,
    WorkflowAlreadyStartedError,
)
from temporalio.service import RPCError, RPCStatusCode

from engine import errors
from engine.errors import Failure, UnitFailed
from engine.hosts.temporal.wire import payloads
from engine.hosts.temporal.wire.outages import in_words, is_raw

logger = logging.getLogger(__name__)

MAX_MESSAGE = 16 * 1024
MAX_KIND = 1000
MAX_STACK = 16 * 1024
MAX_DETAILS = 64 * 1024

KINDS = frozenset(
    {
        errors.NOT_FOUND,
        errors.ALREADY_EXISTS,
        errors.INVALID,
        errors.PERMISSION_DENIED,
        errors.UNAVAILABLE,
        errors.INTERNAL,
        errors.CANCELED,
        errors.CONFLICT,
        errors.TIMEOUT,
        errors.RATE_LIMITED,
        errors.LIMIT_EXCEEDED,
    }
)

# What workers of other SDKs and languages call a function that they don't have.
FOREIGN_TYPES = {"NotFoundError": errors.NOT_FOUND, "ActivityNotRegisteredError": errors.NOT_FOUND}

RPC_KINDS = {
    RPCStatusCode.NOT_FOUND: errors.NOT_FOUND,
    RPCStatusCode.ALREADY_EXISTS: errors.ALREADY_EXISTS,
    RPCStatusCode.INVALID_ARGUMENT: errors.INVALID,
    RPCStatusCode.FAILED_PRECONDITION: errors.INVALID,
    RPCStatusCode.PERMISSION_DENIED: errors.PERMISSION_DENIED,
    RPCStatusCode.UNAUTHENTICATED: errors.PERMISSION_DENIED,
    RPCStatusCode.UNAVAILABLE: errors.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED: errors.UNAVAILABLE,
    RPCStatusCode.CANCELLED: errors.UNAVAILABLE,
    RPCStatusCode.RESOURCE_EXHAUSTED: errors.RATE_LIMITED,
}


def application_error(failure: Failure) -> ApplicationError:
    """The Temporal error of a failure; an oversized text is cut, oversized details are left out.

    Its category keeps the SDK from logging our Python stack for what is a failure of Lua code.
    """
    failure = _settled(failure)
    kind = failure.kind[:MAX_KIND] or errors.INTERNAL
    link = {
        "msg": failure.message[:MAX_MESSAGE],
        "kind": kind if failure.kind else "",
        "retry": failure.retryable,
        "details": _details(failure.details),
        "stack": failure.stack[:MAX_STACK],
    }
    return ApplicationError(
        failure.message[:MAX_MESSAGE],
        {"errors": [link]},
        type=kind,
        non_retryable=failure.retryable is False,
        category=ApplicationErrorCategory.BENIGN,
    )


def from_exception(error: BaseException) -> Failure:
    """The failure that a Temporal error tells of; another exception is Internal."""
    for kind, reader in _READERS.items():
        if isinstance(error, kind):
            return reader(error)
    return Failure(errors.INTERNAL, str(error) or type(error).__name__, retryable=False)


def canceled() -> Failure:
    """What a cancelled call, child or workflow ends with."""
    return Failure(errors.CANCELED, "operation canceled", retryable=False)


def terminated() -> Failure:
    """What a terminated workflow ends with."""
    return Failure(errors.CANCELED, "workflow terminated", retryable=False)


def timed_out(kind: str) -> Failure:
    """What a timeout ends with; `kind` is Temporal's word in lower case, as start_to_close."""
    return Failure(errors.TIMEOUT, f"timed out ({kind})", retryable=False, details={"timeout_type": kind})


def _settled(failure: Failure) -> Failure:
    """A raised plain error says nothing of retries; the server must not retry it (docs/temporal.md#errors)."""
    if failure.kind == errors.INTERNAL and failure.retryable is None:
        return replace(failure, retryable=False)
    return failure


def _details(details: Mapping[str, Any]) -> dict[str, Any]:
    try:
        result: dict[str, Any] = payloads.plain(dict(details))
        size = payloads.encode(result, "details").ByteSize()
    except (TypeError, RecursionError, UnitFailed) as error:
        return {"_omitted": str(error)[:MAX_MESSAGE]}
    return result if size <= MAX_DETAILS else {"_omitted": f"details of {size} bytes"}


def _from_application(error: ApplicationError) -> Failure:
    match error.details:
        case ({"errors": [dict(link), *_]}, *_):
            return _from_link(link, error)
    kind = error.type if error.type in KINDS else FOREIGN_TYPES.get(error.type or "", errors.INTERNAL)
    retryable = True if error.type in FOREIGN_TYPES else not error.non_retryable
    return Failure(kind, error.message, retryable=retryable, details=_foreign_details(error))


def _foreign_details(error: ApplicationError) -> dict[str, Any]:
    """What an error of another SDK knows: one table is the details, others go to `_details`, a type to `_type`."""
    match payloads.within_lua(list(error.details)):
        case [dict(table)]:
            details = table
        case []:
            details = {}
        case several:
            details = {"_details": several}
    if error.type and error.type not in KINDS:
        details["_type"] = error.type
    if error.cause is not None:
        details["_cause"] = str(error.cause)[:MAX_MESSAGE]
    return details


def _from_link(link: Mapping[str, Any], error: ApplicationError) -> Failure:
    details = payloads.revived(payloads.within_lua(link.get("details")))
    return Failure(
        kind=str(link.get("kind") or ""),
        message=str(link.get("msg", error.message)),
        retryable=link.get("retry"),
        details=details if isinstance(details, dict) else {},
        stack=str(link.get("stack") or ""),
    )


def _from_activity(error: ActivityError) -> Failure:
    return _unwrapped(
        error,
        _wrapper="activity",
        _activity_id=error.activity_id,
        _retry_state=error.retry_state.name if error.retry_state is not None else "",
    )


def _from_child(error: ChildWorkflowError) -> Failure:
    return _unwrapped(
        error,
        _wrapper="child_workflow",
        _workflow_id=error.workflow_id,
        _workflow_type=error.workflow_type,
        _run_id=error.run_id,
        _retry_state=error.retry_state.name if error.retry_state is not None else "",
    )


def _unwrapped(error: ActivityError | ChildWorkflowError, **wrapper: Any) -> Failure:
    inner = from_exception(error.cause) if error.cause else Failure(errors.INTERNAL, str(error), retryable=False)
    return replace(inner, details={**inner.details, **wrapper})


def _from_timeout(error: TimeoutError) -> Failure:
    return timed_out(error.type.name.lower() if error.type is not None else "unknown")


def _from_rpc(error: RPCError) -> Failure:
    kind = RPC_KINDS.get(error.status, errors.INTERNAL)
    retryable = kind in {errors.UNAVAILABLE, errors.RATE_LIMITED}
    if is_raw(error.message):
        logger.warning("Temporal can't be reached: %s", error.message)
        return Failure(kind, f"Temporal {in_words(error.message)}", retryable=retryable)
    return Failure(kind, f"Temporal: {error.message}", retryable=retryable)


_READERS: dict[type[BaseException], Callable[[Any], Failure]] = {
    UnitFailed: lambda error: error.failure,
    ActivityError: _from_activity,
    ChildWorkflowError: _from_child,
    WorkflowFailureError: lambda error: from_exception(error.cause),
    WorkflowAlreadyStartedError: lambda error: Failure(errors.ALREADY_EXISTS, str(error), retryable=False),
    ApplicationError: _from_application,
    TimeoutError: _from_timeout,
    CancelledError: lambda error: canceled(),
    asyncio.CancelledError: lambda error: canceled(),
    TerminatedError: lambda error: terminated(),
    ServerError: lambda error: Failure(errors.INTERNAL, error.message, retryable=not error.non_retryable),
    RPCError: _from_rpc,
}
