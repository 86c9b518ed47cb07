"""Reading options: the keys of one prefix, durations, retry policies and enumerations (lua-api 15.1, 16)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.common import Priority, RetryPolicy

from engine.durations import option_duration
from engine.errors import UnitFailed, invalid
from engine.steps import Value

T = TypeVar("T")

# The later one wins when an author gives both.
ACTIVITY_PREFIXES = ("temporal.activity", "activity")
WORKFLOW_PREFIXES = ("temporal.workflow", "workflow")

# What the server calls a start-to-close timeout where a retry policy names types of errors.
START_TO_CLOSE = "TemporalTimeout:StartToClose"

_LONGEST = timedelta(days=365 * 100)


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
        return UnitFailed(invalid(f"option {self._prefix}.{name} must be {expected}, not {self._values[name]!r}"))

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self._values.get(name, default)
        if not isinstance(value, str):
            raise self.refuse(name, "a string")
        return value

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
            case bool():
                raise self.refuse("priority", "a number or a table")
            case int() as key:
                return Priority(priority_key=key)
            case Mapping() as table:
                return self._priority(table)
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
        except (TypeError, ValueError) as error:
            raise UnitFailed(invalid(f"option {self._prefix}.retry_policy: {error}")) from error
        return policy

    def _priority(self, table: Mapping[str, Any]) -> Priority:
        try:
            return Priority(
                priority_key=table.get("priority_key"),
                fairness_key=table.get("fairness_key"),
                fairness_weight=table.get("fairness_weight"),
            )
        except (TypeError, ValueError) as error:
            raise self.refuse("priority", "a number or a table") from error


def call_retry_policy(options: Mapping[str, Value]) -> RetryPolicy | None:
    """The policy that the `retry` option of local calls amounts to on Temporal (lua-api 1.4), or None."""
    retry = options.get("retry")
    if not isinstance(retry, Mapping) or not retry:
        return None
    return RetryPolicy(
        maximum_attempts=int(retry.get("max_attempts") or 1),
        initial_interval=_timedelta(retry.get("initial_delay")) or timedelta(milliseconds=100),
        maximum_interval=_timedelta(retry.get("max_delay")) or timedelta(seconds=10),
        backoff_coefficient=float(retry.get("backoff_factor") or 2),
        non_retryable_error_types=[str(kind) for kind in retry.get("skip_kinds") or []] or None,
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
    return min(timedelta(microseconds=nanoseconds // 1000), _LONGEST)


def _snake(key: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()


def _retry_policy(values: Mapping[str, Any]) -> RetryPolicy:
    return RetryPolicy(
        initial_interval=_interval(values, "initial_interval") or timedelta(seconds=1),
        backoff_coefficient=float(values.get("backoff_coefficient", 2)),
        maximum_interval=_interval(values, "maximum_interval"),
        maximum_attempts=int(values.get("maximum_attempts", 0)),
        non_retryable_error_types=list(values.get("non_retryable_error_types") or []) or None,
    )


def _interval(values: Mapping[str, Any], name: str) -> timedelta | None:
    if values.get(name) is None:
        return None
    span = _timedelta(values[name])
    if span is None:
        raise ValueError(f"{name} must be a duration, not {values[name]!r}")
    return span
