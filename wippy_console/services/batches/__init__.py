"""Batches: one act over many runs, chosen exactly, confirmed, carried out in slices by the worker that leads."""

from wippy_console.services.batches.acts import ACTS, Act, open_to
from wippy_console.services.batches.choosing import MOST, draft_of, draft_of_made, draft_of_query
from wippy_console.services.batches.doing import tick
from wippy_console.services.batches.moving import start, stop
from wippy_console.services.batches.reading import Progress, get, listed, may_stop, progress, standing

__all__ = [
    "ACTS", "MOST", "Act", "Progress", "draft_of", "draft_of_made", "draft_of_query", "get", "listed", "may_stop",
    "open_to", "progress", "standing", "start", "stop", "tick",
]  # fmt: skip
