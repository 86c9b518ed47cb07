"""The example shop in the whole product: ordered in pages, paid once although the worker dies, and left out."""

from __future__ import annotations

import re
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.product import Product, running, until

pytestmark = pytest.mark.slow
BOOKED = "print(*BankCharge.objects.filter(booked=True, refunded=False).values_list('requests', flat=True))"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("shop") / "data") as started:
        yield started


def ask(product: Product, code: str) -> str:
    """What code of the shop prints."""
    done = product.command("shell", "--no-imports", "-c", f"from shop.models import *; {code}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def order(product: Product, sku: str, card: str) -> str:
    """The address of a new order's page."""
    session = product.session()
    session.get("/apps/shop/")
    key = ask(product, f"print(Product.objects.get(sku='{sku}').pk)")
    page = session.post("/apps/shop/", {"product": key, "quantity": "1", "customer": "Ada Example", "card": card})
    found = re.search(r"Order S-(\d+)</h1>", page)
    assert found, page
    return f"/apps/shop/orders/{found[1]}/"


def shown(product: Product, path: str, text: str) -> str:
    """The page, once it says that."""
    session = product.session()

    def page() -> str | None:
        found = session.get(path)
        return found if text in found else None

    return until(page, f"{path} says {text}")


def test_a_charge_whose_worker_was_killed_is_paid_once(product: Product) -> None:
    path = order(product, "lamp", "tok_slow")
    until(lambda: ask(product, BOOKED) == "1", "the bank has booked and not answered yet")
    killed = product.kill("worker")
    product.wait_back("worker", killed)
    page = shown(product, path, "Shipped")
    assert page.count("Charged") == 1
    assert ask(product, BOOKED) == "2"  # asked twice, booked once
    assert ask(product, "print(Payment.objects.count(), Product.objects.get(sku='lamp').stock)") == "1 19"


def test_a_bank_that_is_down_is_asked_again(product: Product) -> None:
    page = shown(product, order(product, "lamp", "tok_down"), "Shipped")
    assert "3×" in page


def test_what_was_taken_is_given_back_when_the_card_is_declined(product: Product) -> None:
    before = ask(product, "print(Product.objects.get(sku='lamp').stock)")
    page = shown(product, order(product, "lamp", "tok_declined"), "Refused because")
    assert "the bank declined the card" in page
    assert ask(product, "print(Product.objects.get(sku='lamp').stock)") == before


def test_a_large_order_waits_for_somebody(product: Product) -> None:
    path = order(product, "desk", "tok_visa")
    shown(product, path, "Waiting for a person")
    waiting: Any = product.manage("runs", "--entry", "shop:fulfil")["runs"]
    run = next(each for each in waiting if each["state"]["key"] == "waiting")
    product.manage("signal", run["pid"], "decision", '{"approved": true}')
    shown(product, path, "Shipped")


def test_what_code_declares_is_called_and_shown_without_an_entry(product: Product) -> None:
    assert product.manage("call", "shop:stock", "1")["result"] == {"globe": 0}
    assert "shop:stock" in product.session().get("/registry/")


def test_a_deployment_without_the_shop_has_nothing_of_it(tmp_path: Path) -> None:
    with running(tmp_path / "data", WIPPY_APPS="") as bare:
        session = bare.session()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            session.get("/apps/shop/")
        assert 'href="/apps/' not in session.get("/")
        assert "shop:fulfil" not in session.get("/registry/")
        tables = "from django.db import connection; print(*connection.introspection.table_names())"
        assert "shop_" not in bare.command("shell", "--no-imports", "-c", tables).stdout


def test_the_shop_can_be_turned_off_later(product: Product) -> None:
    product.stop()
    product.variables["WIPPY_APPS"] = ""
    product.start()
    session = product.session()
    for path in ("/", "/registry/shop:charge/", "/runs/", "/admin/", "/audit/"):
        session.get(path)
    said = "No app here has its code, shop.functions:"
    assert said in session.get("/registry/shop:charge/") and "Python functions amiss" in session.get("/health/")
    assert said in (product.data / "logs" / "worker.log").read_text()
    done = product.command("call", "shop:release", "1")
    assert done.returncode != 0
    assert "WIPPY_PYTHON_FUNCTIONS" in done.stdout + done.stderr
