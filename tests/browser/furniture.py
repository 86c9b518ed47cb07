"""What makes a scene look lived in: more runs, questions, comments, notifications, deeds and rights."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.test import override_settings
from django.utils import timezone

from engine.entry import Entry
from shop.models import Order, Payment, Product
from tests.browser.acted import Acted, acted
from tests.browser.hooked import hooked
from tests.browser.scene import Scene
from tests.console.operating import CLIENT, WORKER
from tests.console.registry_cast import create
from wippy_console.models import (
    AccessToken,
    Claim,
    Comment,
    Decision,
    Delivery,
    Draft,
    Grant,
    GuestLink,
    Notification,
    NotificationPreference,
    Quarantine,
    Question,
    Run,
    Subscription,
    Token,
)
from wippy_console.services import access_tokens, audit, feed, guests, service_accounts, subscriptions
from wippy_console.services.access_tokens import Limits
from wippy_console.services.subscriptions import Fields

CUSTOMERS = ("Ada Lovelace", "Grace Hopper", "Barbara Liskov", "Katherine Johnson", "Margaret Hamilton")
STATES = ("completed", "completed", "failed", "completed", "canceled", "terminated", "timed_out", "completed")


@dataclass(frozen=True, slots=True)
class Furniture:
    """The rows that pages name."""

    guest: GuestLink
    quarantine: Quarantine
    acted: Acted
    order: Order
    token: AccessToken
    subscription: Subscription
    deliveries: dict[str, Delivery]


def furnish(scene: Scene) -> Furniture:
    """Put all of it in."""
    for number in range(24):
        a_run(number)
    for number in range(4):
        a_question(scene, number)
    cast, question = scene.stage.cast, scene.question
    Question.objects.filter(pk=question.pk).update(text="A *laptop* for the new colleague.", priority=80)
    Comment.objects.create(question=question, user=cast.operator, text="Is it in the **budget** of this year?")
    Comment.objects.create(question=question, user=cast.approver, text="It is: @operator, see the list.")
    Decision.objects.create(
        run=scene.closed, user=cast.approver, topic="decision", label="Approve", reason="In the budget", state="sent",
        payload={"approved": True}, event_id=5,
    )  # fmt: skip
    answered(scene)
    told(scene)
    group = Group.objects.create(name="shop")
    Grant.objects.create(group=group, pattern="shop.*")
    Token.objects.create(store="app:tokens", digest="d" * 64, actor={"id": "a"}, scope=[], expires_ns=10**18)
    Claim.objects.create(kind="name", key="shop/desk", node_id="node-1", pid="{node-1@app:processes|0x1}")
    Draft.objects.create(
        user=cast.viewer, address="/runs/start/?entry=x", digest="e" * 64, content="[]", saved_at=timezone.now()
    )
    made = tokens(scene)
    return Furniture(
        a_guest(scene), a_quarantine(), acted(scene), orders(), made, subscribed(made), hooked(scene)
    )  # fmt: skip


def tokens(scene: Scene) -> AccessToken:
    """Some of people, and one of another system, limited in every way."""
    cast, later = scene.stage.cast, timezone.now() + timedelta(days=90)
    account = service_accounts.make(cast.root, "warehouse", ["operator"])
    for owner, name in ((cast.root, "Nightly report"), (cast.operator, "My laptop"), (cast.root, "Old script")):
        made, _ = access_tokens.make(owner, owner, name, Limits(expires_at=later))
    access_tokens.revoke(cast.root, made.pk)
    limits = Limits(
        ("view_run", "view_feedevent", "start_run", "signal_run"), ("app.*", "shop"), ("10.1.0.0/16",), 60, later
    )
    made, _ = access_tokens.make(cast.root, account, "Parcels", limits)
    AccessToken.objects.filter(pk=made.pk).update(last_used_at=timezone.now(), last_used_from="10.1.2.3")
    return made


def subscribed(token: AccessToken) -> Subscription:
    """One in each state; the first fails."""
    url, ends = "https://{}.example.com/hooks/wippy", (feed.STARTED, feed.EXIT)
    wanted = (
        Fields("Parcels", url.format("warehouse"), ends, ["app.*"], "app.orders:process"),
        Fields("Everything", url.format("lake")),
        Fields("Overdue", url.format("pager"), [feed.QUESTION], text="overdue"),
    )
    rows = [subscriptions.make(token.owner, token, each).row for each in wanted]
    fails = {"state": "failing", "tries": 2, "problem": "The receiver answered 503.", "last_at": timezone.now()}
    lost = {"first": 3, "last": 7, "at": timezone.now().isoformat()}
    later = timezone.now() + timedelta(minutes=2)
    Subscription.objects.filter(pk=rows[0].pk).update(**fails, next_at=later, lost=lost, tested_at=timezone.now())
    stopped = {"state": "paused", "problem": "Paused after 6 failures. The receiver answered 404."}
    Subscription.objects.filter(pk=rows[2].pk).update(**stopped)
    return rows[0]


def orders() -> Order:
    """What the shop sold, the last of it for a card that the bank declined; and entries, one without its app."""
    lamp, desk = (
        Product.objects.create(sku=sku, name=name, price=price, stock=stock)
        for sku, name, price, stock in (("floor-lamp", "Floor lamp", "49.00", 3), ("oak-desk", "Oak desk", "480.00", 0))
    )
    for product, customer, state in ((lamp, "Grace Hopper", "shipped"), (desk, "Barbara Liskov", "reserved")):
        Order.objects.create(product=product, amount=product.price, customer=customer, state=state)
    refused = Order.objects.create(
        product=lamp, quantity=2, amount="98.00", customer="Ada Lovelace", state="refused", reason="the parcel was lost"
    )
    Payment.objects.create(key="k", order=refused, amount="98.00", state="refunded", reference="bank-1", attempts=2)
    meta = {"title": "Charge", "options": {"activity.start_to_close_timeout": "45s"}}
    create(Entry("shop:charge", "function.python", meta, {"callable": "shop.functions:charge"}))
    token = {"token": {"secret_env": "BANK_TOKEN"}}
    create(
        Entry("shop:hooks", "http.router", {"title": "Webhooks"}, {"prefix": "/shop", "auth": token}),
        Entry(
            "shop:charged", "http.endpoint", {"router": "hooks", "title": "The bank has charged"},
            {"method": "POST", "path": "/charges/{number}", "func": "charge", "id_header": "X-Charge"},
        ),
    )  # fmt: skip
    with override_settings(PYTHON_FUNCTIONS=("billing.*",)):
        create(Entry("billing:remind", "function.python", {}, {"callable": "billing.functions:remind"}))
    return refused


def a_run(number: int) -> None:
    """A run that ended some time ago, with its place in the feed."""
    began = timezone.now() - timedelta(minutes=7 * number + 3)
    status = STATES[number % len(STATES)]
    failure = {"kind": "Invalid", "message": "gateway says 503", "stack": "in charge"} if status == "failed" else None
    run = Run.objects.create(
        run_id=str(uuid.uuid4()), workflow_id=f"order-{4700 + number}", entry_id="app.orders:process", client=CLIENT,
        worker=WORKER, status=status, started_at=began, closed_at=began + timedelta(seconds=3 * number + 1),
        history_length=11 + number, namespace="app.orders", failure=failure,
        input=[{"order_id": f"A-{4700 + number}", "amount": 12.5 * number, "customer": CUSTOMERS[number % 5]}],
        result={"shipped": True, "parcel": f"P{number:05}"} if status == "completed" else None,
    )  # fmt: skip
    feed.append(feed.STARTED, run=run, at=run.started_at)
    feed.append(feed.EXIT, run=run, at=run.closed_at, data={"status": status, "result": run.result, "seconds": 1.5})


def a_question(scene: Scene, number: int) -> None:
    """An open one more, each with another deadline and priority."""
    run = scene.stage.start(
        "app.flows:approval", {"wanted": 10 * number, "item": ("Chair", "Desk", "Lamp")[number % 3]}
    )
    made = scene.stage.ask(run, "decision", 0, timezone.now() + timedelta(hours=number - 1, minutes=20))
    title = f"May {CUSTOMERS[number]} have it?"
    Question.objects.filter(pk=made.pk).update(priority=(95, 50, 75, 20)[number], title=title)


def answered(scene: Scene) -> None:
    """Questions that ended: answered, expired, withdrawn."""
    now = timezone.now()
    for number, outcome in enumerate(("answered", "expired", "withdrawn", "answered")):
        question = Question.objects.create(
            run=scene.closed, key=f"key {number}", number=number, title=f"May {CUSTOMERS[number]} travel?",
            opened_at=now - timedelta(hours=number + 2), closed_at=now - timedelta(hours=number + 1), outcome=outcome,
            namespace=scene.closed.namespace, signals=scene.question.signals,
        )  # fmt: skip
        if outcome == "answered":
            Decision.objects.create(
                run=scene.closed, question=question, user=scene.stage.cast.approver, topic="decision", label="Approve",
                reason="It is in the plan", state="sent", payload={"approved": True}, event_id=5,
            )  # fmt: skip


def told(scene: Scene) -> None:
    """Notifications in each state, and deeds."""
    person, now = scene.stage.cast.root, timezone.now()
    NotificationPreference.objects.create(user=person, chosen={"asked": ["email"]})
    for number, state in enumerate(("queued", "sent", "dead", "sent")):
        Notification.objects.create(
            user=person, kind="asked", fact=f"asked:{number}", method="email", address="root@example.com",
            question=scene.question, run=scene.asking, state=state, attempts=number, next_at=now + timedelta(minutes=5),
            sent_at=now if state == "sent" else None, error="450 not now" if state == "dead" else "",
        )  # fmt: skip
    for action, label in (("publish", "Orders"), ("answer", "Approve"), ("terminate", ""), ("claim", "")):
        audit.append(action, person, label=label, run=scene.closed)


def a_guest(scene: Scene) -> GuestLink:
    """A question that asks somebody without an account."""
    run = scene.stage.start("app.flows:approval", {"wanted": 50, "item": "Desk"})
    made = scene.stage.ask(run, "decision")
    signals: list[dict[str, Any]] = [dict(each) for each in made.signals]
    signals[1] |= {"label": "Yes", "tone": "positive"}
    about = {
        "title": "Does Tuesday suit you, Ada?",
        "text": "The desk comes on **Tuesday at nine**.",
        "signals": signals,
    }
    Question.objects.filter(pk=made.pk).update(options={"guest": "ada@example.com"}, **about)
    made.refresh_from_db()
    guests.invite(made)
    return GuestLink.objects.get(question=made)


def a_quarantine() -> Quarantine:
    """A program that took too long."""
    return Quarantine.objects.create(
        entry_id="app.api:charge", kind="function", digest="c" * 64, host="app:worker", node="node-1", seconds=5.2,
        at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip
