"""Subscriptions of other systems to the feed: made by tokens, sent in order and at least once by the worker that leads.

Web processes send nothing.
"""

from wippy_console.services.subscriptions.listing import (
    Page,
    get,
    may_change,
    may_manage,
    page,
    sees_others,
    stopped,
    tokens,
    where,
)
from wippy_console.services.subscriptions.managing import (
    MOST,
    OTHERS,
    Fields,
    Made,
    change,
    delete,
    make,
    new_secret,
    pause,
    redeliver,
    resume,
    try_out,
)
from wippy_console.services.subscriptions.working import tick

__all__ = [
    "MOST", "OTHERS", "Fields", "Made", "Page", "change", "delete", "get", "make", "may_change", "may_manage",
    "new_secret", "page", "pause", "redeliver", "resume", "sees_others", "stopped", "tick", "tokens", "try_out",
    "where",
]  # fmt: skip
