"""What a page of the list of runs costs by how many runs there are: without filters, and by the search box."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from bench.console import prepared
from bench.figure import Figure

COUNTS = (10, 1_000, 100_000)
TIMES = 7
BATCH = 10_000
SEARCHES = {
    "all": "",
    "any": "?q=order",
    "one": "?q=order-7",
    "rare": "?q=customer=c3",
    "short": "?q=7",
    "none": "?q=nothing+like+it",
    "both": "?q=order&status=failed",
    "key": "?key=order.id%3D7",
}
"""The pages that are measured; most match very many runs, some one, one none."""


def pages_by_runs(counts: Sequence[int] = COUNTS) -> Figure:
    """The slowest page at the second number of runs against that at the last one."""
    with tempfile.TemporaryDirectory(prefix="wippy-bench-", ignore_cleanup_errors=True) as folder:
        client, made, found = prepared(folder), 0, {}
        for count in counts:
            _make(made, count)
            made = count
            found[count] = {name: _milliseconds(client, query) for name, query in SEARCHES.items()}
    slowest = {count: max(times.values()) for count, times in found.items()}
    detail = "; ".join(
        f"at {count:,}: {', '.join(f'{name} {cost:.0f}' for name, cost in times.items())} ms"
        for count, times in found.items()
    )
    few, many = counts[1], counts[-1]
    return Figure(f"list of runs, slowest search at {few:,} / at {many:,}", slowest[few] / slowest[many], 0.67, detail)


def _make(first: int, count: int) -> None:
    """Runs over time, every fiftieth of them failed."""
    from django.utils import timezone  # noqa: PLC0415

    from wippy_console.models import Run  # noqa: PLC0415
    from wippy_console.models.runs import lines  # noqa: PLC0415

    began = timezone.now() - timedelta(days=30)
    for start in range(first, count, BATCH):
        rows = [_run(Run, lines, n, began) for n in range(start, min(start + BATCH, count))]
        Run.objects.bulk_create(rows, batch_size=500)


def _run(model: Any, lines: Any, n: int, began: datetime) -> Any:
    keys = {"order.id": str(n), "customer": f"C{n % 5000}"}
    ids = [f"order-{n}", f"{n:08x}-0000-7000-8000-0199{n:08x}", "shop.orders:process"]
    told = lines([*ids, "Process an order", *(f"{path}={text}" for path, text in keys.items())])
    return model(
        workflow_id=ids[0], run_id=ids[1], entry_id=ids[2], namespace="shop.orders", client="app:client", keys=keys,
        started_at=began + timedelta(seconds=n), status="failed" if n % 50 == 0 else "completed",
        closed_at=began + timedelta(seconds=n + 5), history_length=11, input=[{"order": {"id": n}}], search=told,
    )  # fmt: skip


def _milliseconds(client: Any, query: str) -> float:
    costs = []
    for _ in range(TIMES):
        began = time.perf_counter()
        assert client.get(f"/runs/{query}", headers={"HX-Request": "true"}).status_code == 200
        costs.append(time.perf_counter() - began)
    return median(costs) * 1000


if __name__ == "__main__":
    print(pages_by_runs([int(each) for each in sys.argv[1:]] or COUNTS).detail, flush=True)
    os._exit(0)
