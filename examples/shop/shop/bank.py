"""The way to the bank. In this example the bank is a view of the same app, over HTTP all the same."""

from __future__ import annotations

import os
from decimal import Decimal

import httpx
from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from wippy_console import sdk

SECONDS = 30
HEADER = "X-Shop-Key"


class Declined(sdk.Error):
    """The bank does not pay. Another try finds it no more willing."""

    default_kind = sdk.Conflict.default_kind
    default_retryable = False


def shared_secret() -> str:
    """What the bank knows its customer by; of this installation alone."""
    return salted_hmac("shop.bank", "bank").hexdigest()


def address() -> str:
    """Where the bank is: SHOP_BANK, else this console."""
    return os.environ.get("SHOP_BANK") or f"http://127.0.0.1:{settings.WIPPY_PORT}{reverse('shop:bank')}"


def charge(key: str, amount: Decimal, card: str) -> str:
    """Charge the card, or learn that this key was charged before; the bank's reference."""
    return _post({"key": key, "amount": str(amount), "card": card, "do": "charge"})


def refund(key: str) -> str:
    """Give back what was charged by the key."""
    return _post({"key": key, "do": "refund"})


def _post(body: dict[str, str]) -> str:
    try:
        answer = httpx.post(address(), json=body, headers={HEADER: shared_secret()}, timeout=SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise sdk.Unavailable(f"the bank does not answer: {type(error).__name__}") from error
    if answer.status_code == httpx.codes.PAYMENT_REQUIRED:
        raise Declined("the bank declined the card")
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise sdk.Unavailable(f"the bank answered {answer.status_code}")
    if answer.is_error:
        raise sdk.Internal(f"the bank answered {answer.status_code}")
    return str(answer.json()["reference"])
