"""Every Lua sample of the seed document, unchanged, step by step (the hosts' tests run them on real Temporal)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.errors import Failure
from engine.steps import Call, Send, Spawn, Value, Wait
from engine.testing import Driver
from tests import seed

DAY = 24 * 3600 * 10**9


def charge_sleep_refund(status: str) -> Driver:
    driver = Driver.of_source(seed.lua("charge_sleep_refund", "payment"), "workflow", ({"amount": 5},))
    assert driver.last() == Call(1, "app.api:charge_card", ({"amount": 5},))
    driver.resolve(1, {"id": "p-1"})
    assert driver.timers == {2: driver.world.now() + DAY}
    driver.advance(hours=24)
    assert driver.last() == Call(3, "app.api:check_status", ("p-1",))
    driver.resolve(3, status)
    return driver


def test_a_failed_charge_is_refunded_after_a_day() -> None:
    driver = charge_sleep_refund("failed")
    assert driver.last() == Call(4, "app.api:refund", ("p-1",))
    driver.resolve(4)
    assert driver.value is None


def test_a_good_charge_stays() -> None:
    assert charge_sleep_refund("ok").value is None


SERVICES = {
    "app.inventory:reserve": {"id": "i-1"},
    "app.payments:charge": {"id": "p-1"},
    "app.shipping:create": {"id": "s-1"},
    "app.payments:refund": {},
    "app.inventory:release": {},
}


def saga(failing: str = "") -> tuple[Driver, list[tuple[str, tuple[Value, ...]]]]:
    called: list[tuple[str, tuple[Value, ...]]] = []

    def service(name: str, answer: Value) -> Callable[..., Value]:
        def function(*args: Value) -> Value:
            called.append((name, args))
            return {"error": f"{name} failed"} if name == failing else answer

        return function

    functions = {name: service(name, answer) for name, answer in SERVICES.items()}
    source = seed.lua("saga", "items", "amount", "order")
    return Driver.of_source(source, "workflow", (["lamp"], 10, {"id": 1}), functions=functions), called


def test_the_saga_ships() -> None:
    driver, called = saga()
    assert driver.value == {"inventory": {"id": "i-1"}, "payment": {"id": "p-1"}, "shipping": {"id": "s-1"}}
    assert [name for name, _ in called] == ["app.inventory:reserve", "app.payments:charge", "app.shipping:create"]


@pytest.mark.parametrize(
    ("failing", "undone"),
    [
        ("app.inventory:reserve", []),
        ("app.payments:charge", [("app.inventory:release", ("i-1",))]),
        ("app.shipping:create", [("app.payments:refund", ("p-1",)), ("app.inventory:release", ("i-1",))]),
    ],
)
def test_the_saga_undoes_what_was_done(failing: str, undone: list[object]) -> None:
    driver, called = saga(failing)
    assert driver.failure.message == f"{failing} failed"
    assert called[[name for name, _ in called].index(failing) + 1 :] == undone


@pytest.mark.parametrize(
    ("approved", "target"), [(True, "app.orders:fulfill"), (False, "app.notifications:send_rejection")]
)
def test_the_approval_waits_for_a_message(approved: bool, target: str) -> None:
    driver = Driver.of_source(seed.lua("approval", "request"), "workflow", ({"order_id": "o-1"},))
    driver.resolve(1)
    assert driver.waits == (Wait("inbox", number=1, joined=1),)
    driver.send("decision", {"approved": approved})
    call = driver.last()
    assert isinstance(call, Call)
    assert call.target == target


def test_a_process_spawns_a_workflow_and_sends_to_it() -> None:
    driver = Driver.of_source(seed.lua("spawn_and_send", "order_data"), "process", ({"id": 1},))
    assert driver.last() == Spawn(1, "app.workflows:order_processor", "app:temporal_worker", ({"id": 1},))
    driver.resolve(1, "{app:temporal_client@app:temporal_worker|o-1}")
    pid = "{app:temporal_client@app:temporal_worker|o-1}"
    assert driver.last() == Send(2, pid, "update", ({"status": "approved"},))
    driver.resolve(2, True)
    assert driver.value is None


@pytest.mark.parametrize("failure", [None, Failure("Internal", "order failed")])
def test_a_process_loops_over_events_until_its_workflow_exits(failure: Failure | None) -> None:
    driver = Driver.of_source(seed.lua("watch", "data"), "process", ({},))
    driver.resolve(1, "{c@w|o-1}")
    driver.exit("{c@w|another}")
    assert driver.waiting
    driver.exit("{c@w|o-1}", failure=failure)
    assert driver.value is None
