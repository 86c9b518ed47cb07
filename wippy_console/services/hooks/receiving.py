"""The door of `/hooks/`: what is checked of a request before anything is done for it, and the row that it becomes.

In order: how often its sender comes, who sends it, what it says, whether it came before. All of it blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from engine.registry.hooks.route import Route
from wippy_console.database.storable import storable, storable_text
from wippy_console.models import Delivery, DeliveryPart
from wippy_console.services import exact, rates, schemas
from wippy_console.services.errors import Refused
from wippy_console.services.exact import NotExactError, Path
from wippy_console.services.hooks import auth, calling
from wippy_console.services.hooks.replies import Headers, Reply, problem
from wippy_console.services.rates import Rate

State, Act = Delivery.State, Delivery.Act

LONGEST_ID = 255
TOLD_ONCE_IN = timedelta(hours=1)
"""Refusals of one kind within this time are one row."""
GRACE = timedelta(seconds=30)
"""So long a start or a signal has time before it is taken for lost."""
REPLAYED: Headers = (("wippy-replayed", "true"),)
NOBODY = "Nobody can answer now. Try again in a moment."
_SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came: `path` decoded, names of headers in lower case, their values Latin-1."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Headers
    source: str
    params: Mapping[str, str]
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first value of a header, "" without one."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A delivery that is to be done now; `value` is the JSON of its body, for starts and signals."""

    delivery: Delivery
    value: Any = None


def rated(route: Route, incoming: Incoming) -> Rate | None:
    """Count the request; the tightest of the rates that hold, None where none does."""
    found = []
    for each in route.rates:
        who = incoming.header(each.header) if each.header else incoming.source
        found.append(rates.count(f"hook {each.scope}\0{each.header}\0{who}", each.requests, each.window))
    return min(found, key=lambda each: (not each.is_over, each.remaining), default=None)


def too_often(route: Route, incoming: Incoming, rate: Rate) -> Reply:
    """Refuse one over a rate; the first alone of each window costs a row, so that a flood costs none."""
    if rate.is_first_over:
        _note(route, incoming, 429, f"One sender was over the rate of {rate.limit}.")
    return problem(429, "Too many requests.")


def too_large(route: Route, incoming: Incoming) -> Reply:
    """Refuse a body."""
    text = f"A body may have up to {route.max_body} bytes here."
    _note(route, incoming, 413, text)
    return problem(413, text)


def receive(route: Route, incoming: Incoming) -> Accepted | Reply:
    """Let it in, or say why not; what came before is answered as it was then."""
    if refusal := auth.refusal(route, incoming.headers, incoming.body):
        _note(route, incoming, refusal.status, refusal.reason)
        challenge = (("www-authenticate", refusal.challenge),) if refusal.challenge else ()
        return problem(refusal.status, refusal.told, headers=challenge)
    said = incoming.header(route.id_header) if route.id_header else ""
    if route.id_header and not _is_id(said):
        text = f"{route.id_header}: send 1 to {LONGEST_ID} printable ASCII characters."
        return problem(400, text, [{"in": "header", "path": f"/{route.id_header}", "message": text}])
    value = None
    if route.shortcut is not None:
        value = _read(route, incoming)
        if isinstance(value, Reply):
            return value
    if not said:
        return Accepted(_new(route, incoming), value)
    return _once(route, incoming, said, value)


# --- what a body says -----------------------------------------------------------------------------


def _read(route: Route, incoming: Incoming) -> Any:
    """The JSON of a body; a Reply for one that can't be taken, whose row is kept."""
    media_type = incoming.header("content-type").partition(";")[0].strip().lower()
    if media_type and media_type != "application/json" and not media_type.endswith("+json"):
        return _refused(route, incoming, 415, "Send the body as application/json.")
    try:
        value = exact.json_value(incoming.body.decode())
    except (UnicodeDecodeError, NotExactError) as error:
        why = str(error) if isinstance(error, NotExactError) else "it is no UTF-8"
        return _refused(route, incoming, 422, f"The body is no JSON that can be taken: {why}")
    schema = route.shortcut.schema if route.shortcut else None
    if schema is None:
        return value
    try:
        found = schemas.problems(schema, value)
    except Refused as error:
        return _refused(route, incoming, 422, error.message)
    return _refused(route, incoming, 422, "The body is not what this address takes.", found) if found else value


def _refused(
    route: Route, incoming: Incoming, status: int, why: str, found: Mapping[Path, Iterable[str]] | None = None
) -> Reply:
    places = [{"in": "body", "path": _pointer(path), "message": text} for path, texts in (found or {}).items()
              for text in texts]  # fmt: skip
    row = _row(route, incoming)
    row.state, row.problem, row.status = State.REFUSED, storable_text(_told(why, places)), status
    row.save(force_insert=True)
    return problem(status, why, places, delivery=str(row.pk))


def _told(why: str, places: list[dict[str, str]]) -> str:
    return " ".join([why, *(f"{each['path'] or '/'}: {each['message']}" for each in places)])[:2000]


def _pointer(path: Path) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


# --- rows -----------------------------------------------------------------------------------------


def _note(route: Route, incoming: Incoming, status: int, reason: str) -> None:
    """One row for all that are refused for one reason within an hour, without what was sent."""
    alike = Delivery.objects.filter(
        endpoint=route.endpoint,
        received_at__gt=timezone.now() - TOLD_ONCE_IN,
        route=route.name,
        state=State.REFUSED,
        problem=reason,
        size=0,
    )
    if alike.update(times=F("times") + 1):
        return
    Delivery.objects.create(
        endpoint=route.endpoint,
        route=route.name,
        namespace=route.namespace,
        act=route.act,
        method=incoming.method,
        path=storable_text(incoming.path),
        source=incoming.source,
        state=State.REFUSED,
        problem=reason,
        status=status,
    )


def _row(route: Route, incoming: Incoming) -> Delivery:
    hidden = {*_SECRET_HEADERS, *route.auth.headers}
    return Delivery(
        endpoint=route.endpoint,
        route=route.name,
        namespace=route.namespace,
        act=route.act,
        method=incoming.method,
        path=storable_text(incoming.path),
        query=storable(incoming.query),
        headers=storable([each for each in incoming.headers if each[0] not in hidden]),
        params=storable(dict(incoming.params)),
        source=incoming.source,
        body=incoming.body,
        size=len(incoming.body),
        fingerprint=sha256(incoming.body).hexdigest(),
    )


def _new(route: Route, incoming: Incoming) -> Delivery:
    row = _row(route, incoming)
    _open(row, route)
    row.save(force_insert=True)
    return row


def _open(row: Delivery, route: Route) -> None:
    """It is to be done: a call by one try at once, the rest by as many as it takes."""
    now = timezone.now()
    row.state, row.problem = State.OPEN, ""
    if row.act == Act.CALL:
        row.tries, row.due_at = row.tries + 1, now + timedelta(seconds=route.timeout) + calling.MARGIN
    else:
        row.due_at, row.expires_at = now + GRACE, None


def _is_id(said: str) -> bool:
    return 1 <= len(said) <= LONGEST_ID and said.isascii() and said.isprintable()


# --- what came before -----------------------------------------------------------------------------


def _once(route: Route, incoming: Incoming, said: str, value: Any) -> Accepted | Reply:
    fresh = _row(route, incoming)
    fresh.key, fresh.sender_id = sha256(f"{route.name}\0{said}".encode()).hexdigest(), said
    _open(fresh, route)
    with transaction.atomic():
        found = Delivery.objects.filter(key=fresh.key).exclude(key="")  # as its index has it: SQLite takes none else
        row = found.select_for_update().first()
        if row is None:
            fields = {each.attname: getattr(fresh, each.attname) for each in Delivery._meta.concrete_fields}
            row, is_new = found.select_for_update().get_or_create(key=fresh.key, defaults=fields)
            if is_new:
                return Accepted(row, value)
        if row.fingerprint != fresh.fingerprint:
            return problem(409, f"A delivery with this {route.id_header} had another body.", delivery=str(row.pk))
        if row.state == State.OPEN and row.due_at is not None and row.due_at > timezone.now():
            text = f"The first delivery with this {route.id_header} is under way."
            return problem(409, text, headers=(("retry-after", "1"),), delivery=str(row.pk))
        if not _is_to_be_tried(row):
            return _again(row)
        _reopen(row, route)
    return Accepted(row, value)


def _is_to_be_tried(row: Delivery) -> bool:
    """Of what has not succeeded, and may next time. A start or signal that was refused had no effect."""
    if row.state == State.OPEN:
        return True  # whoever was to do it is gone
    failed = row.state == State.FAILED and row.act != Act.CALL
    return row.state != State.WAITING and (failed or row.status is None or row.status >= 500 or row.status == 429)


def _reopen(row: Delivery, route: Route) -> None:
    DeliveryPart.objects.filter(delivery=row).delete()
    row.failure, row.status, row.took = None, None, None
    row.answer, row.answer_headers, row.is_streamed = b"", [], False
    _open(row, route)
    if row.act == Act.SIGNAL and route.shortcut and route.shortcut.wait:
        row.expires_at = timezone.now() + timedelta(seconds=route.shortcut.wait)
    row.save()


def _again(row: Delivery) -> Reply:
    """The first answer; of a long one in pieces, its status."""
    body = bytes(row.answer)
    if row.is_streamed:
        if len(body) >= calling.KEPT_BYTES:
            return Reply(row.status or 200, REPLAYED)
        body += b"".join(bytes(data) for data in row.parts.order_by("number").values_list("data", flat=True))
    headers = tuple((str(name), str(value)) for name, value in row.answer_headers)
    return Reply(row.status or 200, headers, body).plus(*REPLAYED)


def told(delivery: Delivery) -> Reply:
    """The answer that a delivery's row has, to whoever sent it; that of a function that failed is not for senders."""
    if delivery.state == State.DONE:
        headers = tuple((str(name), str(value)) for name, value in delivery.answer_headers)
        return Reply(delivery.status or 200, headers, bytes(delivery.answer))
    told = NOBODY if delivery.status == 503 else delivery.problem or calling.LOST
    return problem(delivery.status or 504, told, delivery=str(delivery.pk))
