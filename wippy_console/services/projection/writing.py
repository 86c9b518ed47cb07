"""Write a batch of facts in one transaction: load what it touches, apply fact by fact, save."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from engine.contracts.catalog import Catalog
from engine.hosts.temporal.observations import Observation
from wippy_console.database.locks import lock_for_transaction
from wippy_console.models import Decision, FeedEvent, HistoryArchive, Question, QuestionRole, Run
from wippy_console.services import feed, guests, notifications
from wippy_console.services.notifications import News, rules
from wippy_console.services.projection.batch import Batch
from wippy_console.services.projection.facts import Fact, Ref
from wippy_console.services.projection.rows import entry_of
from wippy_console.services.questions import answered, asked_of, assign_at_opening

WRITTEN_FIELDS = [field.name for field in Run._meta.concrete_fields if not field.primary_key]

WORDED_FIELDS = [
    "title", "text", "signals", "options", "priority", "due_at", "nearest_at", "escalates_at", "search", "alerts_at",
    "answers_at",
]  # fmt: skip
"""What may change while a question is open; until when somebody put it off stays."""

SETTLED_FIELDS = [
    "key", "waits", "channel", "number", "options", "closed_at", "deadline", "nearest_at", "alerts_at", "outcome",
    "outcome_text",
]  # fmt: skip
OLD_NEWS = timedelta(days=1)
_FAILURES = (Run.Status.FAILED, Run.Status.TIMED_OUT)
LOCK = 0x57495051  # its own number: the feed's is taken last, by everybody


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch leaves to do: runs whose beginning is not known, and runs that are about to close."""

    incomplete: tuple[Ref, ...] = ()
    closing: tuple[Ref, ...] = ()


def write(catalog: Catalog, facts: Sequence[Fact]) -> Written:
    """Write the facts, in order. Writing one again changes nothing; an older observation changes nothing either."""
    with transaction.atomic():
        batch = _load(catalog, facts)
        for fact in facts:
            batch.take(fact)
        _save(batch)
    return Written(tuple(batch.incomplete.values()), tuple(batch.closing.values()))


def _load(catalog: Catalog, facts: Sequence[Fact]) -> Batch:
    """The runs that the facts name, locked in order, and their open questions."""
    ids = sorted({fact.run_id for fact in facts})
    # A missing row can't be locked: without this, two writers could announce one run.
    lock_for_transaction(LOCK)
    # no_key: a decision that refers to the run must not wait for us, nor we for it.
    rows = Run.objects.select_for_update(no_key=True).filter(run_id__in=ids).order_by("run_id")
    runs = {run.run_id: run for run in rows}
    asked = Question.objects.select_for_update(no_key=True).filter(run_id__in=runs, closed_at=None).order_by("pk")
    return Batch(catalog, runs, list(asked), _refused(facts))


def _refused(facts: Sequence[Fact]) -> dict[int, list[str]]:
    """The answers that runs refused, by the questions that they were given to."""
    ids = [each for fact in facts if isinstance(fact, Observation) for each in fact.refused]
    known = [parsed for each in ids if (parsed := _uuid(each)) is not None]
    rows = Decision.objects.filter(pk__in=known).exclude(question=None) if known else ()
    found: dict[int, list[str]] = {}
    for decision in rows:
        found.setdefault(decision.question_id or 0, []).append(str(decision.pk))
    return found


def _uuid(text: str) -> uuid.UUID | None:
    """The id of a decision; other clients name their updates as they like."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _save(batch: Batch) -> None:
    """Rows first, the feed last (see `feed.append`)."""
    changed = [batch.runs[run_id] for run_id in batch.changed]
    Run.objects.bulk_create(changed, update_conflicts=True, unique_fields=["run_id"], update_fields=WRITTEN_FIELDS)
    HistoryArchive.objects.bulk_create(batch.archives, ignore_conflicts=True)
    known = _asked_before(batch)
    _save_questions(batch)
    events = [event for event in batch.events if event.kind != feed.WAITING or _key(event) not in known]
    said = feed.unsaid(events)
    notifications.tell_all([*_questions_news(batch, known), *_ends_news(batch, said)])
    feed.append_all(said)


def _questions_news(batch: Batch, known: Collection[tuple[str, str]]) -> list[News]:
    """The questions that opened and are open still; not those of rows that were lost."""
    opened = [question for question, _ in batch.asked if question.is_open]
    return [
        News(rules.ASKED, f"asked:{question.run_id}:{question.key}", question=question)
        for question in opened
        if (question.run_id, question.key) not in known
    ]


def _ends_news(batch: Batch, said: Sequence[FeedEvent]) -> list[News]:
    """The runs whose end is news; an old one that was rebuilt after the feed forgot it is none."""
    since = timezone.now() - OLD_NEWS
    ended = [batch.runs[event.run_id] for event in said if event.kind == feed.EXIT]
    return [
        News(kind, f"ended:{run.run_id}", run=run, declared=_notify_of(batch.catalog, run))
        for run in ended
        if run.closed_at is not None and run.closed_at >= since
        for kind in (rules.FAILED, rules.EXIT)
        if kind == rules.EXIT or run.status in _FAILURES
    ]


def _notify_of(catalog: Catalog, run: Run) -> Any:
    entry = entry_of(run, catalog)
    return entry.meta.get("notify") if entry is not None else None


def _asked_before(batch: Batch) -> Collection[tuple[str, str]]:
    """Questions of runs that no row told of, but the feed: they were lost, and are open since then."""
    since = feed.still_asked({question.run_id for question, _ in batch.asked} & batch.unseen)
    for question, _ in batch.asked:
        question.opened_at = since.get((question.run_id, question.key), question.opened_at)
    return since.keys()


def _key(event: FeedEvent) -> tuple[str, str]:
    return event.run_id, event.data["key"]


def _save_questions(batch: Batch) -> None:
    """A question that is asked again after it was closed is the same row, opened again."""
    Question.objects.bulk_update(batch.settled, SETTLED_FIELDS)
    Question.objects.bulk_create(
        [question for question, _ in batch.asked],
        update_conflicts=True,
        unique_fields=["run", "key"],
        update_fields=SETTLED_FIELDS,
    )
    asked = Question.objects.filter(pk__in=[question.pk for question, _ in batch.asked])
    asked.filter(answered()).update(outcome=Question.Outcome.ANSWERED)  # it was asked again before the answer came
    reworded = [question for question, _ in batch.reworded if question.pk]
    Question.objects.bulk_update(reworded, WORDED_FIELDS)
    QuestionRole.objects.filter(question__in=reworded).delete()
    rows = [
        QuestionRole(question=question, role=role[:150], user=user[:150])
        for question, _ in (*batch.asked, *batch.reworded)
        for role, user in asked_of(question)
    ]
    QuestionRole.objects.bulk_create(rows, ignore_conflicts=True)
    for question, _ in batch.asked:
        assign_at_opening(question)
        guests.invite(question)
