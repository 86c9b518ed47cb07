"""One answer to several questions: each is a decision of its own, and says for itself when it fails."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied

from wippy_console import permissions
from wippy_console.models import Decision, Question, Vote
from wippy_console.services import questions
from wippy_console.services.decisions import acts, journal, payloads
from wippy_console.services.errors import Refused, Unavailable
from wippy_console.services.questions import Signal

MOST = 100
"""Questions that are answered at once."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one of them; `error` says why it failed. One that is `kept` is sent as soon as Temporal answers."""

    question: Question
    made: Decision | Vote | None = None
    error: str = ""
    kept: bool = False


def selected(user: Any, ids: Iterable[int]) -> list[Question]:
    """The questions of a selection, in its order, each once; Refused for too many, NotFoundError for one not there."""
    chosen = list(dict.fromkeys(ids))
    if len(chosen) > MOST:
        raise Refused(f"At most {MOST} questions are answered at once; these are {len(chosen)}.")
    return questions.several(user, chosen)


def common(asked: Sequence[Question]) -> list[Signal]:
    """The answers that all of them take, alike in topic, label, schema and rule of reasons."""
    first, *others = [questions.of(each) for each in asked] or [[]]
    return [signal for signal in first if all(any(_same(signal, each) for each in signals) for signals in others)]


def decide_all(
    user: Any, asked: Sequence[Question], signal: Signal, payload: dict[str, Any], *, reason: str, key: uuid.UUID
) -> list[Result]:
    """Answer each by its own signal of that topic and label.

    The same key again has no second effect. Refused, before anything is sent, when the form is not as declared.
    """
    permissions.require(user, permissions.SIGNAL_RUN)
    payloads.checked(signal, payload, reason)
    return [_one(user, question, signal, payload, reason, key) for question in asked]


def _one(user: Any, question: Question, signal: Signal, payload: Any, reason: str, key: uuid.UUID) -> Result:
    own = next((each for each in questions.of(question) if _same(signal, each)), None)
    if own is None:
        return Result(question, error=f"It does not take “{signal.label}” any more.")
    mine = uuid.uuid5(journal.parsed(key), str(question.pk))
    try:
        made = acts.decide(user, question.run, own.index, payload, reason=reason, question_id=question.pk, key=mine)
    except Unavailable as refusal:
        return Result(question, error=refusal.message, kept=True)
    except Refused as refusal:
        return Result(question, error=refusal.message)
    except PermissionDenied as refusal:
        return Result(question, error=str(refusal))
    return Result(question, made)


def _same(a: Signal, b: Signal) -> bool:
    return (a.topic, a.label, a.schema, a.reason) == (b.topic, b.label, b.schema, b.reason)
