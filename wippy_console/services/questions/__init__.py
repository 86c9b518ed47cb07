"""Questions: what an entry may be asked, which of its waits a message answers, and whether one is answered.

The projection asks what a waiting run asks, decisions what may still be answered and by what, the inbox who is asked.
"""

from wippy_console.services.questions.answers import (
    answer_among,
    answer_of,
    chosen,
    is_expired,
    open_questions,
    refuse_answered,
    refuse_ended,
    why_answered,
    why_ended,
    why_expired,
    why_over,
)
from wippy_console.services.questions.inbox import asked_by, asking, done_for, get, labelled, open_for
from wippy_console.services.questions.matching import Asked, asked, kept, next_deadline, question_for
from wippy_console.services.questions.signals import Signal, declared, signals_in, signals_of

__all__ = [
    "Asked", "Signal", "answer_among", "answer_of", "asked", "asked_by", "asking", "chosen", "declared", "done_for",
    "get", "is_expired", "kept", "labelled", "next_deadline", "open_for", "open_questions", "question_for",
    "refuse_answered", "refuse_ended", "signals_in", "signals_of", "why_answered", "why_ended", "why_expired",
    "why_over",
]  # fmt: skip
