"""What the page of a run costs by the length of its history, in a headless browser."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench import histories
from bench.console import prepared
from bench.figure import Figure

SIZES = (5, 200, 3_000, 10_000)
TIMES = 5
ASKED = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return [page.responseStart, paint ? paint.startTime : 0, page.decodedBodySize, document.querySelectorAll("*").length,
    document.querySelectorAll(".tl-item").length];
}"""


@dataclass(frozen=True)
class Cost:
    """Milliseconds to the first byte and the first paint; bytes of the page; elements, and rows among them."""

    first_byte: float
    first_paint: float
    bytes: int
    nodes: int
    rows: int


def page_by_events() -> Figure:
    """The first paint of a run of 200 events against that of one of 10,000."""
    with tempfile.TemporaryDirectory(prefix="wippy-bench-", ignore_cleanup_errors=True) as folder:
        client = prepared(folder)
        addresses = {size: _run(size) for size in SIZES}
        with _browser(client) as open_page:
            costs = {size: _cost(open_page, address) for size, address in addresses.items()}
    told = "; ".join(
        f"{size:,} events: first byte {each.first_byte:.0f} ms, first paint {each.first_paint:.0f} ms, "
        f"{each.bytes / 1000:.0f} kB, {each.nodes:,} elements, {each.rows} rows"
        for size, each in costs.items()
    )
    value = costs[200].first_paint / costs[10_000].first_paint
    return Figure("page of a run of 200 events / of 10,000, first paint", value, 0.25, told)


def update_by_events() -> Figure:
    """The bytes that tell all of a run of 10,000 events against those that tell of one more call."""
    with tempfile.TemporaryDirectory(prefix="wippy-bench-", ignore_cleanup_errors=True) as folder:
        prepared(folder)
        told = {size: _update(size) for size in SIZES}
    words = "; ".join(
        f"{size:,} events: {whole:,} and {one:,}, unchanged {none}" for size, (whole, one, none) in told.items()
    )
    whole, one, _ = told[10_000]
    return Figure(
        "bytes of a run of 10,000 events / of one more call in it", whole / one, 200, f"in bytes of JSON: {words}"
    )


def _update(size: int) -> tuple[int, int, int]:
    """Bytes of everything, of what one more call changes, and of nothing."""
    from wippy_console.services.timeline import changes  # noqa: PLC0415
    from wippy_console.services.timeline.assembly import timeline  # noqa: PLC0415
    from wippy_console.services.timeline.known import Known  # noqa: PLC0415
    from wippy_console.views import timeline_json  # noqa: PLC0415

    events, known, sizes, cursor = histories.history(size), Known(), [], ""
    known.read(events)
    for more in (False, True, False):
        if more:
            histories.call(events, len(events) // 3 - 1)
            known.read(events)
        found = changes.since(timeline(known, {}, histories.BEGAN, None), cursor, sees=False)
        sizes.append(len(json.dumps(timeline_json.changes(found, {}), separators=(",", ":"))))
        cursor = found.cursor
    return sizes[0], sizes[1], sizes[2]


def _run(size: int) -> str:
    """An archived run of so many events; its address."""
    from django.urls import reverse  # noqa: PLC0415

    from wippy_console.models import HistoryArchive, Run  # noqa: PLC0415
    from wippy_console.services.histories import packed  # noqa: PLC0415

    events = histories.history(size - 1)
    histories.end(events)
    run = Run.objects.create(
        run_id=str(uuid.uuid4()), workflow_id=f"long-{size}", entry_id="app:flow", client="app:client",
        status="completed", started_at=histories.BEGAN, closed_at=histories.BEGAN, history_length=len(events), input=[],
    )  # fmt: skip
    HistoryArchive.objects.create(run=run, content=packed(events), events=len(events))
    return reverse("run", args=(run.workflow_id, run.run_id))


@contextmanager
def _browser(client: Any) -> Iterator[Any]:
    """A function that opens a page of the site, as the client's user, in Chromium."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: PLC0415
    from django.test.testcases import LiveServerThread  # noqa: PLC0415
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    site = f"http://127.0.0.1:{server.port}"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = chromium.new_context(base_url=site, viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": each.key, "value": each.value, "url": site} for each in client.cookies.values()])
        page = context.new_page()
        yield lambda address: _opened(page, address)
        chromium.close()
    server.terminate()


def _opened(page: Any, address: str) -> list[float]:
    page.goto("about:blank")
    page.goto(address, wait_until="load")
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
    page.wait_for_timeout(300)  # rows are drawn by the browser from now on
    return list(page.evaluate(ASKED))


def _cost(open_page: Any, address: str) -> Cost:
    """The medians of some page loads, the first of which reads the history."""
    found = [open_page(address) for _ in range(TIMES)]
    byte, paint, size, nodes, rows = (median(column) for column in zip(*found, strict=True))
    return Cost(byte, paint, int(size), int(nodes), int(rows))
