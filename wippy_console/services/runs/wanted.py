"""Which runs are wanted, as data: of a page's filters, a command's options, or an act over many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty fields want all; those that are set add up.

    `text`: each of its words, in any part of an id, title, entry, summary or business key, in any case; or a pid.
    `statuses`: any of them (`states.FILTERS`). `keys`: each as `order.id=42`.
    `client` is the temporal.client entry, `by` the name of who started it, `parent` the run id of its parent.
    `waiting` keeps runs that ask something. Times are from the first until before the last.
    """

    text: str = ""
    statuses: tuple[str, ...] = ()
    workflow_id: str = ""
    entry: str = ""
    client: str = ""
    parent: str = ""
    by: str = ""
    keys: tuple[str, ...] = ()
    waiting: bool = False
    started_from: datetime | None = None
    started_to: datetime | None = None
    closed_from: datetime | None = None
    closed_to: datetime | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is set."""
        return self != EVERYTHING

    @property
    def is_narrowed_otherwise(self) -> bool:
        """Whether anything is set beside what is searched."""
        return replace(self, text="", keys=()) != EVERYTHING


EVERYTHING = Wanted()
