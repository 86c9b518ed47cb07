"""A history as Temporal's JSON, written piece by piece: a large one takes no memory of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from google.protobuf.json_format import MessageToJson
from temporalio.api.history.v1 import HistoryEvent


def pieces(events: Sequence[HistoryEvent]) -> Iterator[str]:
    """The very text that the SDK's `WorkflowHistory.to_json` makes, an event at a time."""
    if not events:
        yield "{}"
        return
    yield '{\n  "events": [\n'
    for index, event in enumerate(events):
        text = MessageToJson(event).replace("\n", "\n    ")
        yield f"    {text}{',' if index + 1 < len(events) else ''}\n"
    yield "  ]\n}"


def beginning(events: Sequence[HistoryEvent], length: int) -> tuple[str, bool]:
    """So many characters of it at most, and whether that is all; only what is shown is written."""
    found, size = [], 0
    for piece in pieces(events):
        found.append(piece)
        size += len(piece)
        if size > length:
            return "".join(found)[:length], False
    return "".join(found), True


def size(events: Sequence[HistoryEvent]) -> int:
    """Bytes that Temporal keeps of the events."""
    return sum(event.ByteSize() for event in events)
