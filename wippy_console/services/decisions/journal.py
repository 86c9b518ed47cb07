"""The life of a decision: recorded as pending, sent, completed; each step safe to repeat after a crash."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from temporalio.service import RPCError, RPCStatusCode

from engine.errors import UnitFailed
from wippy_console.database.storable import preview, storable
from wippy_console.models import Decision, Question, Run
from wippy_console.models.decisions import ASKED_ANEW
from wippy_console.services import accounts, audit, feed, guests, questions, secrets
from wippy_console.services.decisions import resets, wire
from wippy_console.services.errors import Conflict, NoVerdict, Refused, RunEnded, Unavailable

T = TypeVar("T")

IN_FLIGHT = timedelta(seconds=30)
_FASTER = "Somebody else was faster. Reload the page."
ANSWERED = (Question.Outcome.ANSWERED, Question.Outcome.DEFAULTED)
_NO_VERDICT = "The run has your answer and has not said yet what it makes of it. It is asked again by itself."
_IN_FLIGHT = "It is being done at this moment. Look at the run again."
SENT_LATER = "Your answer is kept, and sent as soon as Temporal answers."


def known(key: uuid.UUID | str | None, user_id: int, run: Run) -> Decision | None:
    """The decision that was made under this key before, by the same user on the same run."""
    found = Decision.objects.select_related("run", "user", "question").filter(pk=parsed(key)).first() if key else None
    if found is not None and (found.user_id != user_id or found.run_id != run.pk):
        raise Conflict("This form was used before. Reload the page and try again.")
    return found


def has_failed(key: uuid.UUID) -> bool:
    """Whether the decision that was made under this key failed: the same key never makes another."""
    return Decision.objects.filter(pk=key, state=Decision.State.FAILED).exists()


def parsed(key: uuid.UUID | str | None) -> uuid.UUID:
    """The key as UUID, a new one when there is none; Refused when it is no UUID."""
    if key is None or isinstance(key, uuid.UUID):
        return key or uuid.uuid4()
    try:
        return uuid.UUID(key)
    except ValueError:
        raise Refused("The form's key is damaged. Reload the page and try again.") from None


def make(decision: Decision, outcome: str = Question.Outcome.ANSWERED, patience: timedelta | None = None) -> Decision:
    """Record a new decision and send it; who comes second under the same key gets the first one's."""
    try:
        with transaction.atomic(durable=True):  # it must be on disk before the signal is sent
            record(decision, outcome)
    except (IntegrityError, Conflict) as refusal:
        return finish(_winner(decision, refusal), patience)
    return send(decision, patience)


def record(decision: Decision, outcome: str = Question.Outcome.ANSWERED) -> None:
    """Write it, in the caller's transaction: its question is answered from now on.

    The question first, as votes do: in another order an answer and a vote would wait for each other.
    """
    _answer(decision, outcome)
    decision.token = accounts.token_of(decision.user)
    decision.reason = decision.run.veil().text(decision.reason)  # it is told to all
    decision.save(force_insert=True)


def finish(decision: Decision, patience: timedelta | None = None) -> Decision:
    """Bring a decision from before to its end. A failed one raises Conflict with what made it fail."""
    match decision.state:
        case Decision.State.SENT:
            return decision
        case Decision.State.FAILED:
            raise Conflict(decision.error)
    too_late = _too_late(decision)  # read before the history: what closed the question may be this very signal
    event_id = _reached(wire.find_event, decision)
    if event_id is not None and decision.via != wire.UPDATE:
        return _complete(decision, event_id)
    if decision.action == wire.RESET and timezone.now() - decision.created_at < IN_FLIGHT:
        raise NoVerdict(_IN_FLIGHT)  # Temporal would do it twice
    if event_id is not None:
        return send(decision, patience)  # the same update again: the run's answer to it
    if too_late:
        _fail(decision, too_late)
        raise Conflict(too_late)
    return send(decision, patience)


def unfinished(older_than: float) -> list[Decision]:
    """Decisions that a crash or an absent Temporal left pending for longer than so many seconds, oldest first."""
    before = timezone.now() - timedelta(seconds=older_than)
    rows = Decision.objects.filter(state=Decision.State.PENDING, created_at__lt=before)
    return list(rows.select_related("run", "user", "question").order_by("created_at"))


def unlinked() -> list[Decision]:
    """Decisions of the last hour that were sent but whose event was not written yet when we looked."""
    lately = timezone.now() - timedelta(hours=1)
    rows = Decision.objects.filter(state=Decision.State.SENT, event_id=None, completed_at__gt=lately)
    return list(rows.select_related("run", "user"))


def link(decision: Decision) -> None:
    """Note the event, if it is there by now."""
    event_id = _reached(wire.find_event, decision)
    if event_id is not None:
        Decision.objects.filter(pk=decision.pk).update(event_id=event_id)


def _winner(decision: Decision, refusal: Exception) -> Decision:
    """Whose was first: the same key's decision, else Conflict naming the question's."""
    same = known(decision.pk, decision.user_id, decision.run)
    if same is not None:
        return same
    if isinstance(refusal, Conflict):
        raise refusal
    if decision.question is not None:
        questions.refuse_answered(decision.question)
    raise Conflict(_FASTER)


def _too_late(decision: Decision) -> str:
    """Why it must not be sent any more: the run waits for something else by now. "" while it may.

    A young one is not judged, since the request that recorded it may be sending it right now.
    """
    if decision.question is None or timezone.now() - decision.created_at < IN_FLIGHT:
        return ""
    return questions.why_deaf(decision.question, decision.run)


def send(decision: Decision, patience: timedelta | None = None) -> Decision:
    """Send what was recorded, and note the event that it became; so long it waits for the verdict of an update."""
    try:
        verdict = _reached(partial(wire.send, patience=patience), decision)
    except RPCError as error:
        raise _refusal(decision, error) from error
    except UnitFailed as error:
        _fail(decision, str(error))
        raise Refused(str(error)) from error
    if verdict is None:
        raise NoVerdict(_NO_VERDICT)
    if verdict.failure is not None:
        _fail(decision, f"The run refused it: {verdict.failure.message}", was_taken=True)
        raise Refused(decision.error)
    decision.verdict = storable(decision.run.veil().value(verdict.value))
    event_id = _reached(wire.await_event, decision)
    if event_id is None and decision.action == wire.CANCEL:
        _refuse_second_cancel(decision)
    return _complete(decision, event_id)


def _refuse_second_cancel(decision: Decision) -> None:
    """Temporal takes a second cancel of a run without a word, and does nothing."""
    first = _reached(wire.canceled_by, decision)
    if first:
        _fail(decision, f"{first.removeprefix('user:')} already asked the run to stop.")
        raise Conflict(decision.error)


def _reached(act: Callable[[Decision], T], decision: Decision) -> T:
    """What `act` returns. When Temporal is away the decision stays pending and is finished later."""
    try:
        return act(decision)
    except Unavailable as error:
        raise Unavailable(f"{error.message} {SENT_LATER}") from error


def _refusal(decision: Decision, error: RPCError) -> Refused:
    """Temporal answered, and said no: that is final."""
    if error.status == RPCStatusCode.NOT_FOUND:
        ended = "Temporal no longer has the run" if decision.action == wire.RESET else "The run had ended already"
        _fail(decision, f"{ended} ({error.message}).")
        return RunEnded(decision.error)
    _fail(decision, f"Temporal refused it: {error.message}")
    return Refused(decision.error)


def _complete(decision: Decision, event_id: int | None) -> Decision:
    """Mark it as sent; whoever does so writes the feed row, in the same transaction."""
    now, shown = timezone.now(), shown_payload(decision)
    with transaction.atomic():
        pending = Decision.objects.filter(pk=decision.pk, state=Decision.State.PENDING)
        mine = pending.update(
            state=Decision.State.SENT, event_id=event_id, completed_at=now, payload=shown, verdict=decision.verdict
        )
        if mine:
            _note(decision, "sent", shown)
            feed.append(_kind(decision), run=decision.run, data=_data(decision, shown))
    decision.refresh_from_db()
    return decision


def _fail(decision: Decision, message: str, *, was_taken: bool = False) -> None:
    now, shown = timezone.now(), shown_payload(decision)
    message = decision.run.veil().text(message)
    with transaction.atomic():
        pending = Decision.objects.filter(pk=decision.pk, state=Decision.State.PENDING)
        if pending.update(state=Decision.State.FAILED, error=message, completed_at=now, payload=shown):
            _take_back(decision, message, was_taken=was_taken)
            _note(decision, "refused", shown, error=message)
    decision.refresh_from_db()


def _answer(decision: Decision, outcome: str) -> None:
    """The question is answered from now on; Conflict when it ended meanwhile, in the words of how."""
    question = decision.question
    if question is None:
        return
    mine = Question.objects.filter(_may_answer(decision, question), pk=question.pk, closed_at=None, outcome="")
    if not mine.update(outcome=outcome, outcome_text=""):
        question.refresh_from_db()
        questions.refuse_answered(question)
        why = questions.why_over(question, decision.run) or questions.why_taken(decision.user, question)
        raise Conflict(why or _FASTER)


def _may_answer(decision: Decision, question: Question) -> Q:
    """The condition that nobody else has taken it meanwhile; of guests, who are asked by name, and the clock none."""
    if decision.guest or accounts.is_clock(decision.user) or questions.counts_votes(question):
        return Q()
    now = timezone.now()
    return questions.is_nobodys(now) | questions.is_theirs(decision.user, now)


def _take_back(decision: Decision, why: str, *, was_taken: bool) -> None:
    """What a failed decision answered waits for an answer again, unless the run asks it no more.

    A run that took it goes on from there: the projection, which closes the question then, is told why. Whose vote it
    was votes again.
    """
    if decision.question is None:
        return
    if decision.guest:
        guests.give_back(decision)
    question = Question.objects.select_for_update(no_key=True).filter(pk=decision.question.pk).first()
    if question is None or question.outcome not in ANSWERED:
        return
    goes_on = str(decision.pk) in question.options.get(ASKED_ANEW, [])
    question.outcome, question.outcome_text = "", why[:500] if was_taken and not goes_on else ""
    if question.closed_at is not None:
        expired = questions.is_expired(question) and not was_taken
        question.outcome = Question.Outcome.EXPIRED if expired else Question.Outcome.WITHDRAWN
        question.outcome_text = "" if expired else why[:500]
    question.save(update_fields=["outcome", "outcome_text"])
    question.votes.filter(key=decision.pk).delete()


def _note(decision: Decision, outcome: str, shown: Any, **more: str) -> None:
    """Tell the audit."""
    match decision.action:
        case wire.CANCEL:
            action = audit.CANCEL
        case wire.TERMINATE:
            action = audit.TERMINATE
        case wire.RESET:
            action = audit.RESET
        case _:
            action = audit.ANSWER if decision.question_id or decision.label else audit.SIGNAL
    said = _said(decision, shown)
    audit.append(
        action,
        _by(decision),
        run=decision.run,
        question=decision.question,
        label=decision.label,
        outcome=outcome,
        data={**said, "reason": decision.reason, **more},
        decision_id=decision.pk,
    )


def _said(decision: Decision, shown: Any) -> dict[str, Any]:
    match decision.action:
        case wire.SIGNAL:
            return {"topic": decision.topic, "payload": preview(shown)}
        case wire.RESET:
            made = decision.verdict if isinstance(decision.verdict, dict) else {}
            return {**resets.options_of(decision), "new_run_id": made.get("run_id", "")}
        case _:
            return {}


def _who(decision: Decision) -> str:
    """Whoever decided, as audit and feed name them."""
    return f"guest:{decision.guest}" if decision.guest else decision.user.get_username()


def _by(decision: Decision) -> Any:
    """The same for the audit, which names the token, too."""
    if decision.guest:
        return _who(decision)
    if decision.token:
        accounts.act_by(decision.user, decision.token)
    return decision.user


def _kind(decision: Decision) -> str:
    match decision.action:
        case wire.CANCEL:
            return feed.CANCEL
        case wire.TERMINATE:
            return feed.TERMINATE
        case wire.RESET:
            return feed.RESET
        case _:
            return feed.DECISION if decision.label else feed.SIGNAL


def shown_payload(decision: Decision) -> Any:
    """Its payload without secrets, which are kept only until it is sent."""
    if decision.action != wire.SIGNAL:
        return decision.payload
    if decision.payloads > 1:
        return [secrets.message(decision.run, decision.topic, each) for each in decision.values]
    return secrets.message(decision.run, decision.topic, decision.payload)


def _data(decision: Decision, shown: Any) -> dict[str, object]:
    about: dict[str, object] = {
        "user": _who(decision),
        "reason": decision.reason,
        "decision": str(decision.pk),
    }
    if decision.action == wire.RESET:
        said = _said(decision, shown)
        return {**about, "event": said["event_id"], "new_run_id": said["new_run_id"]}
    if decision.action != wire.SIGNAL:
        return about
    signal = {"topic": decision.topic, "payload": preview(shown)}
    return {**signal, **about, "label": decision.label} if decision.label else {**signal, **about}
