"""What other systems sent, as the console lists, shows and forgets it."""

from __future__ import annotations

import json
import tracemalloc
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from engine.entry import Entry
from tests.console.departments import OURS, THEIRS, Room
from tests.console.departments import member as member_of
from tests.console.operating import LUA, Cast
from tests.console.registry_cast import create
from wippy_console.models import Delivery, DeliveryPart
from wippy_console.models.masks import MASK
from wippy_console.services import attention, audit, temporal
from wippy_console.services.errors import Conflict, Refused
from wippy_console.services.hooks import Incoming, calling, later, listing, receiving, redelivering, routes, shown
from wippy_console.services.hooks.listing import Filters

pytestmark = pytest.mark.django_db

State = Delivery.State


def a_delivery(**fields: Any) -> Delivery:
    """One that started a run, unless said otherwise."""
    about: dict[str, Any] = {
        "endpoint": "shop:order", "route": "POST /hooks/orders", "namespace": "shop", "act": "start", "method": "POST",
        "path": "/hooks/orders", "source": "10.1.2.3", "state": State.DONE, "status": 202,
    }  # fmt: skip
    body = fields.pop("body", b"{}")
    return Delivery.objects.create(body=body, size=len(body), **{**about, **fields})


def ago(**spans: float) -> Any:
    return timezone.now() - timedelta(**spans)


def found(user: Any, **wanted: Any) -> list[Delivery]:
    return listing.page(user, Filters(**wanted)).rows


def test_a_list_has_what_is_of_ones_namespaces(rooms: dict[str, Room]) -> None:
    ours, theirs = a_delivery(namespace=OURS, endpoint=f"{OURS}:a"), a_delivery(namespace=THEIRS)
    failed = a_delivery(namespace=THEIRS, state=State.FAILED)
    clerk = member_of("clerk", patterns=(f"{OURS}.*",))
    assert found(clerk) == [ours] and attention.deliveries(clerk, 4) == []
    for delivery in (theirs, failed):
        with pytest.raises(Refused, match="no such delivery"):
            listing.get(clerk, delivery.pk)


def test_who_may_see_none_gets_no_page(cast: Cast, client: Client) -> None:
    delivery = a_delivery()
    client.force_login(cast.stranger)
    for url in (reverse("deliveries"), reverse("delivery", args=[delivery.pk])):
        assert client.get(url).status_code == 403


@pytest.mark.parametrize(
    "wanted",
    [
        {"state": "failed"}, {"act": "signal"}, {"endpoint": "shop:other"}, {"source": "10.9.9.9"}, {"text": "evt_1"},
        {"text": "order-7"}, {"since": ago(hours=1)},
    ],
)  # fmt: skip
def test_filters_narrow_the_list(cast: Cast, wanted: dict[str, Any]) -> None:
    a_delivery(received_at=ago(hours=2))
    one = a_delivery(
        state=State.FAILED, act="signal", endpoint="shop:other", source="10.9.9.9", sender_id="evt_1",
        workflow_id="order-7",
    )  # fmt: skip
    assert found(cast.viewer, **wanted) == [one]
    assert found(cast.viewer, text=str(one.pk)) == [one]


def test_pages_go_on_where_the_one_before_ended(cast: Cast) -> None:
    moment = ago(minutes=5)
    rows = [a_delivery(received_at=moment) for _ in range(3)] + [a_delivery() for _ in range(2)]
    seen, cursor = [], ""
    while True:
        page = listing.page(cast.viewer, Filters(), cursor, limit=2)
        seen += [each.pk for each in page.rows]
        cursor = page.next
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == len(rows) and set(seen) == {each.pk for each in rows}
    with pytest.raises(Refused):
        listing.page(cast.viewer, Filters(), "odd")


def plans(queries: CaptureQueriesContext, of: str) -> list[str]:
    """How SQLite does those that select by the column."""
    found = []
    for query in queries.captured_queries:
        if query["sql"].startswith("SELECT") and f'"{of}" =' in query["sql"]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                found += [str(row[3]) for row in cursor.fetchall()]
    return found


@pytest.mark.skipif(connection.vendor != "sqlite", reason="its plans")
def test_ids_are_found_by_indexes(cast: Cast, masking: None) -> None:
    route = routes.named("POST /hooks/once")
    assert route is not None
    incoming = Incoming("POST", "/hooks/once", (), (("x-id", "evt_1"),), "10.1.2.3", {}, b"{}")
    with CaptureQueriesContext(connection) as queries:
        receiving.receive(route, incoming)
        found(cast.root, text="evt_1")
    for name, index in (("key", "one_delivery_per_key"), ("sender_id", "delivery_sender")):
        plan = plans(queries, name)
        assert any(index in step for step in plan) and not any("SCAN" in step for step in plan), plan


def test_the_pages_show_a_delivery(cast: Cast, client: Client) -> None:
    delivery = a_delivery(
        body=b'{"order": 7}', headers=[["content-type", "application/json"], ["authorization", "Bearer secret-1"]],
        answer=b'{"fine": true}', state=State.FAILED, problem="No open run of shop:order has id=7.", status=404,
        sender_id="evt_1",
    )  # fmt: skip
    client.force_login(cast.viewer)
    listed = client.get(reverse("deliveries")).content.decode()
    assert "/hooks/orders" in listed and "No open run of shop:order" in listed
    one = client.get(reverse("delivery", args=[delivery.pk])).content.decode()
    assert "&quot;order&quot;: 7" in one and "&quot;fine&quot;: true" in one and "evt_1" in one
    assert "secret-1" not in one and "Deliver again" not in one
    assert client.get(reverse("deliveries"), {"state": "odd"}).status_code == 422


def test_the_home_page_tells_of_those_that_failed(cast: Cast, client: Client) -> None:
    failed = a_delivery(state=State.FAILED, problem="No open run of shop:order has id=7.")
    expired = a_delivery(state=State.FAILED, received_at=ago(days=3), expires_at=ago(hours=1), problem="None came.")
    a_delivery(state=State.FAILED, received_at=ago(days=3))
    mended = a_delivery(state=State.FAILED)
    a_delivery(again_of=mended)
    tried = a_delivery(state=State.FAILED)
    again = a_delivery(again_of=tried, state=State.FAILED, received_at=ago(hours=1))
    assert attention.deliveries(cast.viewer, 9) == [failed, again, expired]
    client.force_login(cast.viewer)
    assert "No open run of shop:order has id=7." in client.get(reverse("home")).content.decode()


def test_old_ones_are_forgotten_and_what_is_still_to_be_done_is_not(db: None, settings: Settings) -> None:
    settings.HOOKS_DAYS = 2
    old = a_delivery(received_at=ago(days=3))
    DeliveryPart.objects.create(delivery=old, number=0, data=b"x")
    waiting = a_delivery(received_at=ago(days=3), state=State.WAITING, due_at=timezone.now() + timedelta(hours=1))
    young = a_delivery(received_at=ago(days=1), again_of=old)
    with CaptureQueriesContext(connection) as asked:
        later.forget()
    assert not any('"body"' in each["sql"] for each in asked), "200 bodies are much to hold at once"
    assert set(Delivery.objects.all()) == {waiting, young} and not DeliveryPart.objects.exists()
    young.refresh_from_db()
    assert young.again_of_id is None


def test_a_call_whose_processes_died_has_failed(db: None) -> None:
    lost = a_delivery(act="call", state=State.OPEN, due_at=ago(seconds=1), tries=1)
    young = a_delivery(act="call", state=State.OPEN, due_at=timezone.now() + timedelta(minutes=1), tries=1)
    later.tick()
    lost.refresh_from_db()
    young.refresh_from_db()
    assert (lost.state, lost.status, lost.problem) == (State.FAILED, 504, calling.LOST)
    assert young.state == State.OPEN


ORDER = {
    "id": 7, "card": {"number": "4111 1111 1111 1111", "month": 3}, "pin": "8642",
    "note": "card 4111 1111 1111 1111 it is",
}  # fmt: skip


@pytest.fixture
def masking(transactional_db: None) -> None:
    """A workflow that hides parts of its input, and says which requests start and signal it."""
    schema = {"type": "object", "properties": {"pin": {"type": "string", "writeOnly": True}}}
    signals = [{"topic": "paid", "schema": {"type": "object", "properties": {"iban": {"writeOnly": True}}}}]
    hooks = [
        {"path": "/orders", "starts": True, "auth": "none", "payload": "$.data.0"},
        {"path": "/whole", "starts": True, "auth": "none"},
        {"path": "/once", "starts": True, "auth": "none", "id_header": "X-Id"},
        {"path": "/paid", "signal": "paid", "key": "$.id", "auth": "none"},
    ]
    meta = {"mask": ["card.number"], "input_schema": schema, "signals": signals, "search": ["id"], "webhooks": hooks}
    create(Entry("shop:order", "workflow.lua", meta=meta, data={"source": LUA}))
    temporal.reset()


def seen(path: str, body: Any, **fields: Any) -> str:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return shown.body(a_delivery(route=f"POST /hooks{path}", body=text, **fields)).text


def test_a_body_hides_what_the_input_of_its_workflow_does(masking: None) -> None:
    whole = json.loads(seen("/whole", ORDER))
    hidden = {**ORDER, "card": {"number": MASK, "month": 3}, "pin": MASK, "note": f"card {MASK} it is"}
    assert whole == hidden
    inner = json.loads(seen("/orders", {"data": [ORDER, 1], "raw": "4111 1111 1111 1111", "pin": "open"}))
    assert inner == {"data": [hidden, 1], "raw": MASK, "pin": "open"}


def test_the_body_of_a_signal_hides_what_its_topic_does(masking: None) -> None:
    assert json.loads(seen("/paid", {"id": 7, "iban": "DE00"}, act="signal")) == {"id": 7, "iban": MASK}


@pytest.mark.parametrize("path", ["/gone", "/whole"])
def test_what_can_not_be_masked_is_not_shown(masking: None, path: str) -> None:
    body = b'{"card": ' if path == "/whole" else ORDER
    assert seen(path, body) == ""
    assert seen(path, body, endpoint="shop:open") != ""


def test_a_body_that_is_no_text_says_so(db: None) -> None:
    delivery = a_delivery(act="call", body=b"\xff\xfe", answer=b"\x89PNG")
    assert shown.body(delivery).note == "2 bytes that are no text"
    assert shown.answer(delivery).note == "4 bytes that are no text"
    assert shown.body(a_delivery(act="call", body=b"x" * 30_000)).is_cut


def test_what_would_be_huge_when_it_is_indented_is_not_written_out(db: None) -> None:
    delivery = a_delivery(act="call", body=b"[" * 300 + b"1," * 50_000 + b"1" + b"]" * 300)
    tracemalloc.start()
    try:
        content = shown.body(delivery)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert content.is_json and content.is_cut and len(content.text) == shown.MOST
    assert most < 8_000_000, "30 MB and more, as a whole"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"state": State.OPEN}, "It is under way."),
        ({"state": State.WAITING}, "tried again by itself"),
        ({"state": State.REFUSED, "body": b""}, "Nothing is kept"),
        ({"route": "POST /hooks/gone"}, "has nothing at POST /hooks/gone any more"),
        ({"endpoint": "shop:other", "route": "POST /hooks/whole"}, "has nothing at"),
    ],
)
def test_what_can_not_be_delivered_again_says_why(masking: None, cast: Cast, fields: Any, why: str) -> None:
    with pytest.raises(Conflict, match=why):
        redelivering.redeliver(cast.root, a_delivery(**fields), uuid.uuid4())


@pytest.mark.parametrize(("act", "who"), [("start", "operator"), ("signal", "author"), ("call", "author")])
def test_delivering_again_takes_the_right_of_the_act(cast: Cast, act: str, who: str) -> None:
    delivery = a_delivery(act=act)
    mays = {name for name in Cast.__annotations__ if redelivering.may(getattr(cast, name), delivery)}
    expected = {"author", "administrator", "root"} | ({"operator", "approver"} if who == "operator" else set())
    assert mays == expected


def test_the_audit_leads_to_the_delivery(cast: Cast, client: Client) -> None:
    delivery = a_delivery()
    audit.append(audit.START, "auto:webhook", entry_id="shop:order", data={"delivery": str(delivery.pk)})
    audit.append(audit.START, "auto:webhook", entry_id="shop:order", data={"delivery": "odd"})
    client.force_login(cast.root)
    assert reverse("delivery", args=[delivery.pk]) in client.get(reverse("audit")).content.decode()
