"""The failures of the actor host, each with the text that docs/lua.md#process promises."""

from __future__ import annotations

from engine.durations import format_duration
from engine.errors import (
    ALREADY_EXISTS,
    CANCELED,
    INTERNAL,
    INVALID,
    LIMIT_EXCEEDED,
    NOT_FOUND,
    TIMEOUT,
    UNAVAILABLE,
    Failure,
    ProgramError,
    invalid,
    not_found,
)

TERMINATED = Failure(CANCELED, "process terminated", retryable=False)
CALL_CANCELED = Failure(CANCELED, "operation canceled", retryable=False)
HOST_NOT_FOUND = not_found("host not found")
PID_NOT_REGISTERED = not_found("pid not registered")
NAME_NOT_REGISTERED = not_found("name not registered")
RESERVED_TOPIC = invalid("cannot send to @ topics")
NAME_EMPTY = invalid("name cannot be empty")
NAME_LIKE_PID = invalid("name cannot begin with {, as pids do")
ALREADY_MONITORING = Failure(ALREADY_EXISTS, "already monitoring pid", retryable=False)
NODE_STOPPING = Failure(UNAVAILABLE, "node is stopping", retryable=True)


def unresolved(dest: str) -> Failure:
    """`dest` is neither a pid nor a registered name."""
    return Failure(NOT_FOUND, f"could not resolve '{dest}' as PID or registered name", retryable=False)


def process_not_found(pid: str) -> Failure:
    """The pid is well formed, but nothing runs under it."""
    return not_found(f"process {pid} not found")


def entry_not_found(entry_id: str) -> Failure:
    """No such entry in the current registry version."""
    return not_found(f"entry '{entry_id}' not found")


def no_handler(target: str) -> Failure:
    """The target of a call can't be called."""
    return not_found(f"no handler registered for target '{target}'")


def wrong_kind(entry_id: str, kind: str, wanted: str) -> Failure:
    """The entry exists but this host can't run it."""
    return invalid(f"entry '{entry_id}' is a {kind}, not a {wanted}")


def name_taken(name: str, pid: str) -> Failure:
    """Another live unit holds the name."""
    return Failure(ALREADY_EXISTS, f"name '{name}' is already registered", retryable=False, details={"pid": pid})


def host_full(host_id: str, limit: int) -> Failure:
    """The host runs as many processes as its entry allows."""
    return Failure(LIMIT_EXCEEDED, f"host '{host_id}' is full ({limit} processes)", retryable=False)


def memory_full(what: str, limit: int) -> Failure:
    """The units of a host or of the node hold as much as they may; it passes when some of them end."""
    return Failure(LIMIT_EXCEEDED, f"{what} is full ({limit >> 20} MiB of memory)", retryable=True)


def too_many_pending(limit: int) -> Failure:
    """The unit waits for as many commands as it may; it passes when some of them are answered."""
    return Failure(LIMIT_EXCEEDED, f"too many requests at once: {limit} are not answered yet", retryable=True)


def too_much_pending(limit: int) -> Failure:
    """What the unit waits for holds as many bytes as the unit may; it passes when some of it is answered."""
    return Failure(
        LIMIT_EXCEEDED, f"too much at once: {limit >> 20} MiB are asked and not answered yet", retryable=True
    )


def mailbox_full(pid: str, held: str) -> Failure:
    """The receiver does not keep up; the message was not delivered, trying again later may help."""
    return Failure(LIMIT_EXCEEDED, f"mailbox of {pid} is full ({held})", retryable=True)


def results_full(limit: int) -> Failure:
    """What waits for the unit is as much as it may hold: the result was dropped, a later one may find room."""
    text = f"the result was dropped: {limit >> 20} MiB of results wait for the unit already"
    return Failure(LIMIT_EXCEEDED, text, retryable=True)


def answer_too_large(size: int, limit: int) -> Failure:
    """What an operation brought is more than a unit takes at once, in bytes."""
    text = f"the answer is too large: about {size} bytes, the limit is {limit}"
    return Failure(LIMIT_EXCEEDED, text, retryable=False)


def call_timed_out(target: str, timeout: int) -> Failure:
    """The call with all its attempts took longer than `timeout` ns."""
    return Failure(TIMEOUT, f"call of '{target}' timed out after {format_duration(timeout)}", retryable=False)


def bad_option(name: str, value: object) -> Failure:
    """A known call option with a value that can't be read."""
    return Failure(INVALID, f"option '{name}' has an invalid value: {value!r}", retryable=False)


def unknown_ask(service: str) -> Failure:
    """The host offers no such service."""
    return invalid(f"service '{service}' is not supported here")


def program_failure(error: ProgramError) -> Failure:
    """An entry that can't be linked, as the failure of whoever wanted to run it."""
    details = {"entry": error.entry_id, "line": error.line}
    return invalid(str(error), **{key: value for key, value in details.items() if value})


def unexpected(error: BaseException) -> Failure:
    """A defect of ours, reported as an Internal failure of the one unit that met it."""
    return Failure(INTERNAL, f"internal error: {type(error).__name__}: {error}")
