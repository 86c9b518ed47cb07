"""The projection: turns what nodes observe and what Temporal tells into runs, questions and feed rows.

It is the only writer of Run, HistoryArchive, Question and QuestionRole. Everything in it can be rebuilt from Temporal.
"""

from wippy_console.services.projection.describing import describe_all, describe_some
from wippy_console.services.projection.facts import Began, Ended, Fact, Ref, Stalled, Vanished
from wippy_console.services.projection.fetching import (
    RPC_TIMEOUT,
    Clients,
    fetch_beginning,
    fetch_ending,
    fetch_state,
    fetch_tail,
    fetch_told,
    handle_of,
    is_gone,
)
from wippy_console.services.projection.mailbox import Mailbox
from wippy_console.services.projection.reading import NODE, USER_MEMO
from wippy_console.services.projection.writer import Projection
from wippy_console.services.projection.writing import Written, write

__all__ = [
    "NODE", "RPC_TIMEOUT", "USER_MEMO", "Began", "Clients", "Ended", "Fact", "Mailbox", "Projection", "Ref", "Stalled",
    "Vanished", "Written", "describe_all", "describe_some", "fetch_beginning", "fetch_ending", "fetch_state",
    "fetch_tail", "fetch_told", "handle_of", "is_gone", "write",
]  # fmt: skip
