"""Questions: what an entry or its code may ask, which waits of a run are one, how one ended, and who is asked.

The projection asks what a waiting run asks, decisions what may still be answered and by what, the inbox who is asked.
"""

from wippy_console.services.questions.answers import (
    answer_among,
    answer_of,
    answered,
    chosen,
    is_expired,
    open_questions,
    outcome_of,
    refuse_answered,
    refuse_ended,
    why_answered,
    why_ended,
    why_expired,
    why_over,
)
from wippy_console.services.questions.inbox import asked_by, asking, done_for, get, open_for
from wippy_console.services.questions.matching import (
    Asked,
    answered_by,
    asked,
    channels_of,
    kept,
    next_deadline,
    question_for,
)
from wippy_console.services.questions.rights import escalation_of, may_give, who_may
from wippy_console.services.questions.signals import (
    Quorum,
    Signal,
    declared,
    ever_of,
    meta_in,
    of,
    read,
    signals_of,
)
from wippy_console.services.questions.wording import candidates, put_in_order, word

__all__ = [
    "Asked", "Quorum", "Signal", "answer_among", "answer_of", "answered", "answered_by", "asked", "asked_by", "asking",
    "candidates", "channels_of", "chosen", "declared", "done_for", "escalation_of",
    "ever_of", "get", "is_expired", "kept", "may_give",
    "meta_in", "next_deadline", "of", "open_for", "open_questions", "outcome_of", "put_in_order", "question_for",
    "read", "refuse_answered", "refuse_ended", "signals_of", "who_may", "why_answered", "why_ended", "why_expired",
    "why_over", "word",
]  # fmt: skip
