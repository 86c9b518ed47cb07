"""Feed rows as the browser gets them: plain data plus the rendered row."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property

from django.template import TemplateDoesNotExist
from django.template.loader import get_template, render_to_string

from wippy_console.models import FeedEvent
from wippy_console.services import feed, registry
from wippy_console.services.feed import Sight

logger = logging.getLogger(__name__)

TEMPLATE = "live/_event.html"


@dataclass(frozen=True)
class Frame:
    """One feed row; `text` is its JSON, made once for all sockets of the process."""

    id: int
    kind: str
    run_id: str
    text: str
    event: FeedEvent
    titles: Mapping[str, str]

    def matches(self, run_id: str, kinds: tuple[str, ...], seen: Sight = feed.EVERYTHING) -> bool:
        """Whether a listener for that run ("" = all) and those kinds (none = all) wants it, and may have it."""
        wanted = (not run_id or self.run_id == run_id) and (not kinds or self.kind in kinds)
        return wanted and seen.covers(self.kind, self.event.namespace)

    def text_for(self, seen: Sight) -> str:
        """The JSON, for whoever does not see all without what may belong to others."""
        return self.text if seen.rows.everywhere or not feed.is_trimmed(self.event) else self._trimmed

    @cached_property
    def _trimmed(self) -> str:
        event = copy(self.event)
        feed.trimmed([event], feed.NOTHING)
        return frame(event, self.titles).text


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
    return Frame(event.id, event.kind, event.run_id, json.dumps(data), event, titles)


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
