"""A subscription in the whole product: made by a form, sent by the worker that leads, whatever kills it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.notifying import running as serving
from tests.console.subscribing import Receiver
from tests.product import Product, running, until

pytestmark = pytest.mark.slow

PAGE = "/preferences/subscriptions/"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving(Receiver()) as made:
        yield made


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    with running(tmp_path / "data", WIPPY_NOTIFY_ALLOW="127.0.0.1") as started:
        yield started


def shell(product: Product, code: str) -> str:
    """What code of the console prints."""
    names = "from wippy_console.models import FeedEvent, Subscription; from wippy_console.services import feed"
    done = product.command("shell", "--no-imports", "-c", f"{names}; {code}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def subscribe(product: Product, url: str) -> None:
    """As an administrator does it by pages."""
    session = product.session()
    session.get("/preferences/tokens/new/")
    fields = {"name": "receiver", "extent": "all", "per_minute": "600", "expires": "90"}
    session.post("/preferences/tokens/new/", fields)
    page = session.get(f"{PAGE}new/")
    token = re.findall(r'<option value="(\d+)">receiver', page)[0]
    made = session.post(f"{PAGE}new/", {"name": "n", "url": url, "token": token, "kinds": "STUCK", "begin": "now"})
    assert "The secret of n" in made


def test_a_worker_killed_between_request_and_cursor_sends_the_events_again_in_order(
    product: Product, receiver: Receiver
) -> None:
    subscribe(product, receiver.url)
    receiver.gate.clear()
    tell = "print(*[feed.append(feed.STUCK, entry_id='app:x', data={'reason': str(n)}).id for n in range(%d)])"
    ids = [int(each) for each in shell(product, tell % 3).split()]
    until(lambda: receiver.ids, "the events are with the receiver, who has not answered")
    first = receiver.ids
    killed = product.kill("worker")
    assert int(shell(product, "print(Subscription.objects.get().cursor)")) < ids[0]
    receiver.gate.set()
    product.wait_back("worker", killed)
    ids += [int(each) for each in shell(product, tell % 2).split()]
    shell(product, "Subscription.objects.update(sending_until=None)")  # or the lease of the dead one is waited for
    moved = "print(Subscription.objects.get().cursor)"
    until(lambda: int(shell(product, moved)) >= ids[-1], "all is taken")
    again = receiver.ids[len(first) :]
    assert first == ids[: len(first)] and again == ids
