"""The projection: turns what nodes observe and what Temporal tells into runs, questions and feed rows.

It is the only writer of Run, HistoryArchive, Question and QuestionRole. Everything in it can be rebuilt from Temporal.
"""

from wippy_console.services.projection.facts import Began, Ended, Fact, Ref, Stalled, Vanished
from wippy_console.services.projection.mailbox import Mailbox
from wippy_console.services.projection.writer import Projection
from wippy_console.services.projection.writing import Written, write

__all__ = ["Began", "Ended", "Fact", "Mailbox", "Projection", "Ref", "Stalled", "Vanished", "Written", "write"]
