"""What facts say, as rows and feed events hold it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model

from engine.contracts.catalog import Catalog
from engine.entry import Entry, namespace_of
from engine.hosts.temporal.observations import Observation, Retrying, StartedElsewhere
from engine.steps import Wait
from wippy_console.database.storable import preview, size_of, storable_text
from wippy_console.models import FeedEvent, Question, Run
from wippy_console.services import business_keys, feed
from wippy_console.services.projection.facts import Began, Ended, Ref
from wippy_console.services.questions import Asked, candidates, read
from wippy_console.services.secrets import arguments

STORED_BYTES = 64 * 1024
MOST_MESSAGE = 500


def wait_row(wait: Wait) -> dict[str, Any]:
    """A wait as a run's row holds it; what code asks there stands in the question."""
    return {"kind": wait.kind, "name": storable_text(wait.name), "seq": wait.seq, "deadline": wait.deadline}


def waiting_data(question: Question, what: Asked) -> dict[str, Any]:
    """What the feed tells of a question that opens."""
    signals = read(what.signals)
    return {
        "channel": question.channel,
        "number": question.number,
        "key": question.key,
        "title": question.title,
        "topics": list(dict.fromkeys(signal.topic for signal in signals)),
        "labels": question.labels,
        "roles": list(dict.fromkeys(role for role, user in candidates(signals) if not user)),
        "deadline": question.deadline.isoformat() if question.deadline else None,
    }


def observed_beginning(seen: Observation) -> Began:
    """What an observation says of how the run began."""
    return Began(
        ref=Ref(seen.client, seen.workflow_id, seen.run_id),
        entry_id=seen.entry_id,
        started_at=seen.started_at,
        worker=seen.worker,
        task_queue=seen.task_queue,
        program=seen.digest,
        registry_version=seen.registry_version or None,
        input=seen.input,
        parent_workflow_id=seen.parent_workflow_id,
        parent_run_id=seen.parent_run_id,
        first_run_id=seen.first_run_id,
        previous_run_id=seen.continued_run_id,
    )


def elsewhere_beginning(started: StartedElsewhere) -> Began:
    """What the starter knows of how the run began."""
    return Began(
        ref=Ref(started.client, started.workflow_id, started.run_id),
        entry_id=started.entry_id,
        started_at=started.at,
        worker=started.worker,
        task_queue=started.task_queue,
        input=started.input,
        parent_workflow_id=started.parent_workflow_id,
        parent_run_id=started.parent_run_id,
    )


def retry_rows(calls: Sequence[Retrying]) -> list[dict[str, Any]]:
    """The calls as a row holds them, the most often tried first."""
    return [
        {
            "id": call.call_id,
            "name": storable_text(call.name),
            "attempt": call.attempt,
            "kind": storable_text(call.failure.kind) if call.failure else "",
            "message": storable_text(call.failure.message[:MOST_MESSAGE]) if call.failure else "",
            "next": call.next_at.isoformat() if call.next_at else None,
            **({"local": True} if call.local else {}),
        }
        for call in sorted(calls, key=lambda call: (-call.attempt, call.call_id))
    ]


def still_retrying(run: Run, seen: Observation) -> list[dict[str, Any]]:
    """Those of the row's failing calls that the run still waits for, as far as the observation lists its waits."""
    if not run.retrying or sum(seen.totals.values()) > len(seen.waits):
        return list(run.retrying)
    seqs, names = {str(wait.seq) for wait in seen.waits}, {wait.name for wait in seen.waits}

    def is_waited_for(call: dict[str, Any]) -> bool:
        seq = _seq(call["id"])
        return seq in seqs if seq else call["name"] in names

    return list(filter(is_waited_for, run.retrying))


def _seq(call_id: str) -> str:
    """The number of the command that made the call, "" where the author chose its id."""
    number = call_id.partition("-")[0]
    return number if number.isdecimal() else ""


def beginning_of(run: Run) -> Began:
    """What the row says of how its run began."""
    return Began(Ref(run.client, run.workflow_id, run.run_id), run.entry_id, run.started_at)


def new_run(began: Began) -> Run:
    """A row that knows the ids and the start."""
    return Run(
        run_id=began.run_id,
        workflow_id=storable_text(began.ref.workflow_id),
        entry_id=storable_text(began.entry_id),
        namespace=storable_text(namespace_of(began.entry_id)),
        client=began.ref.client,
        task_queue=began.task_queue,
        started_at=began.started_at,
        parent_workflow_id=storable_text(began.parent_workflow_id),
        parent_run_id=began.parent_run_id,
    )


def fill(run: Run, began: Began, catalog: Catalog) -> None:
    """Fill in what the row does not know yet; secrets of the input are known to nobody.

    The first event of a run that was reset has the time of the run before: its own start is the later one.
    """
    run.worker = run.worker or began.worker
    run.program = run.program or began.program
    run.registry_version = run.registry_version or began.registry_version
    run.started_by_id = run.started_by_id or began.started_by or user_named(began.starter)
    run.starts_at = run.starts_at or began.starts_at
    run.first_run_id = run.first_run_id or began.first_run_id
    run.previous_run_id = run.previous_run_id or began.previous_run_id
    run.started_at = max(run.started_at, began.started_at) if began.previous_run_id else run.started_at
    if run.input is None and began.input is not None:
        entry = entry_of(run, catalog)
        shown = arguments(entry.meta.get("input_schema") if entry else None, began.input)
        business_keys.describe(run, entry.meta if entry else None, shown[0] if shown else None)
        run.input = [preview(value, STORED_BYTES) for value in shown]
        cut = sum(size for value in shown if (size := size_of(value)) > STORED_BYTES)
        run.cut = {**run.cut, "input": cut} if cut else run.cut


def keep(run: Run, name: str, value: Any) -> None:
    """Put a value into the row; of one that is too large its beginning, and its size beside it."""
    setattr(run, name, preview(value, STORED_BYTES))
    size = size_of(value)
    if size > STORED_BYTES:
        run.cut = {**run.cut, name: size}


def user_named(name: str) -> int | None:
    """The id of the account of that name."""
    return get_user_model().objects.filter(username=name).values_list("pk", flat=True).first() if name else None


def entry_of(run: Run, catalog: Catalog) -> Entry | None:
    """The run's entry as it stood when the run began, else as it is now."""
    at = run.registry_version
    return (catalog.entry_at(run.entry_id, at) if at else None) or catalog.entry(run.entry_id)


def parent_of(run: Run) -> dict[str, Any]:
    """The parent's ids, as feed data."""
    return {"parent_workflow_id": run.parent_workflow_id, "parent_run_id": run.parent_run_id}


def beginning_data(run: Run) -> dict[str, Any]:
    """The data of STARTED."""
    later = {"starts": run.starts_at.isoformat()} if run.starts_at is not None else {}
    return {**parent_of(run), **starter_of(run), **later}


def starter_of(run: Run) -> dict[str, Any]:
    """Who started it, as feed data; nothing for a run of another run, or of nobody known."""
    user = get_user_model().objects.filter(pk=run.started_by_id).first() if run.started_by_id else None
    return {"user": user.get_username()} if user is not None else {}


def closing_event(run: Run, ended: Ended) -> FeedEvent:
    """EXIT, or CONTINUED when a new run goes on in its place (continued as new, retried)."""
    seconds = round((ended.closed_at - run.started_at).total_seconds(), 3)
    if ended.new_run_id:
        data = {"status": ended.status, "new_run_id": ended.new_run_id, "seconds": seconds}
        return feed.draft(feed.CONTINUED, run=run, at=ended.closed_at, data=data)
    data = {
        "status": ended.status,
        "result": preview(ended.result),
        "failure": preview(ended.failure),
        "seconds": seconds,
        **parent_of(run),
        **starter_of(run),
    }
    if ended.began.spawner:
        data["parent"] = ended.began.spawner
    return feed.draft(feed.EXIT, run=run, at=ended.closed_at, data=data)
