from __future__ import annotations

import pytest

from engine.durations import MILLISECOND, SECOND
from engine.errors import Failure, UnitFailed
from engine.hosts.actor.options import Backoff, CallOptions, RetryPolicy


def test_delays_grow_by_the_factor_up_to_the_longest() -> None:
    backoff = Backoff(100 * MILLISECOND, SECOND, 2, jitter=0)
    assert [backoff.delay(k, 0.5) // MILLISECOND for k in range(1, 7)] == [100, 200, 400, 800, 1000, 1000]
    assert backoff.delay(10_000, 0.5) == SECOND


def test_jitter_spreads_a_delay_to_both_sides() -> None:
    backoff = Backoff(SECOND, SECOND, jitter=0.1)
    assert backoff.delay(1, 0.0) == 0.9 * SECOND
    assert backoff.delay(1, 0.5) == SECOND


@pytest.mark.parametrize(
    ("policy", "failure", "allowed"),
    [
        (RetryPolicy(3), Failure("Unavailable", ""), True),
        (RetryPolicy(3), Failure("", ""), True),
        (RetryPolicy(3), Failure("Unavailable", "", retryable=False), False),
        (RetryPolicy(3), Failure("Internal", ""), False),
        (RetryPolicy(3, retry_kinds=frozenset({"Internal"})), Failure("Internal", ""), True),
        (RetryPolicy(3, retry_kinds=frozenset({"Timeout"})), Failure("Unavailable", ""), False),
        (RetryPolicy(3, skip_kinds=frozenset({"Unavailable"})), Failure("Unavailable", ""), False),
        (RetryPolicy(2), Failure("Unavailable", ""), False),
    ],
)
def test_a_failure_is_tried_again_only_as_the_policy_says(policy: RetryPolicy, failure: Failure, allowed: bool) -> None:
    assert policy.allows(failure, attempts=2) is allowed


def test_numbers_are_milliseconds_and_texts_are_durations() -> None:
    read = CallOptions.read({"timeout": "1m", "retry": {"max_attempts": 5, "initial_delay": 250, "max_delay": "2s"}})
    assert read.timeout == 60 * SECOND
    assert read.retry.backoff == Backoff(250 * MILLISECOND, 2 * SECOND)


@pytest.mark.parametrize(
    "options",
    [{"timeout": -1}, {"timeout": []}, {"retry": 3}, {"retry": {"max_attempts": "x"}}, {"retry": {"skip_kinds": [1]}}],
)
def test_bad_values_are_invalid(options: dict[str, object]) -> None:
    with pytest.raises(UnitFailed) as caught:
        CallOptions.read(options)
    assert caught.value.failure.kind == "Invalid"
