"""What became of a delivery to a workflow, as its sender is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from wippy_console.models import Delivery


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer: from status 400 on a problem (RFC 9457)."""

    status: int
    value: dict[str, Any] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """Of the value."""
        return "application/problem+json" if self.status >= HTTPStatus.BAD_REQUEST else "application/json"

    @property
    def body(self) -> bytes:
        """The value as it is sent."""
        return json.dumps(self.value, ensure_ascii=False).encode()


def done(delivery: Delivery, workflow_id: str, run_id: str) -> Outcome:
    """It has its run."""
    return Outcome(202, {"delivery": str(delivery.pk), "workflow_id": workflow_id, "run_id": run_id})


def already(delivery: Delivery, workflow_id: str, run_id: str) -> Outcome:
    """Its run was there before."""
    return Outcome(200, {**done(delivery, workflow_id, run_id).value, "already": True})


def waiting(delivery: Delivery) -> Outcome:
    """It is kept, and done as soon as it can be."""
    return Outcome(202, {"delivery": str(delivery.pk), "state": Delivery.State.WAITING.value})


def refused(delivery: Delivery, status: int, detail: str) -> Outcome:
    """It is not done."""
    about = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Outcome(status, {**about, "delivery": str(delivery.pk)})
