"""What a page of the inbox costs by how many questions are open."""

from __future__ import annotations

import tempfile
import time
from statistics import median
from typing import Any

from bench.console import prepared
from bench.figure import Figure

FEW, MANY, OVER = 50, 5_000, 20_000
TIMES = 15
VIEWS = ("open", "mine", "unassigned", "overdue", "soon", "done")
SIGNALS = [{"topic": "decision", "label": label, "role": "approvers"} for label in ("Approve", "Reject")]


def pages_by_questions() -> Figure:
    """The time of the first page at 50 open questions against that at 5,000. The other views have fewer rows at 50."""
    with tempfile.TemporaryDirectory(prefix="wippy-bench-", ignore_cleanup_errors=True) as folder:
        client = prepared(folder)
        _ask(OVER, is_open=False)
        _ask(FEW, first=OVER)
        few = {view: _milliseconds(client, view) for view in VIEWS}
        _ask(MANY - FEW, first=OVER + FEW)
        many = {view: _milliseconds(client, view) for view in VIEWS}
    times = ", ".join(f"{view} {few[view]:.1f} and {many[view]:.1f} ms" for view in VIEWS)
    detail = f"at {FEW} and at {MANY:,} beside {OVER:,} that are over: {times}"
    return Figure(f"inbox at {FEW} / at {MANY:,} open questions", few["open"] / many["open"], 0.67, detail)


def _ask(count: int, first: int = 0, *, is_open: bool = True) -> None:
    """So many questions of runs of their own: of each priority, with and without a date, some of them taken."""
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from wippy_console.models import Question, QuestionRole, Run  # noqa: PLC0415

    now, olga = timezone.now(), User.objects.get(username="olga")
    runs = Run.objects.bulk_create(
        [
            Run(run_id=f"r-{n}", workflow_id=f"order-{n}", entry_id="app:flow", client="app:client", started_at=now,
                input=[{"order": n, "customer": f"Customer {n}", "amount": n * 10}])
            for n in range(first, first + count)
        ],
        batch_size=500,
    )  # fmt: skip
    made = [Question(run=run, number=0, key="k", opened_at=now, signals=SIGNALS, **_about(n, now, olga, is_open))
            for n, run in enumerate(runs, first)]  # fmt: skip
    asked = Question.objects.bulk_create(made, batch_size=500)
    QuestionRole.objects.bulk_create([QuestionRole(question=each, role="approvers") for each in asked], batch_size=500)


def _about(n: int, now: Any, olga: Any, is_open: bool) -> dict[str, Any]:
    from datetime import timedelta  # noqa: PLC0415

    from wippy_console.models.decisions import FAR  # noqa: PLC0415

    date = now + timedelta(minutes=n % 4000 - 2000) if n % 2 else FAR
    over = {} if is_open else {"closed_at": now - timedelta(seconds=n), "outcome": "answered"}
    taken = olga if n % 5 == 0 else None
    return {
        "priority": (10, 50, 50, 65, 90)[n % 5],
        "nearest_at": date,
        "assignee": taken,
        "search": f"order-{n}",
        **over,
    }


def _milliseconds(client: Any, view: str) -> float:
    """The median of some page loads."""
    costs = []
    for _ in range(TIMES):
        began = time.perf_counter()
        assert client.get(f"/inbox/?view={view}").status_code == 200
        costs.append(time.perf_counter() - began)
    return median(costs) * 1000
