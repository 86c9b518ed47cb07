"""Votes: answers that are sent only when enough people gave them (`quorum`)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from wippy_console.models import Decision, Question, Run, Vote
from wippy_console.services import accounts, audit, feed, questions, secrets
from wippy_console.services.decisions import journal
from wippy_console.services.errors import Conflict
from wippy_console.services.questions import Signal

_STARTED = "You started this run, so others have to decide."
VOTES = "votes"
"""The field of the payload that tells the run who voted what."""


def cast(answer: Decision, signal: Signal, needed: int, key: uuid.UUID) -> Decision | Vote:
    """Count the answer as its user's vote; the last that was needed sends it, with all votes in its payload.

    The same key again is the same vote. Conflict for a second vote of one person, and for one that comes too late;
    PermissionDenied for whoever started the run.
    """
    question = answer.question
    if question is None:
        raise Conflict("Votes count for a question that is open.")
    voter = accounts.person(answer.user)
    _refuse_starter(voter, question, signal)
    try:
        with transaction.atomic(durable=True):  # it must be on disk before the signal is sent
            votes, last = _count(answer, question.pk, signal, voter, needed, key)
            if len(votes) < needed:
                return last
            answer.pk, answer.payload, answer.payloads = key, with_votes(answer.payload, question), 1
            journal.record(answer)
    except IntegrityError:
        return _before(question, voter, key)
    except Conflict:
        if (vote := known(key, voter, question.run)) is None:
            raise
        return vote
    return journal.send(answer)


def known(key: uuid.UUID | str | None, user: Any, run: Run) -> Vote | None:
    """The vote that the user gave by this form before, also when its question is over since."""
    voter = accounts.person(user)
    return Vote.objects.filter(key=journal.parsed(key), user=voter, question__run=run).first() if key else None


def needed_for(signal: Signal, among: Sequence[Signal]) -> int:
    """How many votes send the signal; 0 where none are counted. Other answers of a counted topic end the vote."""
    if signal.quorum is not None:
        return signal.quorum.approve
    counted = [each.quorum for each in among if each.quorum is not None and each.topic == signal.topic]
    return counted[0].reject if counted else 0


def why_not(user: Any, question: Question, signal: Signal) -> str:
    """Why the user's vote would not count, in words; "" where it would, or where none are counted."""
    if not needed_for(signal, questions.of(question)):
        return ""
    voter = accounts.person(user)
    if _began_it(voter, question, signal):
        return _STARTED
    vote = next((vote for vote in question.votes.all() if vote.user_id == voter.pk), None)
    return f"You voted “{vote.label}” before." if vote is not None else ""


def with_votes(payload: Any, question: Question) -> Any:
    """The payload with the votes; one that is no table stands beside them."""
    votes = [
        {
            "user": vote.user.get_username(),
            "label": vote.label,
            "payload": vote.whole_payload,
            "reason": vote.reason,
            "at": vote.created_at.isoformat(),
        }
        for vote in question.votes.select_related("user")
    ]
    return {**(payload if isinstance(payload, dict) else {"payload": payload}), VOTES: votes}


def _count(
    answer: Decision, question_id: int, signal: Signal, voter: User, needed: int, key: uuid.UUID
) -> tuple[list[Vote], Vote]:
    """All votes for the signal with the new one, under the question's lock."""
    question = Question.objects.select_for_update(no_key=True).get(pk=question_id)
    if not question.is_open:
        raise Conflict(questions.why_over(question, answer.run))
    vote = Vote.objects.create(
        question=question,
        user=voter,
        key=key,
        index=signal.index,
        topic=signal.topic,
        label=signal.label,
        payload=secrets.masked(signal.schema, answer.payload),
        reason=answer.run.veil().text(answer.reason),
    )
    votes = list(question.votes.filter(index=signal.index))
    noted = {"payload": vote.whole_payload, "reason": vote.reason, "votes": len(votes), "needed": needed}
    audit.append(audit.VOTE, answer.user, run=answer.run, question=question, label=signal.label, data=noted)
    data = {"question": question.pk, "action": "voted", "user": voter.get_username(), "label": signal.label}
    if len(votes) < needed:  # the last one is told as the decision
        feed.append(feed.QUESTION, run=answer.run, data={**data, "votes": len(votes), "needed": needed})
    return votes, vote


def _refuse_starter(voter: User, question: Question, signal: Signal) -> None:
    if _began_it(voter, question, signal):
        raise PermissionDenied(_STARTED)


def _began_it(voter: User, question: Question, signal: Signal) -> bool:
    """Whether the voter started the run, and may not vote for that."""
    quorums = [each.quorum for each in (signal, *questions.of(question)) if each.quorum is not None]
    return not any(quorum.own for quorum in quorums[:1]) and questions.starter_of(question.run) == voter


def _before(question: Question, voter: User, key: uuid.UUID) -> Decision | Vote:
    """What the same form did before, else the refusal of a second vote."""
    made = Decision.objects.select_related("run", "user", "question").filter(pk=key).first()
    if made is not None:
        return journal.finish(made)
    vote = question.votes.filter(user=voter).first()
    if vote is not None and vote.key == key:
        return vote
    questions.refuse_answered(question)
    raise Conflict(f"You voted “{vote.label}” before." if vote is not None else "Somebody else was faster.")
