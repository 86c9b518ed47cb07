"""Write a batch of facts in one transaction: load what it touches, apply fact by fact, save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from engine.contracts.catalog import Catalog
from wippy_console.models import HistoryArchive, Question, QuestionRole, Run
from wippy_console.services import feed
from wippy_console.services.projection.book import Book
from wippy_console.services.projection.facts import Fact, Ref

WRITTEN_FIELDS = [field.name for field in Run._meta.concrete_fields if not field.primary_key]

_LOCK = 0x57495051  # its own number: the feed's is taken last, by everybody


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch leaves to do: runs whose beginning is not known, and runs that are about to close."""

    incomplete: tuple[Ref, ...] = ()
    closing: tuple[Ref, ...] = ()


def write(catalog: Catalog, facts: Sequence[Fact]) -> Written:
    """Write the facts, in order. Writing one again changes nothing; an older observation changes nothing either."""
    with transaction.atomic():
        book = _load(catalog, facts)
        for fact in facts:
            book.take(fact)
        _save(book)
    return Written(tuple(book.incomplete.values()), tuple(book.closing.values()))


def _load(catalog: Catalog, facts: Sequence[Fact]) -> Book:
    """The runs that the facts name, locked in order, and their open questions."""
    ids = sorted({fact.run_id for fact in facts})
    _take_turn()
    # no_key: a decision that refers to the run must not wait for us, nor we for it.
    rows = Run.objects.select_for_update(no_key=True).filter(run_id__in=ids).order_by("run_id")
    runs = {run.run_id: run for run in rows}
    asked = Question.objects.filter(run_id__in=runs, closed_at=None)
    return Book(catalog, runs, list(asked))


def _take_turn() -> None:
    """A missing row can't be locked: on PostgreSQL writers take turns, else two could announce one run."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _save(book: Book) -> None:
    """Rows first, the feed last (see `feed.append`)."""
    changed = [book.runs[run_id] for run_id in book.changed]
    Run.objects.bulk_create(changed, update_conflicts=True, unique_fields=["run_id"], update_fields=WRITTEN_FIELDS)
    HistoryArchive.objects.bulk_create(book.archives, ignore_conflicts=True)
    _save_questions(book)
    feed.append_all(feed.unsaid(book.events))


def _save_questions(book: Book) -> None:
    """A question that is asked again after it was closed is the same row, opened again."""
    Question.objects.bulk_update(book.settled, ["closed_at", "deadline"])
    Question.objects.bulk_create(
        [question for question, _ in book.asked],
        update_conflicts=True,
        unique_fields=["run", "channel", "number"],
        update_fields=["closed_at", "deadline"],
    )
    roles = [QuestionRole(question=question, role=role) for question, names in book.asked for role in names]
    QuestionRole.objects.bulk_create(roles, ignore_conflicts=True)
