"""How asks of the registry fail."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import ALREADY_EXISTS, CONFLICT, PERMISSION_DENIED, Failure, invalid, not_found
from engine.registry.problems import Problem, errors_in

MAX_PROBLEMS = 50


def no_entry(entry_id: str) -> Failure:
    """The version does not hold the entry."""
    return not_found(f"entry '{entry_id}' not found")


def no_version(number: int) -> Failure:
    """There is no such version."""
    return not_found(f"registry version {number} not found")


def exists(entry_id: str) -> Failure:
    """The entry that is to be created is there."""
    return Failure(ALREADY_EXISTS, f"entry '{entry_id}' exists already", retryable=False)


def conflict(message: str, entries: Sequence[str]) -> Failure:
    """Others were faster. Worth another try, from a new snapshot."""
    return Failure(CONFLICT, message, retryable=True, details={"entries": list(entries)})


def forbidden(entries: Sequence[str]) -> Failure:
    """Entries that Lua code may not publish."""
    text = f"Lua code may not publish {', '.join(entries)}: such entries carry credentials, rights or reach"
    return Failure(PERMISSION_DENIED, text, retryable=False, details={"entries": list(entries)})


def refused(problems: Sequence[Problem]) -> Failure:
    """Changes after which the registry would not be sound; the message tells the first problem, the details all."""
    errors = errors_in(problems)
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems, the first"
    return invalid(f"{count}: {errors[0]}", problems=[_as_details(each) for each in errors[:MAX_PROBLEMS]])


def _as_details(problem: Problem) -> dict[str, object]:
    return {
        "entry": problem.entry_id,
        "field": problem.field,
        "line": problem.line,
        "message": problem.message,
        "hint": problem.hint,
    }
