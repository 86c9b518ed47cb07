"""Reads a history from a file: JSON of Temporal's CLI, its UI, an SDK or this console. Whatever it holds, no crash.

Names may be in camel case or with underscores, enums with their prefix or without. What is wrong is said with the line,
the event and the field.
"""

from __future__ import annotations

import json
import re
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from wippy_console.services.errors import Refused

MOST_BYTES = 50 * 1024 * 1024
MOST_EVENTS = 60_000
"""Temporal itself ends a history at 51,200."""
_MOST_PARTS = {"{": 1_500_000, "[": 1_500_000, ",": 6_000_000}
"""Characters that make objects of memory, each of many bytes: a real history of this size has fewer."""
_PREFIX = "EVENT_TYPE_"
_LONGEST = 300
_BEGIN = re.compile(r'"events"\s*:\s*\[')


def read(data: bytes) -> list[HistoryEvent]:
    """The events of the file's content; Refused says where it is none."""
    text = _text(data)
    found = _listed(_parsed(text))
    if len(found) > MOST_EVENTS:
        raise Refused(f"It has {len(found):,} events; a history has at most {MOST_EVENTS:,}.")
    events = _events(text, found)
    _check(text, events)
    return events


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise Refused(f"The file is too large: at most {MOST_BYTES // 1024 // 1024} MB.")
    if not data.strip():
        raise Refused("The file is empty.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"This is no text: byte {error.start + 1:,} is not UTF-8.") from error
    for char, most in _MOST_PARTS.items():
        if text.count(char) > most:
            raise Refused(f"The file has more than {most:,} of {char}: no history of this size has.")
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(f"Line {error.lineno}, column {error.colno}: this is no JSON: {error.msg}.") from error
    except RecursionError as error:
        raise Refused("This JSON is nested too deeply for a history.") from error
    except ValueError as error:  # a number of thousands of digits
        raise Refused(f"This JSON can't be read: {str(error)[:_LONGEST]}.") from error


def _listed(parsed: Any) -> list[Any]:
    """The list of events, wherever the writers of such files put it."""
    found = parsed
    for name in ("history", "History", "events"):
        if isinstance(found, dict) and name in found:
            found = found[name]
    if not isinstance(found, list):
        names = ", ".join(str(name)[:40] for name in list(parsed)[:5]) if isinstance(parsed, dict) else ""
        raise Refused(f"There is no list of events in it{f', but {names}' if names else ''}. Is it a history?")
    if not found:
        raise Refused("Its list of events is empty.")
    return found


def _events(text: str, found: list[Any]) -> list[HistoryEvent]:
    for at, event in enumerate(found):
        if not isinstance(event, dict):
            raise Refused(f"{_place(text, at)} is a {type(event).__name__}, and no event.")
    try:
        return list(WorkflowHistory.from_json("", {"events": found}).events)
    except MemoryError:
        raise
    except Exception:  # protobuf raises what it likes, SystemError among it
        return [_one(text, at, event) for at, event in enumerate(found)]


def _one(text: str, at: int, event: Any) -> HistoryEvent:
    try:
        return next(iter(WorkflowHistory.from_json("", {"events": [event]}).events))
    except MemoryError:
        raise
    except Exception as error:
        said = _field(str(error)) or type(error).__name__
        raise Refused(f"{_place(text, at)} can't be read: {said}") from error


def _field(said: str) -> str:
    """What protobuf says of a field, without the names of its own that change with its versions."""
    said = said.removeprefix("Failed to parse events field: ").rstrip(".")
    return said.replace(" at History.events[0]", "").replace("Failed to parse ", "")[:_LONGEST]


def _place(text: str, at: int) -> str:
    line = _line(text, at)
    return f"{f'Line {line:,}: ' if line else ''}event {at + 1:,}"


def _line(text: str, at: int) -> int:
    """The line where the event of that index begins; 0 when that can't be told."""
    begin = _BEGIN.search(text)
    place, decoder = begin.end() if begin else text.find("[") + 1, json.JSONDecoder()
    try:
        for _ in range(at):
            _, place = decoder.raw_decode(text, _skipped(text, place))
            place = _skipped(text, place) + 1  # the comma
    except (ValueError, RecursionError):
        return 0
    return text.count("\n", 0, _skipped(text, place)) + 1


def _skipped(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place


def _check(text: str, events: list[HistoryEvent]) -> None:
    """That it is one history from its beginning, and each event what it says."""
    for at, event in enumerate(events):
        name = EventType.Name(event.event_type) if event.event_type in EventType.values() else ""
        if not name or not event.event_type:
            raise Refused(f"{_place(text, at)} is of no type that is known here (eventType).")
        if event.event_id != at + 1:
            said = f"has the id {event.event_id}, not {at + 1} (eventId)"
            raise Refused(f"{_place(text, at)} {said}: a history has all its events, in order.")
        which, wanted = event.WhichOneof("attributes"), f"{name.removeprefix(_PREFIX).lower()}_event_attributes"
        if which != wanted:
            raise Refused(f"{_place(text, at)} says that it is {name}, and lacks {wanted}.")
    if not events[0].HasField("workflow_execution_started_event_attributes"):
        raise Refused("The first event is no start of a workflow.")
