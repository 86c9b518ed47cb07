"""Functions that answer in `test_python.py`."""

from __future__ import annotations

import json
from typing import Any

from wippy_console import sdk
from wippy_console.models import Delivery


def total(ctx: sdk.Context, request: dict[str, Any]) -> dict[str, Any]:
    """What it was sent, and what Django knows of it."""
    order = json.loads(request["body"])
    known = Delivery.objects.get(pk=request["id"])
    return {
        "status": 201,
        "headers": {"X-From": request["headers"].get("x-from", "")},
        "body": {"id": request["params"]["id"], "total": sum(order["prices"]), "endpoint": known.endpoint},
    }


def nothing(ctx: sdk.Context, request: dict[str, Any]) -> None:
    """No answer but that it is done."""


def broken(ctx: sdk.Context, request: dict[str, Any]) -> None:
    """Fails with what nobody may see."""
    raise RuntimeError("a secret of the function")
