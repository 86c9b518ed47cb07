"""Adds to the folded rows what the database knows: decisions, questions, who is behind a signal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from wippy_console.models import Decision, Question, Run
from wippy_console.services.questions import answer_among
from wippy_console.services.timeline.drafts import Draft
from wippy_console.services.timeline.fold import Fold
from wippy_console.services.timeline.values import Row, State, Timeline


def assemble(run: Run, fold: Fold) -> Timeline:
    """The finished timeline."""
    decisions = list(run.decisions.select_related("user", "question"))
    decisions += reapplied(fold, decisions)
    questions = list(run.questions.prefetch_related("roles"))
    return combine(run, fold, decisions, questions)


def reapplied(fold: Fold, known: Iterable[Decision]) -> list[Decision]:
    """What people decided on the run that this one was reset from: its signals were sent to this one again."""
    ours = {str(decision.pk) for decision in known}
    others = {draft.decision_id for draft in fold.drafts.values()} - {""} - ours
    return list(Decision.objects.filter(pk__in=others).select_related("user", "question", "run")) if others else []


def combine(run: Run, fold: Fold, decisions: Iterable[Decision], questions: Iterable[Question]) -> Timeline:
    """The same without reading the database."""
    known = list(decisions)
    by_id = {str(item.pk): item for item in known}
    by_event = {item.event_id: item for item in known if item.event_id}
    rows = [
        _with_decision(draft, by_id.get(draft.decision_id) or by_event.get(draft.id)) for draft in fold.drafts.values()
    ]
    rows += [_question_row(run, item, known) for item in questions]
    rows.sort(key=lambda row: (row.start, row.id < 0, row.id))
    start = fold.drafts.get(1)
    began, ended = (start.start, start.end) if start else (run.started_at, run.closed_at)
    return Timeline(fold.last_event_id, rows, began, ended, fold.last_event_id)


def _with_decision(draft: Draft, decision: Decision | None) -> Row:
    row = draft.row()
    if decision is None:
        return row
    return replace(row, decision=decision, sender=decision.user.get_username(), lane="human")


def _question_row(run: Run, question: Question, decisions: list[Decision]) -> Row:
    """The wait for a person as a bar from the moment it opened to its answer."""
    answer = answer_among(decisions, question)
    return Row(
        id=-question.pk,
        kind="question",
        label=question.channel or "inbox",
        state=_question_state(question),
        start=question.opened_at,
        started=question.opened_at,
        end=question.closed_at,
        summary=answer.label if answer else "",
        sender=answer.user.get_username() if answer else "",
        decision=answer,
        question=question,
        deadline=question.deadline,
        lane="human",
    )


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
