"""How a run asks its worker something once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

from engine.hosts.temporal.wire import payloads

Handle = workflow.ActivityHandle[Any]


def ask_worker(activity: str, *args: Any) -> Handle:
    """Ask this worker something; its answer is recorded, so that a replay hears the same."""
    return workflow.start_local_activity(
        activity,
        args=payloads.raw(payloads.encode_all(args, activity)),
        result_type=RawValue,
        start_to_close_timeout=timedelta(seconds=10),
    )
