"""A run's values and its history as files, written out part by part: a large one is not in memory twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from engine.hosts.temporal.wire.payloads import plain
from wippy_console.models import Run
from wippy_console.services import histories, masking
from wippy_console.services.errors import NotFoundError
from wippy_console.services.runs import history_text
from wippy_console.services.runs.whole import value
from wippy_console.services.secrets import history, payloads_of
from wippy_console.services.timeline import payloads

_ENCODER = json.JSONEncoder(ensure_ascii=False, indent=1, allow_nan=False)


def value_file(run: Run, which: str, user: Any) -> Iterator[str]:
    """The input, result or failure as JSON, bytes as the engine writes them; NotFoundError, Unavailable before a line.

    The audit tells when it has masked values as they are.
    """
    found = plain(value(run, which, user))
    masking.note_file(user, run, which)
    return _ENCODER.iterencode(found)


def history_file(run: Run, user: Any) -> Iterator[str]:
    """The whole history as Temporal's JSON, which its replayer reads; the same errors and the same row of the audit."""
    events = history(run, user).events
    masking.note_file(user, run, "history")
    return history_text.pieces(events)


def is_masked(run: Run, user: Any) -> bool:
    """Whether values are hidden from the user in the history, so that a replay of it may go another way."""
    shown, own = history(run, user).events, histories.read(run).events
    return any(mine is not theirs and mine != theirs for mine, theirs in zip(shown, own, strict=False))


def payload_file(run: Run, name: str, user: Any) -> tuple[bytes, str]:
    """All of a payload of the history, by its key, as it was sent, and its media type; NotFoundError, Unavailable."""
    for payload in (each for event in history(run, user).events for each in payloads_of(event)):
        if name.partition("-")[0] == str(len(payload.data)) and payloads.key(payload) == name:
            masking.note_file(user, run, f"payload {name}")
            is_json = payload.metadata.get("encoding", b"").startswith(b"json/")
            return payload.data, "application/json" if is_json else "application/octet-stream"
    raise NotFoundError("The run has no such payload, or no more.")
