"""Requests of other systems in every state: what the pages of deliveries show."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from engine.entry import Entry
from tests.browser.scene import Scene
from tests.console.operating import LUA
from tests.console.registry_cast import create
from wippy_console.models import Delivery

CALL = "POST /hooks/pay/{order}"
SHOP, PAY = "shop:fulfilment", "shop.api:pay"
HOOKS = [
    {"path": "/shop/orders", "starts": True, "auth": "none", "workflow_id": "$.order.id", "payload": "$.order"},
    {"path": "/shop/paid", "signal": "paid", "key": "$.order_id", "auth": "none", "wait": "1h"},
]
ORDER = {"order": {"id": "A-4711", "customer": {"email": "ada@example.com"}, "lines": [{"sku": "floor-lamp", "n": 2}]}}
SENT = [["content-type", "application/json"], ["user-agent", "ShopPlatform/3.2 (webhooks)"], ["x-event-id", "evt_81"]]


def hooked(scene: Scene) -> dict[str, Delivery]:
    """Put them in, by a name each."""
    create(Entry(SHOP, "workflow.lua", {"search": ["order_id"], "webhooks": HOOKS}, {"source": LUA}))
    run, root, now = scene.closed, scene.stage.cast.root, timezone.now()
    done = _sent(
        "shop/orders", "start", "done", 1, ORDER, status=202, took=0.041, sender_id="evt_81",
        workflow_id=run.workflow_id,
        run_id=run.run_id, answer=_json({"workflow_id": run.workflow_id, "run_id": run.run_id}),
        answer_headers=[["content-type", "application/json"]],
    )  # fmt: skip
    paid = {"order_id": "A-4799", "amount": 98.0, "currency": "EUR"}
    none = f"No open run of {SHOP} has order_id=A-4799."
    failed = _sent(
        "shop/paid", "signal", "failed", 4, paid, status=404, took=0.012, problem=none, sender_id="evt_79",
    )  # fmt: skip
    waiting = _sent(
        "shop/paid", "signal", "waiting", 9, {**paid, "order_id": "A-4800"}, status=202,
        due_at=now + timedelta(seconds=9),
        expires_at=now + timedelta(minutes=51), tries=7, problem=f"No open run of {SHOP} has order_id=A-4800.",
    )  # fmt: skip
    refused = _sent(
        "shop/orders", "start", "refused", 22, None, status=401, times=148, problem="The signature does not match."
    )
    again = _sent(
        "shop/paid",
        "signal",
        "failed",
        2,
        paid,
        status=404,
        took=0.011,
        problem=failed.problem,
        again_of=failed,
        by=root,
    )
    broke = _sent(
        "pay/4711", "call", "failed", 31, {"amount": 12}, endpoint=PAY, namespace="shop.api", status=500, took=1.42,
        route=CALL, params={"order": "4711"}, query=[["dry", "1"]], problem="The function failed.",
        failure={"kind": "Invalid", "message": "gateway says 503", "stack": "in pay"},
    )  # fmt: skip
    _sent("pay/4711", "call", "open", 0, {"amount": 12}, endpoint=PAY, namespace="shop.api", route=CALL)
    return {"done": done, "failed": failed, "waiting": waiting, "refused": refused, "again": again, "broke": broke}


def _sent(path: str, act: str, state: str, minutes: float, body: Any, **fields: Any) -> Delivery:
    content = b"" if body is None else _json(body)
    about: dict[str, Any] = {
        "endpoint": SHOP, "namespace": "shop", "route": f"POST /hooks/{path}", "path": f"/hooks/{path}",
        "method": "POST", "source": "203.0.113.7", "headers": [] if body is None else SENT,
        "received_at": timezone.now() - timedelta(minutes=minutes, seconds=5), "tries": 1,
    }  # fmt: skip
    return Delivery.objects.create(act=act, state=state, body=content, size=len(content), **{**about, **fields})


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
