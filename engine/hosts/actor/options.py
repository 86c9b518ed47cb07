"""Options of calls: the retry interceptor and the timeout (docs/lua.md#pools-and-call-options)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.durations import MILLISECOND, SECOND, option_duration
from engine.errors import INTERNAL, INVALID, PERMISSION_DENIED, Failure, UnitFailed
from engine.hosts.actor.failures import bad_option

NEVER_RETRIED = frozenset({INVALID, PERMISSION_DENIED, INTERNAL})


@dataclass(frozen=True, slots=True)
class Backoff:
    """Growing delays: the k-th (from 1) is initial * factor^(k-1), at most `longest`, spread by `jitter`. In ns."""

    initial: int
    longest: int
    factor: float = 2.0
    jitter: float = 0.1

    def delay(self, k: int, chance: float) -> int:
        """The k-th delay; `chance` in [0, 1) places it within plus or minus `jitter`."""
        # An exponent of a thousand overflows a float; long before that the delay is `longest`.
        grown = min(self.initial * self.factor ** min(k - 1, 64), float(self.longest))
        return max(0, round(grown * (1 + self.jitter * (2 * chance - 1))))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a failed call is tried again. `max_attempts` counts the first try."""

    max_attempts: int = 1
    backoff: Backoff = Backoff(100 * MILLISECOND, 10 * SECOND)
    retry_kinds: frozenset[str] | None = None
    skip_kinds: frozenset[str] = frozenset()

    def allows(self, failure: Failure, attempts: int) -> bool:
        """Whether a call that failed `attempts` times, at last with `failure`, is tried again."""
        if attempts >= self.max_attempts or failure.retryable is False or failure.kind in self.skip_kinds:
            return False
        if self.retry_kinds is not None:
            return failure.kind in self.retry_kinds
        return failure.kind not in NEVER_RETRIED


@dataclass(frozen=True, slots=True)
class CallOptions:
    """The options of one call, read. `timeout` (ns) spans all attempts; 0 means none."""

    retry: RetryPolicy = RetryPolicy()
    timeout: int = 0

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> CallOptions:
        """The options of a merged mapping; unknown keys are ignored, bad values raise UnitFailed (Invalid)."""
        timeout = read_duration(options, "timeout", 0)
        match options.get("retry"):
            case None | []:
                return cls(timeout=timeout)
            case Mapping() as retry:
                return cls(_retry(retry), timeout)
            case other:
                raise UnitFailed(bad_option("retry", other))


def _retry(options: Mapping[str, Any]) -> RetryPolicy:
    kinds = options.get("retry_kinds")
    return RetryPolicy(
        max_attempts=int(_number(options, "max_attempts", 1)),
        backoff=read_backoff(options, initial=100 * MILLISECOND, longest=10 * SECOND),
        retry_kinds=None if kinds is None else _kinds(options, "retry_kinds"),
        skip_kinds=_kinds(options, "skip_kinds"),
    )


def read_backoff(options: Mapping[str, Any], *, initial: int, longest: int) -> Backoff:
    """The back-off that `initial_delay`, `max_delay`, `backoff_factor` and `jitter` describe; raises UnitFailed."""
    return Backoff(
        initial=read_duration(options, "initial_delay", initial),
        longest=read_duration(options, "max_delay", longest),
        factor=_number(options, "backoff_factor", 2.0),
        jitter=_number(options, "jitter", 0.1),
    )


def read_duration(options: Mapping[str, Any], name: str, default: int) -> int:
    """The duration of that name in ns, `default` without one; raises UnitFailed (Invalid)."""
    value = options.get(name)
    if value is None:
        return default
    duration = option_duration(value)
    if duration is None or duration < 0:
        raise UnitFailed(bad_option(name, value))
    return duration


def positive(value: Any) -> int:
    """A limit that an entry gives, 0 when it gives none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _number(options: Mapping[str, Any], name: str, default: float) -> float:
    value = options.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise UnitFailed(bad_option(name, value))
    return value


def _kinds(options: Mapping[str, Any], name: str) -> frozenset[str]:
    value = options.get(name)
    kinds = [value] if isinstance(value, str) else value or []
    if not isinstance(kinds, list | tuple) or not all(isinstance(kind, str) for kind in kinds):
        raise UnitFailed(bad_option(name, value))
    return frozenset(kinds)
