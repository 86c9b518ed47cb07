"""What people can do to a run: answer, send a raw signal, cancel, terminate."""

from __future__ import annotations

import time
import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from wippy_console import permissions
from wippy_console.models import Decision, Question, Run, Vote
from wippy_console.services import accounts, questions, schemas
from wippy_console.services.decisions import journal, payloads, voting, wire
from wippy_console.services.decisions.values import Button
from wippy_console.services.errors import Conflict, NotFoundError, Refused
from wippy_console.services.questions import Signal

_PATIENCE = 5.0
_LOOKED_AT = 50
"""Of the questions of a run the newest, for the one that was answered already."""
RESERVED = "__temporal"
_ONE_VALUE = "An answer is one value: put several into a list or an object."
_DEFAULTS = uuid.UUID("5b0c36a5-8a53-4f64-9d0e-6f4a3c0b7d11")

Key = uuid.UUID | str | None


def buttons(user: Any, run: Run, question_id: int | None = None) -> list[Button]:
    """What the run may be asked: the answers of its open questions, then what its entry declares for other waits.

    Those of the question `question_id` are among them also when it is over: `why_not` says how it ended.
    """
    asked = questions.open_questions(run) if run.is_open else []
    if question_id is not None:
        asked += [each for each in run.questions.filter(pk=question_id) if each not in asked]
    found = [_button(user, run, signal, question) for question in asked for signal in questions.of(question)]
    known = {button.signal.index for button in found}
    others = [signal for signal in questions.signals_of(run) if signal.index not in known]
    return [*found, *(_button(user, run, signal, None) for signal in others)]


def _button(user: Any, run: Run, signal: Signal, question: Question | None) -> Button:
    return Button(signal, question, _why_not(user, run, signal, question))


def _why_not(user: Any, run: Run, signal: Signal, question: Question | None) -> str:
    if not permissions.allows(user, permissions.SIGNAL_RUN, run.namespace):
        return "You may not answer runs."
    if not questions.may_give(user, signal, question):
        return questions.who_may(signal, question)
    if question is None:
        return questions.why_ended(run) or "The run does not wait for this now."
    answer = questions.answer_of(question)
    if answer is not None:
        return questions.why_answered(answer)
    over = questions.why_over(question, run) or questions.why_taken(user, question)
    return over or voting.why_not(user, question, signal)


def decide(
    user: Any,
    run: Run,
    index: int,
    payload: dict[str, Any],
    *,
    reason: str = "",
    question_id: int | None = None,
    key: Key = None,
) -> Decision | Vote:
    """Answer the run by its declared signal `index`; where votes are counted this is one of them (`voting.cast`).

    Make `key` once per drawn form: the same key again is the same decision. Raises PermissionDenied;
    Refused (`fields` by form field, "reason" among them); Conflict naming the winner or the expiry;
    NotFoundError for an unknown signal or question; Unavailable (the answer is kept and sent later).
    """
    permissions.require(user, permissions.SIGNAL_RUN, run.namespace)
    before = journal.known(key, user.pk, run)
    if before is not None:
        return journal.finish(before)
    run.refresh_from_db()
    try:
        answer, signal = _answer(user, run, index, payload, reason, question_id)
    except Conflict:
        before = journal.known(key, user.pk, run)
        if before is None and (vote := voting.known(key, user, run)) is not None:
            return vote
        if before is None:
            raise
        return journal.finish(before)  # the winner is this very form, sent twice at the same moment
    return _give(answer, signal, key)


def answer(
    user: Any,
    question: Question,
    *payload: Any,
    index: int | None = None,
    topic: str = "",
    label: str = "",
    reason: str = "",
    key: Key = None,
) -> Decision | Vote:
    """Answer the question by one of its answers: that of the index, else the one that topic, label and payload mean.

    Raises as `decide` does; Refused (`label`) where none or more than one is meant.
    """
    permissions.require(user, permissions.SIGNAL_RUN, question.namespace)
    if index is None:
        signals = [each for each in questions.of(question) if topic in ("", each.topic)]
        index = payloads.meant(signals, payload, label).index
    form = payload[0] if payload else {}
    return decide(user, question.run, index, form, reason=reason, question_id=question.pk, key=key)


def answer_by_clock(question: Question) -> Decision | None:
    """Give the answer that the author declared for the due date of the question; None where there is none.

    The same key for each question, so that a crash in between changes nothing. No vote is counted.
    """
    signal = next((each for each in questions.of(question) if each.default), None)
    if signal is None:
        return None
    key = uuid.uuid5(_DEFAULTS, str(question.pk))
    before = Decision.objects.select_related("run", "user", "question").filter(pk=key).first()
    if before is not None:
        return journal.finish(before, wire.MOMENT)
    answer = Decision(run=question.run, user=accounts.clock(), question=question, action=wire.SIGNAL, via=signal.via)
    answer.pk, answer.topic, answer.label = key, signal.topic, signal.label
    answer.payload, answer.reason = payloads.merged(signal, {}), "Nobody answered until it was due."
    return journal.make(answer, Question.Outcome.DEFAULTED, wire.MOMENT)


def send(
    user: Any, run: Run, topic: str, *payload: Any, reason: str = "", label: str = "", key: Key = None
) -> Decision | Vote:
    """Send a message as the run's entry declares it: by one signal of the topic, whose role, schema and rule of reasons
    hold, as the answer to the question that waits for it, if one does. A topic that is not declared goes as `send_raw`.

    `payload` is one JSON value, or left out; only what is not declared takes several. `label` chooses among signals of
    one topic. Raises as `decide` does.
    """
    permissions.require(user, permissions.SIGNAL_RUN, run.namespace)
    before = journal.known(key, user.pk, run)
    if before is not None:
        return journal.finish(before)
    question, declared = _declared(run, topic)
    if not declared:
        return send_raw(user, run, topic, *payload, reason=reason, key=key)
    return _send_declared(user, run, question, declared, payload, reason, label, key)


def update(
    user: Any, run: Run, name: str, *payload: Any, reason: str = "", label: str = "", key: Key = None
) -> Decision | Vote:
    """Send an update, and wait a while for what the run says to it: the decision's `verdict`.

    One that the entry declares (`via: update`) goes by the rules of `send`, any other as `send_raw`. Refused for what
    is declared as a signal, and with what the run says against it; NoVerdict while it has not said anything.
    """
    permissions.require(user, permissions.SIGNAL_RUN, run.namespace)
    before = journal.known(key, user.pk, run)
    if before is not None:
        return journal.finish(before)
    question, declared = _declared(run, name)
    if not declared:
        return send_raw(user, run, name, *payload, reason=reason, key=key, via=wire.UPDATE)
    updates = [signal for signal in declared if signal.via == wire.UPDATE]
    if not updates:
        raise Refused(f"{run.entry_id} declares {name!r} as a signal: send it as one.")
    return _send_declared(user, run, question, updates, payload, reason, label, key)


def _declared(run: Run, topic: str) -> tuple[Question | None, list[Signal]]:
    """The open question that waits for the topic, if one does, and what is declared of it; RunEnded."""
    run.refresh_from_db()
    questions.refuse_ended(run)
    question = questions.question_for(topic, run, questions.open_questions(run))
    signals = questions.of(question) if question is not None else questions.signals_of(run)
    return question, [signal for signal in signals if signal.topic == topic]


def _send_declared(
    user: Any,
    run: Run,
    question: Question | None,
    declared: list[Signal],
    payload: tuple[Any, ...],
    reason: str,
    label: str,
    key: Key,
) -> Decision | Vote:
    if len(payload) > 1:
        raise Refused(_ONE_VALUE, {"payload": [_ONE_VALUE]})
    signal = payloads.meant(declared, payload, label)
    _refuse_others(user, signal, question)
    value = payloads.checked(signal, payload[0] if payload else None, reason)
    if question is not None:
        questions.refuse_over(question, run)
    answer = payloads.answer(user, run, question, signal, value, reason)
    answer.payloads = 0 if not payload and value is None else 1
    return _give(answer, signal, key)


def answer_by_topic(
    user: Any, run: Run, topic: str, *payload: Any, reason: str = "", label: str = "", key: Key = None
) -> Decision | Vote:
    """`send`, of nothing but an answer: NotFoundError where no question asks for it, Conflict once it was given."""
    permissions.require(user, permissions.SIGNAL_RUN, run.namespace)
    before = journal.known(key, user.pk, run)
    if before is not None:
        return journal.finish(before)
    run.refresh_from_db()
    questions.refuse_ended(run)
    asked = questions.open_questions(run)
    if questions.question_for(topic, run, asked) is None:
        _refuse_unasked(run, topic, asked)
    return send(user, run, topic, *payload, reason=reason, label=label, key=key)


def _refuse_unasked(run: Run, topic: str, asked: list[Question]) -> None:
    for question in run.questions.order_by("-pk")[:_LOOKED_AT]:
        if topic in {signal.topic for signal in questions.of(question)}:
            questions.refuse_over(question, run)
    topics = sorted({signal.topic for question in asked for signal in questions.of(question)})
    instead = f" It asks for {', '.join(topics)}." if topics else ""
    raise NotFoundError(f"{run.workflow_id} asks for no answer by {topic} now.{instead}")


def _give(answer: Decision, signal: Signal, key: Key) -> Decision | Vote:
    """Send it, or count it as a vote."""
    among = questions.of(answer.question) if answer.question is not None else []
    needed = voting.needed_for(signal, among)
    if needed:
        return voting.cast(answer, signal, needed, journal.parsed(key))
    if answer.question is not None and not answer.guest:
        questions.refuse_taken(answer.user, answer.question)
    answer.pk = journal.parsed(key)
    return journal.make(answer)


def _answer(
    user: Any, run: Run, index: int, payload: dict[str, Any], reason: str, question_id: int | None
) -> tuple[Decision, Signal]:
    question, signal = questions.chosen(run, index, question_id)
    _refuse_others(user, signal, question)
    value = payloads.checked(signal, payload, reason)
    return payloads.answer(user, run, question, signal, value, reason), signal


def _refuse_others(user: Any, signal: Signal, question: Question | None) -> None:
    if not questions.may_give(user, signal, question):
        raise PermissionDenied(questions.who_may(signal, question))


def send_raw(
    user: Any, run: Run, topic: str, *payload: Any, reason: str = "", key: Key = None, via: str = wire.SIGNAL
) -> Decision:
    """Send any signal, or update; for authors. `payload` are JSON values, the arguments of the message: mostly one, or
    none.

    It is no answer: neither the schema nor the role of a declared signal counts, and a question that the run closes
    on it was answered from elsewhere (docs/rights.md#users).
    """
    permissions.require(user, permissions.RAW_SIGNAL_RUN, run.namespace)
    schemas.refuse_topic(topic, RESERVED)
    schemas.refuse_unsendable(payload, "The payload")
    value = list(payload) if len(payload) > 1 else next(iter(payload), None)
    signal = Decision(run=run, user=user, action=wire.SIGNAL, topic=topic, payload=value, reason=reason.strip())
    signal.payloads, signal.via = len(payload), via
    return _act(signal, key)


def cancel(user: Any, run: Run, reason: str = "", *, key: Key = None) -> Decision:
    """Ask the run to stop (CANCEL); RunEnded when it has ended."""
    permissions.require(user, permissions.CANCEL_RUN, run.namespace)
    return _act(Decision(run=run, user=user, action=wire.CANCEL, reason=reason.strip()), key)


def terminate(user: Any, run: Run, reason: str, *, key: Key = None) -> Decision:
    """End the run now; the reason is required. RunEnded when it has ended."""
    permissions.require(user, permissions.TERMINATE_RUN, run.namespace)
    if not reason.strip():
        raise Refused("Say why the run is to be terminated.", {"reason": ["A reason is required."]})
    return _act(Decision(run=run, user=user, action=wire.TERMINATE, reason=reason.strip()), key)


def reset(user: Any, run: Run, options: dict[str, Any], reason: str, *, key: Key = None) -> Decision:
    """Send a reset that `services.resetting` has looked into; also of a run that has ended. The reason is required.

    `options`: `event_id` of the workflow task, `signals`, `updates`, `before` (`resets.options_of`).
    """
    permissions.require(user, permissions.RESET_RUN, run.namespace)
    if not reason.strip():
        raise Refused("Say why the run is to be reset.", {"reason": ["A reason is required."]})
    decision = Decision(run=run, user=user, action=wire.RESET, payload=options, reason=reason.strip())
    decision.id = journal.parsed(key)
    return journal.make(decision)


def is_given(key: uuid.UUID) -> bool:
    """Whether an answer or signal was given under this key before, to whichever run; it is brought to its end.

    A vote is given when it is counted. Raises Conflict with what made it fail, RunEnded, Unavailable.
    """
    found = Decision.objects.select_related("run", "user", "question").filter(pk=key).first()
    if found is not None:
        journal.finish(found)
    return found is not None or Vote.objects.filter(key=key).exists()


def known(key: Key, user: Any, run: Run, patience: float = _PATIENCE) -> Decision | None:
    """What was decided under this key before, brought to its end; of the same form sent twice the second waits."""
    found = journal.known(key, user.pk, run)
    if found is None:
        return None
    end = time.monotonic() + patience
    while found.state == found.State.PENDING and time.monotonic() < end:
        time.sleep(0.1)
        found.refresh_from_db()
    return journal.finish(found)


def _act(decision: Decision, key: Key) -> Decision:
    """Record and send what answers no question; permissions were checked."""
    run = decision.run
    before = journal.known(key, decision.user_id, run)
    if before is not None:
        return journal.finish(before)
    run.refresh_from_db()
    questions.refuse_ended(run)
    decision.id = journal.parsed(key)
    return journal.make(decision)


def audit(run: Run) -> QuerySet[Decision]:
    """Everything that people did to the run, newest first."""
    return run.decisions.select_related("user", "question")
