"""Does what deliveries to workflows want: a start, or a signal to the run that waits for it.

A delivery has one effect, however often it is tried and whoever dies in between: its id is the start's request id and
in its run's memo, and the decision's that a signal is. What can't be done now is done later, by the worker that leads.
"""

from __future__ import annotations

import logging
import traceback
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from engine.errors import UnitFailed
from engine.pids import Pid
from engine.registry.hooks.route import Route, Shortcut
from wippy_console.database import substrings
from wippy_console.database.storable import storable_text
from wippy_console.models import Decision, Delivery, Run
from wippy_console.models.masks import veil_of
from wippy_console.models.runs import SEARCHED, lines
from wippy_console.services import accounts, business_keys, decisions, exact, outgoing, paths, registry, runs, schemas
from wippy_console.services.errors import Conflict, NotFoundError, NoVerdict, Refused, RunEnded, Unavailable
from wippy_console.services.hooks import outcomes
from wippy_console.services.hooks.outcomes import Outcome
from wippy_console.services.questions import ever_of

logger = logging.getLogger(__name__)

Act: TypeAlias = Delivery.Act
State: TypeAlias = Delivery.State

GRACE = timedelta(seconds=30)
"""So long whoever tries has time to; then the process is taken for dead."""
LONGEST_PAUSE = 30
MOST_TRIES = 15
"""Of a start that fails for what may pass; one for which Temporal only does not answer is tried without end."""
LONGEST_KEY = 200
"""Characters: longer ones are cut where runs keep them, and two would look alike."""
DESCRIBED_WITHIN = timedelta(seconds=10)
"""So long the keys of a run that has just begun, or whose entry has changed, may be unknown."""
UNDESCRIBED = "A run has begun that may be meant: its keys are not known yet."
_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class _Found:
    """What a try came to."""

    state: State
    outcome: Outcome
    problem: str = ""
    workflow_id: str = ""
    run_id: str = ""
    is_away: bool = False


def act(delivery: Delivery, route: Route, body: Any) -> Outcome:
    """Try to do it, write into its row what became of it, and return what its sender is told.

    Raises what the database raises when it is away; the next try finds what this one did.
    """
    return attempt(delivery, route, body).outcome


def attempt(delivery: Delivery, route: Route, body: Any) -> _Found:
    """The same; what it returns says whether Temporal is away."""
    now = timezone.now()
    delivery.tries, delivery.due_at = delivery.tries + 1, now + GRACE
    delivery.save(update_fields=["tries", "due_at"])
    try:
        found = _done(delivery, route, body)
    except (OperationalError, InterfaceError):
        raise  # its row is there, and tried again
    except (Refused, PermissionDenied, UnitFailed) as error:
        found = _not_done(delivery, error)
    except Exception as error:  # one that can't be done must not keep the others from it
        frames = "".join(traceback.format_tb(error.__traceback__))  # its text may repeat the body
        logger.error("delivery %s: unexpected %s\n%s", delivery.pk, type(error).__name__, frames)
        found = _failed(delivery, 500, "The console failed. Its log says why.")
    _write(delivery, found, _payload(route, body))
    return found


def fail(delivery: Delivery, why: str, status: int = 422) -> Outcome:
    """Give it up."""
    found = _failed(delivery, status, why)
    _write(delivery, found, None)
    return found.outcome


def body_of(delivery: Delivery, route: Route) -> Any:
    """The value that was sent; Refused for what the webhook takes no more."""
    try:
        value = exact.json_value(bytes(delivery.body).decode())
    except (UnicodeDecodeError, exact.NotExactError) as error:
        raise Refused(f"The body can't be read: {error}") from error
    schema = route.shortcut.schema if route.shortcut is not None else None
    if schema is not None and (found := schemas.problems(schema, value)):
        raise Refused("The body is not what the webhook asks for.", paths=found)
    return value


def part(body: Any, path: str) -> Any:
    """What stands at the path of a body, `$` being all of it; Refused where nothing does."""
    if not path.strip("$."):
        return body
    value = paths.at(body, path)
    if value is paths.MISSING:
        raise Refused(f"The body has nothing at {path}.")
    return value


def _text(body: Any, path: str) -> str:
    """A value that names a run, as runs keep it."""
    value = part(body, path)
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise Refused(f"What stands at {path} names no run: send a text or a number.")
    text = value if isinstance(value, str) else paths.spoken(value)
    if not 1 <= len(text) <= LONGEST_KEY or not text.isprintable():
        raise Refused(f"What stands at {path} names no run: send 1 to {LONGEST_KEY} printable characters.")
    return text


def _done(delivery: Delivery, route: Route, body: Any) -> _Found:
    if route.shortcut is None or route.act != delivery.act:
        raise Refused(f"{route.endpoint} has no webhook {delivery.route} any more that would {delivery.act} a run.")
    do = _started if route.act == "start" else _signaled
    return do(delivery, route, route.shortcut, body)


def _started(delivery: Delivery, route: Route, shortcut: Shortcut, body: Any) -> _Found:
    payload = part(body, shortcut.payload)
    if not delivery.workflow_id:  # decided once
        name = route.target.rpartition(":")[2]
        told = _text(body, shortcut.workflow_id) if shortcut.workflow_id else delivery.pk.hex
        delivery.workflow_id = f"{name}-{told}"
        delivery.save(update_fields=["workflow_id"])
    workflow_id = delivery.workflow_id
    try:
        started = runs.start(accounts.webhook(), route.target, "", [payload], workflow_id, delivery=delivery)
    except Conflict:
        run_id = _current(route.target, workflow_id)
        return _Found(State.DONE, outcomes.already(delivery, workflow_id, run_id), "", workflow_id, run_id)
    run_id = started.run_id
    return _Found(State.DONE, outcomes.done(delivery, workflow_id, run_id), "", workflow_id, run_id)


def _current(entry: str, workflow_id: str) -> str:
    """The id of the run that is open already, by Temporal's word: rows may know it a little later."""
    try:
        return runs.latest(Pid("", runs.likely_worker(registry.entry(entry)), workflow_id)).run_id
    except Refused:
        return ""


def _signaled(delivery: Delivery, route: Route, shortcut: Shortcut, body: Any) -> _Found:
    payload, text = part(body, shortcut.payload), _text(body, shortcut.key)
    key, given = _decision(delivery)
    if given is None:
        line = business_keys.line_of(shortcut.search, text)
        named = _open_runs(route.target, shortcut.search, text)
        if len(named) > 1:
            return _failed(delivery, 409, f"{len(named)} open runs of {route.target} have {line}.")
        if not named and _is_undescribed(route.target) and timezone.now() < delivery.received_at + DESCRIBED_WITHIN:
            return _Found(State.WAITING, outcomes.waiting(delivery), UNDESCRIBED)
        if not named:
            return _unmatched(delivery, shortcut, f"No open run of {route.target} has {line}.")
        run = named[0]
        decisions.refuse_unfit([each for each in ever_of(run) if each.topic == shortcut.topic], payload)
    else:
        run = given.run
    try:
        _give(delivery, run, shortcut.topic, payload, key)
    except RunEnded:
        newer = _succeeding(run)
        if newer is None:
            return _unmatched(delivery, shortcut, f"The run {run.workflow_id} has ended.")
        run = newer
        _give(delivery, run, shortcut.topic, payload, _decision(delivery)[0])
    return _Found(State.DONE, outcomes.done(delivery, run.workflow_id, run.run_id), "", run.workflow_id, run.run_id)


def _decision(delivery: Delivery) -> tuple[uuid.UUID, Decision | None]:
    """The key by which it is given, and the decision of it that has not failed; of a failed one nothing came."""
    key, number = delivery.pk, 0
    while (given := Decision.objects.select_related("run").filter(pk=key).first()) is not None:
        if given.state != Decision.State.FAILED:
            return key, given
        number += 1
        key = uuid.uuid5(delivery.pk, str(number))
    return key, None


def _give(delivery: Delivery, run: Run, topic: str, payload: Any, key: uuid.UUID) -> None:
    reason = f"webhook: {delivery.route}, delivery {delivery.pk}"
    decisions.send_raw(accounts.webhook(), run, topic, payload, reason=reason, key=key)


def _open_runs(entry: str, path: str, text: str) -> list[Run]:
    """The open runs of the entry that have the key, of each workflow the newest."""
    rows = Run.objects.filter(entry_id=entry, status=Run.Status.RUNNING)
    some = rows.only("run_id", "client", "workflow_id", "keys")
    word = lines([storable_text(business_keys.line_of(path, text))])
    found = list(substrings.newest_first(some, SEARCHED, [word])[:_LOOKED_AT])
    having = [run for run in found if (run.keys or {}).get(path) == storable_text(text)]
    places = dict.fromkeys((run.client, run.workflow_id) for run in having)
    newest = (runs.newest_of(rows.filter(client=client, workflow_id=name)) for client, name in places)
    return [run for run in newest if run is not None]


def _is_undescribed(entry: str) -> bool:
    """Whether of some open run it is not known yet by which keys it is found."""
    return Run.objects.filter(entry_id=entry, status=Run.Status.RUNNING, keys__isnull=True).exists()


def _succeeding(run: Run) -> Run | None:
    try:
        return runs.succeeding(run)
    except NotFoundError:
        return None  # it ended so long ago that Temporal has no record of it


def _unmatched(delivery: Delivery, shortcut: Shortcut, why: str) -> _Found:
    """It waits for a run, for as long as its entry says."""
    if delivery.expires_at is None and shortcut.wait:
        delivery.expires_at = delivery.received_at + timedelta(seconds=shortcut.wait)
    if delivery.expires_at is not None and timezone.now() < delivery.expires_at:
        return _Found(State.WAITING, outcomes.waiting(delivery), why)
    return _failed(delivery, 404, why)


def words(error: Refused | PermissionDenied | UnitFailed) -> str:
    """Why something was refused, with the places."""
    why = error.message if isinstance(error, Refused) else str(error)
    fields = error.fields if isinstance(error, Refused) else {}
    places = [f"{name}: {' '.join(texts)}" if name else " ".join(texts) for name, texts in fields.items()]
    return " ".join(dict.fromkeys([why, *(each for each in places if why not in each)]))


def _not_done(delivery: Delivery, error: Refused | PermissionDenied | UnitFailed) -> _Found:
    why = error.message if isinstance(error, Refused) else str(error)
    if isinstance(error, Unavailable):
        return _Found(State.WAITING, outcomes.waiting(delivery), why, is_away=not isinstance(error, NoVerdict))
    if delivery.act == Act.START and outgoing.is_passing(error) and delivery.tries < MOST_TRIES:
        return _Found(State.WAITING, outcomes.waiting(delivery), why)
    return _failed(delivery, 409 if isinstance(error, Conflict) else 422, words(error))


def _failed(delivery: Delivery, status: int, why: str) -> _Found:
    return _Found(State.FAILED, outcomes.refused(delivery, status, why), why)


def _payload(route: Route, body: Any) -> Any:
    try:
        return part(body, route.shortcut.payload) if route.shortcut else body
    except Refused:
        return body


def _write(delivery: Delivery, found: _Found, payload: Any) -> None:
    """Into its row; what was done stays done, whoever else tried at the same time."""
    is_waiting = found.state == State.WAITING
    shown = veil_of(delivery.endpoint, {"payload": payload}).text(found.problem)
    told = {
        "state": found.state,
        "problem": storable_text(shown),
        "status": found.outcome.status,
        "answer": found.outcome.body,
        "answer_headers": [["content-type", found.outcome.media_type]],
        "due_at": _next(delivery) if is_waiting else None,
        "expires_at": delivery.expires_at,
        "took": (timezone.now() - delivery.received_at).total_seconds(),
        **({"workflow_id": found.workflow_id, "run_id": found.run_id} if found.workflow_id else {}),
    }
    Delivery.objects.filter(pk=delivery.pk).exclude(state=State.DONE).update(**told)
    delivery.refresh_from_db()


def _next(delivery: Delivery) -> datetime:
    """When it is tried again: about each second at first, and once more when its time is over."""
    due = timezone.now() + timedelta(seconds=min(max(1, delivery.tries // 5), LONGEST_PAUSE))
    return min(due, delivery.expires_at) if delivery.expires_at and delivery.expires_at > timezone.now() else due
