"""Reading options: the keys of one prefix, durations, retry policies and enumerations."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeGuard, TypeVar

from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import VersioningIntent

from engine.bounded.cron import cron_problem
from engine.durations import MICROSECOND, option_duration
from engine.errors import UnitFailed, invalid
from engine.hosts.temporal.wire import bounds
from engine.steps import Value

T = TypeVar("T")

# The later one wins when an author gives both.
ACTIVITY_PREFIXES = ("temporal.activity", "activity")
WORKFLOW_PREFIXES = ("temporal.workflow", "workflow")

# What the server calls a start-to-close timeout where a retry policy names types of errors.
START_TO_CLOSE = "TemporalTimeout:StartToClose"

_LONGEST = timedelta(days=365 * 100)
_LONGEST_MICROSECONDS = _LONGEST // timedelta(microseconds=1)

INTENTS = {
    "unspecified": None,
    "compatible": VersioningIntent.COMPATIBLE,
    "inherit_build_id": VersioningIntent.COMPATIBLE,
    "default": VersioningIntent.DEFAULT,
    "use_assignment_rules": VersioningIntent.DEFAULT,
}


class Options:
    """The options of one prefix, read by name; a bad value raises UnitFailed (Invalid) that names the option."""

    def __init__(self, prefixes: tuple[str, ...], *layers: Mapping[str, Value]) -> None:
        self._prefix = prefixes[-1]
        self._values: dict[str, Any] = {}
        for layer in layers:
            for prefix in prefixes:
                self._values.update(_section(layer, prefix))

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def refuse(self, name: str, expected: str) -> UnitFailed:
        """The failure of the option `name`, which is not `expected`."""
        return UnitFailed(
            invalid(f"option {self._prefix}.{name} must be {expected}, not {reprlib.repr(self._values[name])}")
        )

    def value(self, name: str) -> Any:
        """The value as it was given, or None."""
        return self._values.get(name)

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self._values.get(name, default)
        if not isinstance(value, str):
            raise self.refuse(name, "a string")
        return value

    def short_text(self, name: str, limit: int) -> str | None:
        """A string of at most `limit` bytes, or None."""
        text = self.text(name)
        if bounds.longer_than(text, limit):
            raise self.refuse(name, f"text of at most {limit} bytes")
        return text or None

    def name(self, name: str) -> str:
        """A string that names something on the server."""
        return bounds.check_name(self.text(name), f"option {self._prefix}.{name}")

    def queue(self) -> str:
        """`task_queue`."""
        return bounds.check_queue(self.text("task_queue"))

    def cron(self) -> str:
        """`cron_schedule`."""
        schedule = self.text("cron_schedule")
        if problem := cron_problem(schedule):
            raise UnitFailed(invalid(f"option {self._prefix}.cron_schedule: {problem[:200]}"))
        return schedule

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean."""
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise self.refuse(name, "a boolean")
        return value

    def table(self, name: str) -> Mapping[str, Any] | None:
        """A table with string keys, or None."""
        value = self._values.get(name)
        if value is None or value == []:
            return None
        if not isinstance(value, Mapping):
            raise self.refuse(name, "a table")
        return value

    def duration(self, name: str, default: timedelta | None = None) -> timedelta | None:
        """A duration: text as `1h30m`, or a number of milliseconds; zero means unset."""
        if name not in self:
            return default
        span = _timedelta(self._values[name])
        if span is None:
            raise self.refuse(name, "a duration (text as 1h30m, or milliseconds)")
        return span or default

    def choice(self, name: str, choices: Mapping[str, T], default: T) -> T:
        """One of named values."""
        if name not in self:
            return default
        value = self._values[name]
        if not isinstance(value, str) or value not in choices:
            raise self.refuse(name, f"one of {', '.join(choices)}")
        return choices[value]

    def priority(self) -> Priority:
        """`priority`: a number (1 is most urgent), or a table of priority_key, fairness_key, fairness_weight."""
        match self._values.get("priority"):
            case None:
                return Priority.default
            case int() as key if not isinstance(key, bool):
                return self._priority({"priority_key": key})
            case Mapping() as table:
                return self._priority({_snake(key): value for key, value in table.items()})
            case _:
                raise self.refuse("priority", "a number or a table")

    def retry_policy(self, default: RetryPolicy | None = None) -> RetryPolicy | None:
        """`retry_policy`; its keys may be snake_case or camelCase, its durations text or milliseconds."""
        table = self.table("retry_policy")
        if table is None:
            return default
        values = {_snake(key): value for key, value in table.items()}
        try:
            policy = _retry_policy(values)
            policy._validate()
        except (TypeError, ValueError, OverflowError) as error:
            raise UnitFailed(invalid(f"option {self._prefix}.retry_policy: {error}")) from error
        return policy

    def _priority(self, table: Mapping[str, Any]) -> Priority:
        key, fairness, weight = (table.get(name) for name in ("priority_key", "fairness_key", "fairness_weight"))
        if key is not None and not (type(key) is int and 1 <= key <= bounds.MAX_INTEGER):
            raise self.refuse("priority", "a whole number from 1, the most urgent")
        if fairness is not None and (
            not isinstance(fairness, str) or bounds.longer_than(fairness, bounds.MAX_FAIRNESS_KEY)
        ):
            raise self.refuse("priority", f"with a fairness_key of at most {bounds.MAX_FAIRNESS_KEY} bytes")
        if weight is not None and not (_is_number(weight) and weight > 0):
            raise self.refuse("priority", "with a fairness_weight above 0")
        return Priority(priority_key=key, fairness_key=fairness, fairness_weight=weight)


def call_retry_policy(options: Mapping[str, Value]) -> RetryPolicy | None:
    """The policy that the `retry` option of local calls amounts to on Temporal, or None."""
    retry = options.get("retry")
    if not isinstance(retry, Mapping) or not retry:
        return None
    first = _timedelta(retry.get("initial_delay")) or timedelta(milliseconds=100)
    factor, attempts, skipped = retry.get("backoff_factor"), retry.get("max_attempts"), retry.get("skip_kinds")
    return RetryPolicy(
        maximum_attempts=int(min(max(attempts, 1), bounds.MAX_INTEGER)) if _is_number(attempts) else 1,
        initial_interval=first,
        maximum_interval=max(first, _timedelta(retry.get("max_delay")) or timedelta(seconds=10)),
        backoff_coefficient=float(max(factor, 1)) if _is_number(factor) else 2.0,
        non_retryable_error_types=[str(kind) for kind in skipped] if isinstance(skipped, list) else None,
    )


def call_timeout(options: Mapping[str, Value]) -> timedelta | None:
    """The `timeout` option of local calls, or None."""
    return _timedelta(options.get("timeout")) or None


def final_when_slow(policy: RetryPolicy | None) -> RetryPolicy:
    """The policy, but an attempt that takes too long is not retried; one that a dead worker lost is."""
    policy = policy or RetryPolicy()
    return replace(policy, non_retryable_error_types=[*(policy.non_retryable_error_types or ()), START_TO_CLOSE])


def _section(layer: Mapping[str, Value], prefix: str) -> dict[str, Value]:
    """The options `<prefix>.<key>` of a layer, be they flat or nested tables."""
    nested: Any = layer
    for part in prefix.split("."):
        nested = nested.get(part) if isinstance(nested, Mapping) else None
    flat = {key.removeprefix(f"{prefix}."): value for key, value in layer.items() if key.startswith(f"{prefix}.")}
    return {**(nested if isinstance(nested, Mapping) else {}), **flat}


def _timedelta(value: Any) -> timedelta | None:
    nanoseconds = option_duration(value)
    if nanoseconds is None or nanoseconds < 0:
        return None
    microseconds = nanoseconds // MICROSECOND
    return _LONGEST if microseconds > _LONGEST_MICROSECONDS else timedelta(microseconds=microseconds)


def _snake(key: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()


_RETRY_KEYS = (
    "initial_interval",
    "backoff_coefficient",
    "maximum_interval",
    "maximum_attempts",
    "non_retryable_error_types",
)


def _retry_policy(values: Mapping[str, Any]) -> RetryPolicy:
    if unknown := values.keys() - set(_RETRY_KEYS):
        raise ValueError(f"{min(unknown)} is none of {', '.join(_RETRY_KEYS)}")
    return RetryPolicy(
        initial_interval=_interval(values, "initial_interval") or timedelta(seconds=1),
        backoff_coefficient=_coefficient(values.get("backoff_coefficient")),
        maximum_interval=_interval(values, "maximum_interval"),
        maximum_attempts=_attempts(values.get("maximum_attempts")),
        non_retryable_error_types=_types(values.get("non_retryable_error_types")),
    )


def _coefficient(value: Any) -> float:
    if value is None:
        return 2.0
    if not _is_number(value):
        raise ValueError(f"backoff_coefficient must be a number, not {reprlib.repr(value)}")
    return float(value)


def _attempts(value: Any) -> int:
    if value is None:
        return 0
    if not _is_number(value) or value != int(value) or value > bounds.MAX_INTEGER:
        raise ValueError(f"maximum_attempts must be a whole number, not {reprlib.repr(value)}")
    return int(value)


def _types(value: Any) -> list[str] | None:
    if not value:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"non_retryable_error_types must be a list of text, not {reprlib.repr(value)}")
    return value


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _interval(values: Mapping[str, Any], name: str) -> timedelta | None:
    if values.get(name) is None:
        return None
    span = _timedelta(values[name])
    if span is None:
        raise ValueError(f"{name} must be a duration, not {reprlib.repr(values[name])}")
    return span
