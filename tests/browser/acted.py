"""Acts over many runs in every state, and a history from a file: what their pages show."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone

from tests.browser.scene import HISTORIES, Scene
from wippy_console.models import Batch, ImportedHistory, Run
from wippy_console.services import imported

REASON = "The gateway was down this morning."


@dataclass(frozen=True, slots=True)
class Acted:
    """Batches by their state, and what was brought."""

    batches: dict[str, Batch]
    history: ImportedHistory


def acted(scene: Scene) -> Acted:
    """Put them in."""
    root = scene.stage.cast.root
    made = {state: a_batch(scene, state) for state in ("draft", "running", "stopped", "done")}
    return Acted(made, imported.keep(root, "everything.json", (HISTORIES / "everything.json").read_bytes()))


def a_batch(scene: Scene, state: str) -> Batch:
    """Some are done, one failed, some are left, as far as the state has it."""
    now = timezone.now()
    batch = Batch.objects.create(
        user=scene.stage.cast.root, action="again", state=state, reason="" if state == "draft" else REASON, total=6,
        left_out=2, origin={"query": {"status": "failed", "q": "order"}}, started_at=None if state == "draft" else now,
        finished_at=now if state in ("stopped", "done") else None, stopped_by="root" if state == "stopped" else "",
    )  # fmt: skip
    for at, (run, (how, error)) in enumerate(zip(Run.objects.all()[:6], outcomes(state), strict=False)):
        made = {"made_workflow_id": run.workflow_id, "made_run_id": str(uuid.uuid4())} if how == "done" else {}
        batch.items.create(run=run, position=at, state=how, error=error, done_at=now, **made)
    return batch


def outcomes(state: str) -> Iterator[tuple[str, str]]:
    """Of each item."""
    if state != "draft":
        yield from [("done", ""), ("done", ""), ("failed", "Values of its input are hidden from you (card › number).")]
    while True:
        yield ("done" if state == "done" else "pending"), ""
