"""A batch of facts in memory: they change rows here, `writing` saves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from engine.contracts.catalog import Catalog
from engine.errors import NOT_FOUND, Failure
from engine.hosts.temporal.observations import Observation, Retrying, Settled, StartedElsewhere
from wippy_console.database.storable import storable, storable_text
from wippy_console.models import FeedEvent, HistoryArchive, Question, Run
from wippy_console.models.decisions import ASKED_ANEW
from wippy_console.services import feed, states
from wippy_console.services.projection import outcomes
from wippy_console.services.projection.facts import Began, Ended, Fact, Ref, Stalled, Vanished
from wippy_console.services.projection.reading import worker_of
from wippy_console.services.projection.rows import (
    beginning_data,
    beginning_of,
    closing_event,
    elsewhere_beginning,
    fill,
    keep,
    new_run,
    observed_beginning,
    retry_rows,
    still_retrying,
    wait_row,
    waiting_data,
)
from wippy_console.services.questions import (
    Asked,
    asked,
    channels_of,
    kept,
    meta_in,
    next_deadline,
    put_in_order,
    word,
)

STORED_BYTES = 64 * 1024
MOST_WAITS = 100
MOST_RETRYING = 20
MOST_MESSAGE = 500


class Batch:
    """Runs and open questions by run id, and what the facts made of them."""

    def __init__(
        self,
        catalog: Catalog,
        runs: dict[str, Run],
        questions: list[Question],
        refused: Mapping[int, list[str]] | None = None,
    ) -> None:
        self.refused = refused or {}  # by question: the answers to it that runs refused in these facts
        self.catalog = catalog
        self.runs = runs
        self.changed: dict[str, None] = {}
        self.open: dict[str, dict[str, Question]] = {}
        self.asked: list[tuple[Question, Asked]] = []
        self.reworded: list[tuple[Question, Asked]] = []
        self.settled: list[Question] = []
        self.archives: list[HistoryArchive] = []
        self.events: list[FeedEvent] = []
        self.unseen: set[str] = set()  # whose first step comes now, or whose row was lost
        self.incomplete: dict[str, Ref] = {}
        self.closing: dict[str, Ref] = {}
        for question in questions:
            self.open.setdefault(question.run_id, {})[question.key] = question

    def take(self, fact: Fact) -> None:
        """Apply one fact."""
        match fact:
            case Observation():
                self._observe(fact)
            case Began():
                self._begin(fact)
            case Ended():
                self._end(fact)
            case Stalled():
                self._stall(fact)
            case Retrying() | Settled():
                self._retry(fact)
            case StartedElsewhere():
                self._begin(elsewhere_beginning(fact))
            case Vanished():
                self._vanish(fact)

    # -- facts -------------------------------------------------------------------------------------

    def _observe(self, seen: Observation) -> None:
        began = observed_beginning(seen)
        run = self._begin(began)
        if not run.is_open or seen.history_length < run.history_length:
            return
        if not run.history_length:
            self.unseen.add(run.run_id)
        run.history_length, run.observed_at = seen.history_length, timezone.now()
        self._get_on(run, still_retrying(run, seen))
        meta = meta_in(self.catalog, run) if seen.waits else {}
        listened = channels_of(run)
        run.waiting = [wait_row(wait) for wait in kept(seen.waits, meta, MOST_WAITS)]
        run.waiting_totals = storable(dict(seen.totals or Counter(wait.kind for wait in seen.waits)))
        run.next_deadline = next_deadline(seen.waits)
        self._ask(run, seen, meta, listened)
        if seen.status == "closing":
            self.closing[run.run_id] = began.ref
        elif run.input is None:
            self.incomplete[run.run_id] = began.ref

    def _begin(self, began: Began) -> Run:
        """The run's row, made and announced when it is new; what was not known is filled in."""
        run = self.runs.get(began.run_id)
        if run is None:
            run = self.runs[began.run_id] = new_run(began)
            run.elsewhere = not worker_of(self.catalog, began.ref.client, began.task_queue)
            fill(run, began, self.catalog)
            self.events.append(feed.draft(feed.STARTED, run=run, at=run.started_at, data=beginning_data(run)))
        else:
            fill(run, began, self.catalog)
        self.changed[run.run_id] = None
        return run

    def _end(self, ended: Ended) -> None:
        """Close the run once: whoever comes second finds it closed."""
        run = self._begin(ended.began)
        if not run.is_open:
            return
        run.status, run.closed_at = ended.status, ended.closed_at
        for question in list(self.open.get(run.run_id, {}).values()):
            self._close_question(run, question, ended.closed_at, outcomes.by_end(question, run))
        run.history_length = max(run.history_length, ended.history_length)
        run.waiting, run.waiting_totals, run.next_deadline, run.stuck_reason = [], {}, None, ""
        run.retrying, run.troubled_since = [], None
        run.next_run_id = ended.new_run_id
        keep(run, "result", ended.result)
        keep(run, "failure", run.veil([ended.result]).value(ended.failure))
        if ended.history is not None:
            archive = HistoryArchive(run=run, content=ended.history, events=ended.history_length)
            self.archives.append(archive)
        self.events.append(closing_event(run, ended))

    # -- troubles ----------------------------------------------------------------------------------

    def _stall(self, stalled: Stalled) -> None:
        """Announce a run that got stuck; the same trouble again is no news."""
        run = self.runs.get(stalled.run_id)
        if run is None or not run.is_open or (stalled.at and run.observed_at and run.observed_at > stalled.at):
            return
        self._set_retrying(run, retry_rows(stalled.retrying) + [each for each in run.retrying if each.get("local")])
        old, new = (states.of_reason(reason) if reason else "" for reason in (run.stuck_reason, stalled.reason))
        if run.stuck_reason == (reason := storable_text(run.veil().text(stalled.reason))):
            return
        run.stuck_reason = reason
        self._note_trouble(run)
        if old == new:
            return
        data = {"reason": stalled.reason, "attempt": stalled.attempt, "state": new} if new else {"state": old}
        self.events.append(feed.draft(feed.STUCK if new else feed.MOVING, run=run, data=data))

    def _get_on(self, run: Run, retrying: list[dict[str, Any]]) -> None:
        """The run took a step: it is not stuck, whatever call it still waits for."""
        if run.stuck_reason:
            self.events.append(feed.draft(feed.MOVING, run=run, data={"state": states.of_reason(run.stuck_reason)}))
            run.stuck_reason = ""
            self._note_trouble(run)
        self._set_retrying(run, retrying)

    def _note_trouble(self, run: Run) -> None:
        """By `troubled_since` such runs are found, whatever keeps them."""
        in_trouble = bool(run.stuck_reason or run.retrying)
        run.observed_at = timezone.now()
        run.troubled_since = (run.troubled_since or run.observed_at) if in_trouble else None
        self.changed[run.run_id] = None

    def _retry(self, told: Retrying | Settled) -> None:
        run = self.runs.get(told.run_id)
        if run is None or not run.is_open:
            return
        others = [each for each in run.retrying if each["id"] != told.call_id]
        known = [each for each in run.retrying if each["id"] == told.call_id]
        if isinstance(told, Settled):
            self._set_retrying(run, others)
        elif told.failure is not None or not known:
            self._set_retrying(run, [*retry_rows([told]), *others])

    def _set_retrying(self, run: Run, retrying: list[dict[str, Any]]) -> None:
        """Announce that it began or ended to be so; further attempts are no news."""
        retrying = run.veil().value(retrying[:MOST_RETRYING])
        if run.retrying == retrying:
            return
        was, run.retrying = bool(run.retrying), retrying
        self._note_trouble(run)
        if retrying and not was:
            self.events.append(feed.draft(feed.RETRYING, run=run, data=states.retries(run)))
        if was and not retrying:
            self.events.append(feed.draft(feed.MOVING, run=run, data={"state": states.RETRYING}))

    def _vanish(self, vanished: Vanished) -> None:
        run = self.runs.get(vanished.run_id)
        if run is not None:
            failure = Failure(NOT_FOUND, "Temporal has no record of this run any more", retryable=False)
            self._end(Ended(beginning_of(run), Run.Status.TERMINATED, vanished.at, 0, failure=failure))

    # -- questions ---------------------------------------------------------------------------------

    def _ask(self, run: Run, seen: Observation, meta: Mapping[str, Any], listened: Container[str]) -> None:
        """Open the questions of this step and close those that it no longer asks."""
        wanted = asked(seen.waits, meta)
        for key, question in list(self.open.get(run.run_id, {}).items()):
            if key in wanted:
                self._keep_up(question, wanted[key], meta, run)
            elif again := self._asked_anew(question, wanted, seen):
                self._go_on(question, again, meta, run)
            elif outcome := outcomes.by_step(question, seen, listened):
                self._close_question(run, question, seen.at, outcome)
        known = self.open.get(run.run_id, {}).keys()
        for key in [key for key in wanted if key not in known]:  # in the order in which they are asked
            self._open_question(run, wanted[key], meta, seen.at)

    def _asked_anew(self, question: Question, wanted: Mapping[str, Asked], seen: Observation) -> Asked | None:
        """What the run asks at the same places, when it refused the answer to the question in this step."""
        if not set(self.refused.get(question.pk, ())) & set(seen.refused):
            return None
        places = [channel for channel, _ in question.waits]
        known = self.open.get(question.run_id, {}).keys()
        fitting = (each for key, each in wanted.items() if key not in known)
        return next((each for each in fitting if [channel for channel, _ in each.waits] == places), None)

    def _go_on(self, question: Question, what: Asked, meta: Mapping[str, Any], run: Run) -> None:
        """The question stays, with who has it and what was said of it; only its wait has another name."""
        del self.open[run.run_id][question.key]
        question.key, question.waits = what.key, [list(place) for place in what.waits]
        question.channel, question.number = what.waits[0]
        question.outcome_text = ""
        question.options = {**question.options, ASKED_ANEW: self.refused[question.pk]}
        self.open[run.run_id][what.key] = question
        self._settle(question)
        self._keep_up(question, what, meta, run)

    def _open_question(self, run: Run, what: Asked, meta: Mapping[str, Any], at: datetime) -> None:
        question = Question(run=run, opened_at=at, deadline=run.next_deadline)
        word(question, what, meta, run)
        self.open.setdefault(run.run_id, {})[what.key] = question
        self.asked.append((question, what))
        self.events.append(feed.draft(feed.WAITING, run=run, at=at, data=waiting_data(question, what)))

    def _keep_up(self, question: Question, what: Asked, meta: Mapping[str, Any], run: Run) -> None:
        """What it waits for is the same, but it may take other answers by now, or another time to answer."""
        if question.signals != storable(list(what.signals)):
            word(question, what, meta, run)
            self.reworded.append((question, what))
        if question.deadline != run.next_deadline:
            question.deadline = run.next_deadline
            put_in_order(question)
            self._settle(question)

    def _close_question(self, run: Run, question: Question, at: datetime, outcome: outcomes.Outcome) -> None:
        """Close an open question; a run that goes on says so."""
        del self.open[run.run_id][question.key]
        question.closed_at = at
        if not question.outcome:  # else an answer of ours was recorded
            question.outcome, question.outcome_text = outcomes.in_full(question, outcome)
        self._settle(question)
        if run.is_open:
            data = {"channel": question.channel, "number": question.number, "key": question.key}
            self.events.append(feed.draft(feed.RESUMED, run=run, at=at, data=data))

    def _settle(self, question: Question) -> None:
        """Save a change of a row; a new row is saved with its changes anyway."""
        if question.pk and question not in self.settled:
            self.settled.append(question)
