"""One history event in full, as JSON data."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent

from wippy_console.services.timeline import drafts, payloads, rules
from wippy_console.services.timeline.values import EventRef

LIMIT = 64 * 1024


def event_json(event: HistoryEvent) -> dict[str, Any]:
    """The event with id, type, at, attributes and (if any) the author's summary and details."""
    raw = MessageToDict(event)
    which = event.WhichOneof("attributes")
    shown = {
        "id": event.event_id,
        "type": rules.title(rules.name(event.event_type)),
        "at": raw["eventTime"],
        "attributes": _opened(MessageToDict(getattr(event, which))) if which else {},
    }
    return {**shown, "user_metadata": _opened(raw["userMetadata"])} if "userMetadata" in raw else shown


def event_head(event: HistoryEvent) -> EventRef:
    """The event as lists tell of it."""
    return drafts.reference(event, rules.name(event.event_type))


def _opened(data: Any) -> Any:
    """The same data with every payload replaced by its value."""
    match data:
        case {"metadata": {"encoding": _}, **rest} if set(rest) <= {"data"}:
            return payloads.value(ParseDict(data, Payload()), LIMIT)
        case {"payloads": list(items), **rest} if not rest:
            return [_opened(item) for item in items]
        case dict():
            return {key: _opened(item) for key, item in data.items()}
        case list():
            return [_opened(item) for item in data]
        case _:
            return data
