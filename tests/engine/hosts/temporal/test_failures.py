"""Failures across Temporal."""

from __future__ import annotations

import pytest
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    RetryState,
    TerminatedError,
    TimeoutType,
)
from temporalio.exceptions import TimeoutError as TemporalTimeout

from engine.errors import Failure
from engine.hosts.temporal.wire.failures import MAX_KIND, MAX_MESSAGE, application_error, from_exception


def test_a_failure_comes_back_whole() -> None:
    failure = Failure(
        "RateLimited", "slow down", retryable=True, details={"after": 3, "by": Failure("", "x")}, stack="s"
    )
    assert from_exception(application_error(failure)) == failure


@pytest.mark.parametrize(
    ("failure", "non_retryable"),
    [
        (Failure("NotFound", "x", retryable=False), True),
        (Failure("NotFound", "x", retryable=True), False),
        (Failure("Unavailable", "x"), False),
        (Failure("Internal", "raised"), True),
        (Failure("", "x"), False),
    ],
)
def test_the_server_retries_what_may_be_retried(failure: Failure, non_retryable: bool) -> None:
    error = application_error(failure)
    assert error.non_retryable is non_retryable
    assert error.type == (failure.kind or "Internal")


def test_an_activity_error_is_opened_and_leaves_its_facts_in_the_details() -> None:
    error = _activity_error(application_error(Failure("Conflict", "taken", retryable=False, details={"by": "me"})))
    failure = from_exception(error)
    assert (failure.kind, failure.message) == ("Conflict", "taken")
    assert failure.details == {
        "by": "me",
        "_wrapper": "activity",
        "_activity_id": "1-ab",
        "_retry_state": "MAXIMUM_ATTEMPTS_REACHED",
    }


def test_errors_of_other_workers_map_by_type() -> None:
    unregistered = ApplicationError("Activity function x is not registered", type="NotFoundError")
    assert from_exception(_activity_error(unregistered)).kind == "NotFound"
    assert from_exception(_activity_error(unregistered)).retryable is True
    foreign = from_exception(ApplicationError("boom", type="ValueError", non_retryable=True))
    assert (foreign.kind, foreign.retryable) == ("Internal", False)
    assert from_exception(ApplicationError("gone", type="Unavailable")).kind == "Unavailable"


def test_timeouts_cancels_and_terminations_have_their_kinds() -> None:
    timeout = TemporalTimeout("late", type=TimeoutType.START_TO_CLOSE, last_heartbeat_details=[])
    failure = from_exception(_activity_error(timeout))
    assert (failure.kind, failure.retryable) == ("Timeout", False)
    assert failure.details["timeout_type"] == "start_to_close"
    assert from_exception(CancelledError()).message == "operation canceled"
    assert from_exception(TerminatedError("x")) == Failure("Canceled", "workflow terminated", retryable=False)


def test_an_endless_message_is_cut_and_endless_details_are_left_out() -> None:
    failure = Failure("K" * 3_000_000, "m" * 3_000_000, details={"blob": "d" * 3_000_000})
    back = from_exception(application_error(failure))
    assert (len(back.kind), len(back.message)) == (MAX_KIND, MAX_MESSAGE)
    assert list(back.details) == ["_omitted"]


def test_an_endless_kind_is_cut() -> None:
    error = application_error(Failure("K" * 3_000_000, "too much"))
    assert error.type == "K" * MAX_KIND == from_exception(error).kind


def _activity_error(cause: BaseException) -> ActivityError:
    error = ActivityError(
        "activity failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="app:fn",
        activity_id="1-ab",
        retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED,
    )
    error.__cause__ = cause
    return error
