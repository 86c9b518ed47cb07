"""The projection: facts become runs, questions and feed rows, in any order and any number of times."""

from __future__ import annotations

import gzip
import json
import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from engine.entry import Entry
from engine.errors import Failure
from engine.hosts.temporal.observations import Observation, Retrying, Settled, StartedElsewhere
from engine.memory.catalog import MemoryCatalog
from engine.steps import Wait
from wippy_console.models import FeedEvent, HistoryArchive, Question, QuestionRole, Run
from wippy_console.services import states
from wippy_console.services.projection import Began, Ended, Fact, Projection, Ref, Stalled, write
from wippy_console.services.projection.fetching import observation
from wippy_console.services.projection.mailbox import Mailbox

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DEADLINE = NOON + timedelta(hours=24)
INBOX = Wait("inbox", "", 0)
TIMER = Wait("timer", "", 3, int(DEADLINE.timestamp() * 1e9))
SIGNALS = [
    {"topic": "decision", "label": "Approve", "role": "approvers"},
    {"topic": "decision", "label": "Reject", "role": "approvers"},
    {"topic": "comment"},
    "nonsense",
    {"label": "no topic"},
]
CATALOG = MemoryCatalog(
    [Entry("app:approval", "workflow.lua", meta={"signals": SIGNALS}), Entry("app:silent", "workflow.lua")]
)
SEEN = Observation(
    workflow_id="order-1",
    run_id="r1",
    entry_id="app:approval",
    pid="{app:client@app:worker|order-1}",
    client="app:client",
    worker="app:worker",
    task_queue="orders",
    namespace="default",
    digest="d" * 64,
    registry_version=1,
    history_length=3,
    status="running",
    waits=(INBOX, TIMER),
    at=NOON + timedelta(seconds=1),
    started_at=NOON,
    input=({"amount": 7},),
)
REF = Ref("app:client", "order-1", "r1")
BEGAN = Began(REF, "app:approval", NOON)
ENDED = Ended(
    BEGAN, "completed", NOON + timedelta(seconds=9), 12, result={"ok": True}, history=gzip.compress(b'{"events": []}')
)


def kinds() -> list[str]:
    return list(FeedEvent.objects.order_by("id").values_list("kind", flat=True))


def later(waits: tuple[Wait, ...], length: int, **changes: Any) -> Observation:
    return replace(SEEN, waits=waits, history_length=length, input=None, at=NOON + timedelta(seconds=length), **changes)


@pytest.mark.django_db
def test_a_first_step_makes_the_run_and_asks_its_question() -> None:
    written = write(CATALOG, [SEEN])
    run = Run.objects.get()
    assert (run.workflow_id, run.entry_id, run.worker, run.program) == (
        "order-1",
        "app:approval",
        "app:worker",
        "d" * 64,
    )
    assert (run.status, run.history_length, run.input, run.started_at) == ("running", 3, [{"amount": 7}], NOON)
    assert run.waiting[0] == {"kind": "inbox", "name": "", "seq": 0, "deadline": None}
    assert run.next_deadline == DEADLINE
    question = Question.objects.get()
    assert (question.run, question.channel, question.number, question.deadline) == (run, "", 0, DEADLINE)
    assert {role.role for role in question.roles.all()} == {"approvers", ""}
    assert kinds() == ["STARTED", "WAITING"]
    assert FeedEvent.objects.get(kind="WAITING").data == {
        "channel": "",
        "number": 0,
        "key": question.key,
        "title": "",
        "topics": ["decision", "comment"],
        "labels": ["Approve", "Reject", "comment"],
        "roles": ["approvers", ""],
        "deadline": DEADLINE.isoformat(),
    }
    assert written.incomplete == () == written.closing


@pytest.mark.django_db
def test_writing_the_same_again_changes_nothing() -> None:
    for _ in range(3):
        write(CATALOG, [SEEN, SEEN])
    assert (Run.objects.count(), Question.objects.count(), QuestionRole.objects.count()) == (1, 1, 2)
    assert kinds() == ["STARTED", "WAITING"]


@pytest.mark.django_db
def test_an_older_observation_never_wins() -> None:
    write(CATALOG, [later((Wait("call", "app:charge", 4),), 9)])
    write(CATALOG, [SEEN])
    run = Run.objects.get()
    assert (run.history_length, run.waiting[0]["kind"]) == (9, "call")
    assert run.input == [{"amount": 7}], "what an older one knows of the beginning is still news"
    assert not Question.objects.exists()


@pytest.mark.django_db
def test_an_answered_question_is_closed_and_the_next_is_another() -> None:
    write(CATALOG, [SEEN])
    write(CATALOG, [later((Wait("call", "app:charge", 4),), 9)])
    assert Question.objects.get().closed_at == NOON + timedelta(seconds=9)
    write(CATALOG, [later((Wait("inbox", "", 1),), 15)])
    assert list(Question.objects.order_by("number").values_list("number", "closed_at")) == [
        (0, NOON + timedelta(seconds=9)),
        (1, None),
    ]
    assert kinds() == ["STARTED", "WAITING", "RESUMED", "WAITING"]


@pytest.mark.django_db
def test_a_question_asked_again_is_the_same_row() -> None:
    write(CATALOG, [SEEN])
    write(CATALOG, [later((Wait("call", "app:x", 4),), 9)])
    write(CATALOG, [later((INBOX,), 15)])
    question = Question.objects.get()
    assert (question.closed_at, question.deadline, question.opened_at) == (None, None, SEEN.at)


@pytest.mark.django_db
def test_a_batch_that_opens_and_closes_leaves_a_closed_question() -> None:
    write(CATALOG, [SEEN, later((Wait("call", "app:x", 4),), 9), ENDED])
    assert Question.objects.get().closed_at is not None
    assert kinds() == ["STARTED", "WAITING", "RESUMED", "EXIT"]


@pytest.mark.django_db
def test_a_moved_deadline_moves_the_question() -> None:
    write(CATALOG, [SEEN])
    write(CATALOG, [later((INBOX,), 5)])
    assert Question.objects.get().deadline is None


@pytest.mark.django_db
def test_a_listened_topic_is_a_question_of_its_own() -> None:
    write(CATALOG, [replace(SEEN, waits=(INBOX, Wait("topic", "decision", 2), Wait("topic", "undeclared", 0)))])
    roles = {q.channel: {r.role for r in q.roles.all()} for q in Question.objects.all()}
    assert roles == {"": {""}, "decision": {"approvers"}}
    assert Question.objects.get(channel="decision").number == 2


@pytest.mark.django_db
def test_questions_stand_in_the_order_in_which_they_are_asked() -> None:
    topics = [f"step {number}" for number in range(12)]
    entry = Entry("app:approval", "workflow.lua", meta={"signals": [{"topic": topic} for topic in topics]})
    write(MemoryCatalog([entry]), [replace(SEEN, waits=tuple(Wait("topic", topic) for topic in topics))])
    assert list(Question.objects.order_by("id").values_list("channel", flat=True)) == topics


@pytest.mark.django_db
def test_an_entry_that_declares_nothing_asks_nothing() -> None:
    write(CATALOG, [replace(SEEN, entry_id="app:silent"), replace(SEEN, run_id="r2", entry_id="app:unknown")])
    assert not Question.objects.exists()
    assert kinds() == ["STARTED", "STARTED"]


@pytest.mark.django_db
def test_signals_are_those_of_the_version_the_run_began_with() -> None:
    catalog = MemoryCatalog([Entry("app:approval", "workflow.lua", meta={"signals": SIGNALS})])
    catalog.publish(Entry("app:approval", "workflow.lua"))
    write(catalog, [SEEN])
    assert Question.objects.count() == 1


@pytest.mark.django_db
def test_an_end_closes_the_run_its_questions_and_is_told_once() -> None:
    write(CATALOG, [SEEN])
    for _ in range(3):
        write(CATALOG, [ENDED, replace(ENDED, status="terminated")])
    run = Run.objects.get()
    assert (run.status, run.result, run.closed_at, run.waiting) == ("completed", {"ok": True}, ENDED.closed_at, [])
    assert Question.objects.get().closed_at == ENDED.closed_at
    assert kinds() == ["STARTED", "WAITING", "EXIT"]
    row = FeedEvent.objects.get(kind="EXIT")
    assert row.data == {
        "status": "completed",
        "result": {"ok": True},
        "failure": None,
        "seconds": 9.0,
        "parent_workflow_id": "",
        "parent_run_id": "",
    }
    assert json.loads(gzip.decompress(HistoryArchive.objects.get(run=run).content)) == {"events": []}


@pytest.mark.django_db
def test_an_observation_after_the_end_changes_nothing() -> None:
    write(CATALOG, [ENDED])
    write(CATALOG, [later((INBOX,), 99)])
    assert Run.objects.get().status == "completed"
    assert not Question.objects.exists()
    assert kinds() == ["STARTED", "EXIT"]


@pytest.mark.django_db
def test_a_failed_run_keeps_its_failure() -> None:
    failure = Failure("Invalid", "bad", retryable=False, details={"n": float("nan")}, stack="at line 1")
    write(CATALOG, [replace(ENDED, status="failed", result=None, failure=failure)])
    assert Run.objects.get().failure == {**failure.to_json(), "details": {"n": "nan"}}


@pytest.mark.django_db
def test_a_run_that_goes_on_as_new_is_continued_not_exited() -> None:
    write(CATALOG, [SEEN, replace(ENDED, status="continued_as_new", new_run_id="r2", result=None)])
    assert kinds() == ["STARTED", "WAITING", "CONTINUED"]
    assert FeedEvent.objects.get(kind="CONTINUED").data["new_run_id"] == "r2"


@pytest.mark.django_db
def test_large_values_are_cut() -> None:
    write(CATALOG, [replace(SEEN, input=("x" * 100_000, 1)), replace(ENDED, result="y" * 100_000)])
    run = Run.objects.get()
    assert run.input is not None
    assert run.input[0]["bytes"] == 100_002
    assert run.input[1] == 1
    assert FeedEvent.objects.get(kind="EXIT").data["result"]["bytes"] == 100_002


@pytest.mark.django_db
def test_what_is_left_to_do_is_reported() -> None:
    written = write(CATALOG, [replace(SEEN, input=None), replace(SEEN, run_id="r2", status="closing")])
    assert written.incomplete == (REF,)
    assert written.closing == (Ref("app:client", "order-1", "r2"),)


@pytest.mark.django_db
def test_a_stuck_run_is_told_once_and_freed_by_its_next_step() -> None:
    write(CATALOG, [SEEN])
    write(CATALOG, [Stalled("r1", "boom", 3), Stalled("r1", "boom", 4), Stalled("unknown", "boom")])
    assert Run.objects.get().stuck_reason == "boom"
    write(CATALOG, [Stalled("r1", "bang", 5)])
    assert Run.objects.get().stuck_reason == "bang"
    write(CATALOG, [later((INBOX,), 5)])
    assert Run.objects.get().stuck_reason == ""
    assert kinds().count("STUCK") == 1


def failing(attempt: int, call_id: str = "7-abc") -> Retrying:
    failure = Failure("Unavailable", "gateway says 503", retryable=True)
    return Retrying("r1", call_id, "app:charge", attempt, failure, NOON + timedelta(seconds=2))


def troubles() -> list[tuple[str, Any]]:
    rows = FeedEvent.objects.filter(kind__in=["RETRYING", "MOVING", "STUCK"]).order_by("id")
    return [(row.kind, row.data.get("attempt") or row.data.get("state")) for row in rows]


CALL = Wait("call", "app:charge", 7)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "ends",
    [
        [Settled("r1", "7-abc")],  # its worker says so
        [later((INBOX,), 5)],  # the run took a step, and waits for the call no more
        [Stalled("r1", "")],  # Temporal has no such call under way
    ],
)
def test_a_call_that_keeps_failing_is_told_when_it_begins_and_ends_to(ends: list[Fact]) -> None:
    write(CATALOG, [later((CALL,), 4), failing(4), failing(5), Stalled("r1", "", 0, (failing(6),))])
    run = Run.objects.get()
    assert (states.of(run, asks=False).key, run.retrying[0]["attempt"]) == ("retrying", 6)
    assert run.retrying[0]["message"] == "gateway says 503" and run.troubled_since is not None
    write(CATALOG, ends)
    run = Run.objects.get()
    assert (run.retrying, run.troubled_since) == ([], None)
    assert troubles() == [("RETRYING", 4), ("MOVING", "retrying")]


@pytest.mark.django_db
def test_a_call_whose_attempts_were_lost_is_told_by_the_next_and_does_not_hide_an_error() -> None:
    lost = Retrying("r1", "7-abc", "app:charge", 4)
    write(CATALOG, [later((CALL,), 4), lost])
    state = states.of(Run.objects.get(), asks=False)
    assert (state.key, state.error, state.next_at) == ("retrying", "it did not answer in time", None)
    write(CATALOG, [failing(4), lost])
    assert Run.objects.get().retrying[0]["message"] == "gateway says 503"
    assert troubles() == [("RETRYING", 4)]


@pytest.mark.django_db
def test_a_step_that_still_waits_for_the_call_leaves_it_retrying() -> None:
    write(CATALOG, [later((CALL,), 4), failing(4), later((CALL, INBOX), 5)])
    assert [row["id"] for row in Run.objects.get().retrying] == ["7-abc"]
    write(CATALOG, [failing(4, "chosen"), later((Wait("call", "app:other", 8), CALL), 6)])
    assert [row["id"] for row in Run.objects.get().retrying] == ["chosen", "7-abc"]
    write(CATALOG, [later((Wait("call", "app:other", 8),), 7)])
    assert Run.objects.get().retrying == []


@pytest.mark.django_db
def test_the_end_of_a_run_ends_its_retrying_without_a_word_of_its_own() -> None:
    write(CATALOG, [later((CALL,), 4), failing(4), ENDED, failing(5)])
    assert (Run.objects.get().retrying, troubles()) == ([], [("RETRYING", 4)])


@pytest.mark.django_db
def test_a_call_that_temporal_does_not_know_of_stays_until_its_worker_or_the_run_says_so() -> None:
    write(CATALOG, [later((CALL,), 4), replace(failing(4), local=True), Stalled("r1", "")])
    assert [row["id"] for row in Run.objects.get().retrying] == ["7-abc"]
    write(CATALOG, [Settled("r1", "7-abc")])
    assert Run.objects.get().retrying == []


@pytest.mark.django_db
@pytest.mark.parametrize("together", [True, False])
def test_a_look_that_began_before_the_call_succeeded_does_not_undo_that(together: bool) -> None:
    write(CATALOG, [later((CALL,), 4), failing(4)])
    looked = timezone.now()
    facts: list[Fact] = [Settled("r1", "7-abc"), Stalled("r1", "", 0, (failing(5),), looked)]
    for some in [facts] if together else [[fact] for fact in facts]:
        write(CATALOG, some)
    assert Run.objects.get().retrying == []
    write(CATALOG, [Stalled("r1", "", 0, (failing(5),), timezone.now())])
    assert Run.objects.get().retrying != []


@pytest.mark.django_db
def test_another_trouble_is_news_and_so_is_that_it_is_over() -> None:
    nobody, broken = Stalled("r1", "no worker serves task queue q"), Stalled("r1", "boom", 3)
    write(CATALOG, [SEEN, nobody, nobody, broken, Stalled("r1", "")])
    assert troubles() == [("STUCK", "no_worker"), ("STUCK", 3), ("MOVING", "stuck")]


@pytest.mark.django_db
def test_a_run_on_a_queue_that_none_of_our_workers_serves_is_listed_from_its_start() -> None:
    started = StartedElsewhere("app:client", "app:worker", "nobody-listens", "w", "r1", "app:gone", NOON, (5,))
    write(CATALOG, [started, Stalled("r1", "no worker serves task queue nobody-listens", 1)])
    run, state = Run.objects.get(), states.of(Run.objects.get(), asks=False)
    assert (run.pid, run.elsewhere, run.input) == ("{app:client@app:worker|w}", True, [5])
    assert (state.key, state.queue) == ("no_worker", "nobody-listens")


@pytest.mark.django_db(transaction=True)
def test_two_nodes_announce_a_run_once() -> None:
    """Eight writers at once, each with all facts of 20 runs."""
    facts = [replace(SEEN, run_id=f"r{n}") for n in range(20)]
    ends = [replace(ENDED, began=replace(BEGAN, ref=replace(REF, run_id=f"r{n}"))) for n in range(20)]
    errors: list[BaseException] = []

    def work(number: int) -> None:
        projection = Projection(CATALOG)
        projection.start()
        for fact in (facts + ends) if number % 2 else (facts[::-1] + ends[::-1]):
            projection.offer(fact)
        if not projection.stop(30):
            errors.append(AssertionError("the writer did not end"))

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection.close()
    assert not errors
    assert sorted(kinds()) == ["EXIT"] * 20 + ["STARTED"] * 20 + ["WAITING"] * 20
    assert Run.objects.filter(status="completed").count() == 20


@pytest.mark.django_db(transaction=True)
def test_a_fact_that_spoils_a_batch_does_not_take_the_others_with_it(caplog: pytest.LogCaptureFixture) -> None:
    projection = Projection(CATALOG)
    projection.offer(SEEN)
    projection.offer(replace(SEEN, run_id="bad", started_at="never"))  # type: ignore[arg-type]
    projection.offer(replace(SEEN, run_id="r3"))
    projection.start()
    assert projection.stop(10)
    assert set(Run.objects.values_list("run_id", flat=True)) == {"r1", "r3"}
    assert "could not write" in caplog.text


def test_a_full_mailbox_keeps_each_runs_newest_state() -> None:
    mailbox = Mailbox(capacity=100)
    for length in range(1000):
        mailbox.put(
            replace(SEEN, run_id=f"r{length % 10}", history_length=length, input=("in",) if length < 10 else None)
        )
    mailbox.put(ENDED)
    facts = mailbox.take(10_000, 0)
    assert len(facts) <= 101
    assert facts[-1] is ENDED
    newest = {f.run_id: f.history_length for f in facts if isinstance(f, Observation)}
    assert newest == {f"r{n}": 990 + n for n in range(10)}
    assert {f.run_id for f in facts if isinstance(f, Observation) and f.input} == set(newest)


@pytest.mark.django_db
def test_a_run_that_waits_for_much_keeps_the_first_with_totals_and_all_declared_topics() -> None:
    topics = [Wait("topic", f"t{number}") for number in range(500)]
    seen = replace(SEEN, waits=(*topics, Wait("topic", "decision")), totals={"topic": 501, "timer": 2})
    write(CATALOG, [seen])
    run = Run.objects.get()
    assert [wait["name"] for wait in run.waiting] == [*(f"t{number}" for number in range(100)), "decision"]
    assert run.waiting_unlisted == {"topic": 400, "timer": 2}
    assert Question.objects.get().channel == "decision"


def test_waits_are_read_as_workers_of_any_build_tell_them() -> None:
    wait = Wait("topic", "decision", 2, number=3, joined=1)
    before = {"kind": "topic", "name": "decision", "seq": 2, "deadline": None}
    state = {"pid": "p", "program": "d", "registry_version": 1}
    told = {**state, "waits": [{**asdict(wait), "of_a_later_build": 1}, before], "totals": {"topic": 2}}
    assert observation(BEGAN, told, 9, NOON).waits == (wait, replace(wait, number=0, joined=0))
