"""What a page of the live feed costs by how many events there are, with each of its filters."""

from __future__ import annotations

import tempfile
import time
from statistics import median
from typing import Any

from bench.console import prepared
from bench.figure import Figure

FEW, MANY, AT_ONCE = 1_000, 100_000, 5_000
TIMES = 7
FILTERS = {
    "all": "", "one kind": "kind=EXIT", "three kinds": "kind=EXIT&kind=NODE&kind=PUBLISHED", "entry": "entry=app:e7",
    "user": "user=u6", "words": "q=reason+9", "no such words": "q=nothing-like-it",
}  # fmt: skip
KINDS = ("STARTED", "EXIT", "NODE", "SERVICE", "WAITING", "RESUMED")


def page_by_events() -> Figure:
    """The time of the first page at 1,000 events against that at 100,000."""
    with tempfile.TemporaryDirectory(prefix="wippy-bench-", ignore_cleanup_errors=True) as folder:
        client = prepared(folder)
        _tell(0, FEW)
        few = {name: _milliseconds(client, query) for name, query in FILTERS.items()}
        _tell(FEW, MANY)
        many = {name: _milliseconds(client, query) for name, query in FILTERS.items()}
    times = ", ".join(f"{name} {few[name]:.0f} and {many[name]:.0f} ms" for name in FILTERS)
    detail = f"at {FEW:,} and at {MANY:,} events: {times}"
    return Figure(f"live feed at {FEW:,} / at {MANY:,} events", few["all"] / many["all"], 0.67, detail)


def _tell(first: int, last: int) -> None:
    from wippy_console.models import FeedEvent  # noqa: PLC0415
    from wippy_console.services import feed  # noqa: PLC0415

    for start in range(first, last, AT_ONCE):
        rows = [
            feed.draft(KINDS[n % 6], entry_id=f"app:e{n % 40}", data={"reason": f"reason {n}", "user": f"u{n % 30}"})
            for n in range(start, min(last, start + AT_ONCE))
        ]
        FeedEvent.objects.bulk_create(rows, batch_size=1000)


def _milliseconds(client: Any, query: str) -> float:
    costs = []
    for _ in range(TIMES):
        began = time.perf_counter()
        assert client.get(f"/live/?{query}").status_code == 200
        costs.append(time.perf_counter() - began)
    return median(costs) * 1000
