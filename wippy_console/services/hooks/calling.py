"""Function endpoints: a delivery is answered by some worker, which writes the answer into its row.

A row is written for one *try*, whose number it holds: what a try before tells comes too late, and changes nothing. A
worker that begins sets `took`, so that no other begins the same try.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Min, Q

from engine.contracts.serving import Answer, Headers, Request
from engine.errors import CANCELED, CONFLICT, TIMEOUT, UNAVAILABLE, Failure, UnitFailed, not_found
from engine.hosts.temporal.node.client import NodeClient, Unanswered
from wippy_console.database.storable import storable
from wippy_console.database.threads import in_thread_persistently
from wippy_console.models import Delivery, DeliveryPart
from wippy_console.services import temporal
from wippy_console.services.errors import Unavailable
from wippy_console.services.processes import nodes

logger = logging.getLogger(__name__)

State = Delivery.State

WHOLE_BYTES = 1_000_000
"""A larger answer goes in pieces."""
KEPT_BYTES = 64 * 1024
"""Of an answer in pieces; a row that holds so many lacks the rest."""
MARGIN = timedelta(seconds=30)
"""So long after its timeout whoever answered a delivery is taken for dead."""
BEGUN_WITHIN = timedelta(seconds=25)
"""A task that got lost on its way to a worker comes again by then (`NodeClient.serve`)."""
SENT_AT_ONCE = 16
"""Pieces of a streamed answer."""

NO_WORKER = "No worker took it."
SILENT = "Temporal does not answer."
LATE = "It was not answered within {0:g} s."
LOST = "Whoever answered it stopped, or died."
FAILED = "The function failed."
BROKE_OFF = "The function failed in the middle of its answer."
LEFT = "The client left in the middle of the answer."


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to answer a delivery."""

    id: UUID
    number: int

    @property
    def rows(self) -> Any:
        """The row as long as this try is to answer it."""
        return Delivery.objects.filter(pk=self.id, state=State.OPEN, tries=self.number)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a worker is to answer. `is_heard`: somebody reads the answer, as nobody does of one delivered again."""

    request: Request
    of: Try
    endpoint: str
    is_heard: bool


# --- in the web process ---------------------------------------------------------------------------


def begin(delivery: Delivery, target: str, timeout: timedelta) -> Future[None]:
    """Let a worker answer a delivery, whoever waits for it; the future ends when the row says how it went."""
    of = Try(delivery.id, delivery.tries)

    async def serve(client: NodeClient) -> None:
        began = time.monotonic()
        asked = asyncio.ensure_future(client.serve(str(of.id), target, timeout, key=f"{of.id}-{of.number}"))
        if not await _is_heard_of(asked, of, timeout):
            asked.cancel()
            temporal.doubt()
            silent = Failure(UNAVAILABLE, SILENT, retryable=True)
            await in_thread_persistently(lambda: _close(of, 503, SILENT, silent))
            return
        try:
            await asked
        except UnitFailed as error:
            (status, why), failure = _ending(error, time.monotonic() - began, timeout), error.failure
            await in_thread_persistently(lambda: _close(of, status, why, failure))

    try:
        return nodes.begin(serve)
    except Unavailable as error:
        fail(of, 503, error.message)
        done: Future[None] = Future()
        done.set_result(None)
        return done


async def _is_heard_of(asked: asyncio.Future[None], of: Try, timeout: timedelta) -> bool:
    """Wait for the end of what was asked for; False when Temporal tells none though it should have."""
    done, _ = await asyncio.wait({asked}, timeout=BEGUN_WITHIN.total_seconds())
    if not done and await in_thread_persistently(of.rows.exclude(took=None).exists):
        done, _ = await asyncio.wait({asked}, timeout=timeout.total_seconds())
    return bool(done)


def _ending(error: UnitFailed, seconds: float, timeout: timedelta) -> tuple[int, str]:
    """Of what no worker wrote down."""
    if isinstance(error, Unanswered):
        return 503, NO_WORKER
    if error.failure.kind in (TIMEOUT, CONFLICT, CANCELED):
        most = timeout.total_seconds()
        return 504, LATE.format(most) if seconds >= most else LOST
    return 500, FAILED


def _close(of: Try, status: int, why: str, failure: Failure) -> None:
    """A worker that began may have died, and no other have been there to say so."""
    if status == 503 and of.rows.exclude(took=None).exists():
        status, why = 504, LOST
    fail(of, status, why, failure)


def leave(of: Try) -> None:
    """The client has left while its answer was streamed: whoever sends it hears of it with the next piece."""
    of.rows.update(state=State.FAILED, problem=LEFT, due_at=None)


def arrived(ids: list[UUID]) -> set[UUID]:
    """Those of the deliveries whose answers are there, or have begun to come."""
    found = Delivery.objects.filter(~Q(state=State.OPEN) | Q(is_streamed=True), pk__in=ids)
    return set(found.values_list("pk", flat=True))


def coming(ids: list[UUID]) -> set[UUID]:
    """Those of the deliveries of whose answers pieces wait, or no more come."""
    parts = DeliveryPart.objects.filter(delivery_id__in=ids).order_by()
    closed = Delivery.objects.filter(pk__in=ids).exclude(state=State.OPEN).order_by()
    return {*parts.values_list("delivery_id", flat=True).distinct(), *closed.values_list("pk", flat=True)}


def take(delivery_id: UUID) -> tuple[bytes, bool]:
    """The next pieces of a streamed answer, which are the reader's from now on; and whether more can come.

    The beginning is kept in the row.
    """
    with transaction.atomic():
        row = Delivery.objects.only("state", "answer").get(pk=delivery_id)
        parts = list(DeliveryPart.objects.filter(delivery_id=delivery_id).order_by("number")[:SENT_AT_ONCE])
        if not parts:
            return b"", row.state == State.OPEN
        data = b"".join(bytes(each.data) for each in parts)
        DeliveryPart.objects.filter(pk__in=[each.pk for each in parts]).delete()
        if len(row.answer) < KEPT_BYTES:
            row.answer = (bytes(row.answer) + data)[:KEPT_BYTES]
            row.save(update_fields=["answer"])
    return data, True


# --- on the worker --------------------------------------------------------------------------------


def requested(delivery_id: str) -> Asked:
    """What is to be answered. UnitFailed: NotFound when nobody waits for it, Conflict when one began."""
    opened = Delivery.objects.filter(pk=delivery_id, state=State.OPEN)
    begun = opened.filter(took=None).update(took=0)
    row = opened.first()
    if row is None:
        raise UnitFailed(not_found(f"delivery {delivery_id} is not open"))
    if not begun:
        raise UnitFailed(Failure(CONFLICT, f"delivery {delivery_id} was begun before", retryable=False))
    headers = tuple((str(name), str(value)) for name, value in row.headers)
    request = Request(
        id=str(row.id),
        method=row.method,
        path=row.path,
        query=tuple((str(name), str(value)) for name, value in row.query),
        headers=headers,
        params=row.params,
        host=dict(headers).get("host", ""),
        remote=row.source,
        body=bytes(row.body),
    )
    return Asked(request, Try(row.id, row.tries), row.endpoint, is_heard=row.again_of_id is None)


def answered(of: Try, answer: Answer, seconds: float) -> bool:
    """Keep the whole answer; False when nobody waits for it any more."""
    done: Mapping[str, Any] = {"state": State.DONE, "took": seconds, "problem": "", "due_at": None}
    if answer.is_streamed:
        return bool(of.rows.update(**done))
    head = {"status": answer.status, "answer_headers": storable(answer.headers)}
    return bool(of.rows.update(**done, **head, answer=answer.body))


def begun(of: Try, status: int, headers: Headers) -> bool:
    """A streamed answer begins; False when nobody waits for it any more."""
    return bool(of.rows.update(is_streamed=True, status=status, answer_headers=storable(headers)))


def sent(of: Try, number: int, data: bytes) -> int:
    """Keep a piece; how many are not taken yet, -1 when nobody waits for it any more."""
    with transaction.atomic():
        if not of.rows.exists():
            return -1
        DeliveryPart.objects.create(delivery_id=of.id, number=number, data=data)
        first = DeliveryPart.objects.filter(delivery_id=of.id).aggregate(first=Min("number"))["first"]
    return number - int(first) + 1


def waiting(of: Try) -> int:
    """How many pieces are not taken yet, -1 when nobody waits for them any more."""
    return DeliveryPart.objects.filter(delivery_id=of.id).count() if of.rows.exists() else -1


def fail(of: Try, status: int, why: str, failure: Failure | None = None, seconds: float | None = None) -> None:
    """It failed; a streamed answer keeps the status that it began with."""
    told = None if failure is None else storable(failure.to_json())
    end: dict[str, Any] = {"state": State.FAILED, "failure": told, "took": seconds, "due_at": None}
    if of.rows.filter(is_streamed=True).update(**end, problem=BROKE_OFF if why == FAILED else why):
        return
    of.rows.update(**end, problem=why, status=status)
