"""A pretended bank that behaves as banks do: down at times, slow at times, and once per key."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shop import bank
from shop.models import BankCharge

SLOW_SECONDS = 10
DOWN_TIMES = 2
LARGEST = 4096


@csrf_exempt
@login_not_required
@require_POST
def answer(request: HttpRequest) -> JsonResponse:
    """Charge or refund by a key. No session stands behind it: whoever asks shows the shared secret."""
    if not constant_time_compare(request.headers.get(bank.HEADER, ""), bank.shared_secret()):
        return JsonResponse({"error": "who are you?"}, status=403)
    try:
        body = json.loads(request.body[:LARGEST])
        return _refund(body) if body["do"] == "refund" else _charge(body)
    except (ValueError, KeyError, TypeError, ArithmeticError):
        return JsonResponse({"error": "that is no request"}, status=400)


def _charge(body: dict[str, Any]) -> JsonResponse:
    charge = _noted(body["key"], Decimal(body["amount"]))
    card = body["card"]
    if charge.refunded or card == "tok_declined":
        return JsonResponse({"error": "declined"}, status=402)
    if card == "tok_down" and charge.requests <= DOWN_TIMES:
        return JsonResponse({"error": "try again later"}, status=503)
    BankCharge.objects.filter(pk=charge.pk).update(booked=True)
    if card == "tok_slow" and not charge.booked:
        time.sleep(SLOW_SECONDS)  # it has booked, and whoever asked does not know yet
    return JsonResponse({"reference": charge.reference})


@transaction.atomic
def _noted(key: str, amount: Decimal) -> BankCharge:
    charge, _ = BankCharge.objects.select_for_update().get_or_create(key=key, defaults={"amount": amount})
    charge.requests += 1
    charge.save(update_fields=["requests"])
    return charge


def _refund(body: dict[str, Any]) -> JsonResponse:
    """Also of a key that was never charged: what comes by it later is declined."""
    charge, _ = BankCharge.objects.update_or_create(
        key=body["key"], defaults={"refunded": True}, create_defaults={"refunded": True, "amount": Decimal(0)}
    )
    return JsonResponse({"reference": charge.reference})
