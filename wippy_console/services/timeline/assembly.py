"""Adds to the folded rows what server and database know: attempts, decisions, questions, who is behind a signal."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.utils import timezone

from wippy_console.models import Decision, Question, Run
from wippy_console.services.questions import answers_among, asks_in_words
from wippy_console.services.timeline.known import Known
from wippy_console.services.timeline.looking import Look
from wippy_console.services.timeline.pending import pending
from wippy_console.services.timeline.values import Row, State, Timeline

_NEAR = timedelta(seconds=3)
"""A run counts from the beginning of its task, Temporal from the end of it."""

_BESIDE = 10
"""So many timers before and after a question are looked at."""


def assemble(run: Run, seen: Look) -> Timeline:
    """The finished timeline of a run."""
    decisions = list(run.decisions.select_related("user"))
    questions = list(run.questions.prefetch_related("votes"))
    with seen.known.lock:
        decisions += reapplied(seen.known, decisions)
        changed = overlaid(seen, decisions, timezone.now())
        answers = answers_among(decisions)
        asked = {-each.pk: seen.known.place(each.opened_at, _question_row(each, answers)) for each in questions}
        volatile = {**_deadlines(seen.known, asked.values()), **changed, **asked}
        found = timeline(seen.known, volatile, run.started_at, run.closed_at)
        return replace(found, away=seen.away, read_at=seen.known.read_at)


def timeline(known: Known, volatile: Mapping[int, Row], began: datetime, ended: datetime | None) -> Timeline:
    """The rows with those put in their place that change without an event. `began`, `ended`: if no event tells."""
    rows = sorted({**known.rows(), **volatile}.values(), key=lambda row: (row.order, row.id))
    start = known.rows().get(1)
    if start is not None:
        began, ended = start.start, start.end
    total = known.last_event_id
    return Timeline(total, rows, began, ended, total, known.loops(), frozenset(volatile))


def reapplied(known: Known, decisions: Iterable[Decision]) -> list[Decision]:
    """What people decided on the run that this one was reset from: its signals were sent to this one again."""
    ours = {str(decision.pk) for decision in decisions}
    others = [key for key in known.fold.decided if key not in ours]
    return list(Decision.objects.filter(pk__in=others).select_related("user", "question", "run")) if others else []


def overlaid(seen: Look, decisions: Iterable[Decision], now: datetime) -> dict[int, Row]:
    """The rows that server and decisions change, by id."""
    fold, rows = seen.known.fold, seen.known.rows()
    found: dict[int, Row] = {}
    if seen.now is not None:
        task = seen.now.pending_workflow_task if seen.now.HasField("pending_workflow_task") else None
        drafts = pending(fold, seen.now.pending_activities, task, now)
        found = {row_id: draft.row() for row_id, draft in drafts.items()}
    for decision in decisions:
        row_id = fold.decided.get(str(decision.pk)) or decision.event_id or 0
        row = found.get(row_id) or rows.get(row_id)
        if row is not None:
            found[row_id] = replace(row, decision=decision, sender=decision.user.get_username(), lane="human")
    return found


def _deadlines(known: Known, asked: Iterable[Row]) -> dict[int, Row]:
    """The timers that questions wait with, each saying what for: those that begin and end with their time."""
    timers = [row for row in known.timers() if row.deadline is not None]
    found: dict[int, Row] = {}
    for question in asked:
        if question.deadline is None:
            continue
        at = bisect_left(timers, question.start, key=lambda row: row.start)
        beside = timers[max(0, at - _BESIDE) : at + _BESIDE]
        near = [row for row in beside if abs(row.start - question.start) < _NEAR and not row.summary]
        near = [row for row in near if _apart(row, question) < _NEAR]
        if near:
            timer = min(near, key=lambda row: _apart(row, question))
            found[timer.id] = replace(timer, summary=f"until the answer is due: {question.label}")
    return found


def _apart(timer: Row, question: Row) -> timedelta:
    """How far apart their deadlines are."""
    if timer.deadline is None or question.deadline is None:
        return timedelta.max
    return abs(timer.deadline - question.deadline)


def _question_row(question: Question, answers: Mapping[int, Decision]) -> Row:
    """The wait for a person as a bar from the moment it opened to its answer, with what it asks and by which topics."""
    answer = answers.get(question.pk)
    return Row(
        id=-question.pk,
        kind="question",
        label=asks_in_words(question),
        state=_question_state(question),
        start=question.opened_at,
        started=question.opened_at,
        end=question.closed_at,
        summary=_question_summary(question, answer),
        sender=answer.user.get_username() if answer else "",
        decision=answer,
        question=question,
        deadline=question.deadline,
        lane="human",
    )


def _question_summary(question: Question, answer: Decision | None) -> str:
    topics = [topic or "inbox" for topic, *_ in question.waits] or [question.channel or "inbox"]
    votes = len(question.votes.all())
    counted = f"{votes} vote{'s' if votes > 1 else ''}" if votes else ""
    return " · ".join(filter(None, [answer.label if answer else "", counted, ", ".join(dict.fromkeys(topics))]))


def _question_state(question: Question) -> State:
    if question.closed_at is None:
        return "waiting"
    match question.outcome:
        case Question.Outcome.EXPIRED:
            return "timed_out"
        case Question.Outcome.WITHDRAWN:
            return "canceled"
        case _:
            return "received"
