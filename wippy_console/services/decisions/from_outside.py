"""Answers of guests, who have no account and are told of nothing but their own question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from wippy_console.models import Decision, GuestLink
from wippy_console.services import accounts, guests, questions
from wippy_console.services.decisions import journal, payloads
from wippy_console.services.decisions.acts import Key
from wippy_console.services.errors import Conflict, NotFoundError, Refused, RunEnded, Unavailable
from wippy_console.services.questions import Signal

_REFUSED = "The run refused it: "
_FAILED = "Your answer could not be delivered, and nothing was done. Try it again later."


def answer_as_guest(link: GuestLink, index: int, payload: Any, *, reason: str = "", key: Key = None) -> Decision:
    """Answer the link's question, once; the same key again is the same answer. Of no vote and nobody's claim.

    Refused with `fields` as `decide` has them; Gone when the link or the question is over; all in words that name
    neither the run nor anybody. What can't be sent now is kept and sent later: the decision is pending then.
    """
    before = _before(link, key)
    if before is not None:
        return _carry(before, journal.finish)
    try:
        answer = _answer(link, index, payload, reason)
        answer.pk = journal.parsed(key)
        with transaction.atomic(durable=True):  # it must be on disk before the signal is sent
            guests.take(link)
            journal.record(answer)
    except (IntegrityError, Refused) as refusal:
        return _other(link, key, refusal)
    return _carry(answer, journal.send)


def _chosen(link: GuestLink, index: int) -> Signal:
    run = link.question.run
    try:
        _, signal = questions.chosen(run, index, link.question_id)
    except Conflict:
        raise guests.Gone(guests.OVER) from None
    except NotFoundError:
        signal = None
    if signal not in guests.offered(link.question) or signal is None:
        raise NotFoundError("This answer can't be given here.")
    return signal


def _answer(link: GuestLink, index: int, payload: Any, reason: str) -> Decision:
    guests.refuse_over(link)
    signal = _chosen(link, index)
    value = payloads.checked(signal, payload, reason)
    answer = payloads.answer(accounts.guest(), link.question.run, link.question, signal, value, reason)
    answer.guest = link.address
    return answer


def _before(link: GuestLink, key: Key) -> Decision | None:
    """What the same form answered before."""
    if key is None:
        return None
    rows = Decision.objects.select_related("run", "user", "question")
    return rows.filter(pk=journal.parsed(key), guest=link.address, question=link.question_id).first()


def _other(link: GuestLink, key: Key, refusal: Exception) -> Decision:
    """What came first: this very form, sent twice at the same moment; else what ended the link, or the refusal."""
    before = _before(link, key)
    if before is not None:
        return _carry(before, journal.finish)
    if isinstance(refusal, Refused) and not isinstance(refusal, Conflict):
        raise refusal
    guests.refuse_over(GuestLink.objects.select_related("question__run").get(pk=link.pk))
    raise guests.Gone(guests.OVER)


def _carry(answer: Decision, act: Callable[[Decision], Decision]) -> Decision:
    """Send it, or finish it; what went wrong stands in words for somebody outside."""
    try:
        return act(answer)
    except Unavailable:
        answer.refresh_from_db()
        return answer
    except RunEnded:
        raise guests.Gone(guests.OVER) from None
    except Refused:
        answer.refresh_from_db()
        said = answer.error.removeprefix(_REFUSED)
        raise Refused(f"It was not accepted: {said}" if said != answer.error else _FAILED) from None
