"""Python functions that answer requests, over real HTTP."""

from __future__ import annotations

import pytest

from engine.entry import Entry
from tests.hooks.stage import Hooks, endpoint, last, problem, router

pytestmark = pytest.mark.django_db(transaction=True)


def python(name: str) -> Entry:
    return Entry(f"app:{name}", "function.python", {}, {"callable": f"tests.hooks.python_code:{name}"})


ENTRIES = [
    router(),
    python("total"),
    python("nothing"),
    python("broken"),
    endpoint("total", "/orders/{id}"),
    endpoint("nothing", "/nothing"),
    endpoint("broken", "/broken"),
]


def test_a_python_function_answers_by_what_it_returns(hooks: Hooks) -> None:
    answer = hooks.post("/t/orders/7", json={"prices": [1, 2.5]}, headers={"X-From": "shop"})
    assert (answer.status_code, answer.headers["x-from"]) == (201, "shop")
    assert answer.json() == {"id": "7", "total": 3.5, "endpoint": "app:total.endpoint"}
    done = hooks.post("/t/nothing", content=b"")
    assert (done.status_code, done.content) == (204, b"")


def test_one_that_fails_tells_only_the_console_why(hooks: Hooks) -> None:
    assert "secret" not in str(problem(hooks.post("/t/broken"), 500))
    row = last()
    assert row.state == "failed" and "a secret of the function" in str(row.failure)
