"""Feed rows as the browser gets them: plain data plus the rendered row."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.template import TemplateDoesNotExist
from django.template.loader import get_template, render_to_string

from wippy_console.models import FeedEvent
from wippy_console.services import registry

logger = logging.getLogger(__name__)

TEMPLATE = "live/_event.html"


@dataclass(frozen=True, slots=True)
class Frame:
    """One feed row; `text` is its JSON, made once for all sockets of the process."""

    id: int
    kind: str
    run_id: str
    text: str

    def matches(self, run_id: str, kinds: tuple[str, ...]) -> bool:
        """Whether a listener for that run ("" = all) and those kinds (none = all) wants it."""
        return (not run_id or self.run_id == run_id) and (not kinds or self.kind in kinds)


def rendered(events: Iterable[FeedEvent]) -> list[Frame]:
    """The rows with their html."""
    titles = registry.titles()
    return [frame(event, titles) for event in events]


def frame(event: FeedEvent, titles: Mapping[str, str]) -> Frame:
    """One row with its html, in which entries go by their titles."""
    data = {
        "id": event.id,
        "kind": event.kind,
        "run_id": event.run_id,
        "workflow_id": event.workflow_id,
        "entry_id": event.entry_id,
        "pid": event.pid,
        "node": event.node,
        "at": event.at.isoformat(),
        "data": event.data,
        "html": _html(event, titles),
    }
    return Frame(event.id, event.kind, event.run_id, json.dumps(data))


def warm_up() -> None:
    """Compile the row's template before the first event waits for it."""
    try:
        get_template(TEMPLATE)
    except TemplateDoesNotExist:
        return


def _html(event: FeedEvent, titles: Mapping[str, str]) -> str:
    """The rendered row; a broken template costs the picture, never the event."""
    try:
        return render_to_string(TEMPLATE, {"event": event, "titles": titles})
    except TemplateDoesNotExist:
        return ""
    except Exception:
        logger.exception("could not render feed row %s", event.id)
        return ""
