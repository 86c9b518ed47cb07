"""The chain of hashes: each row's covers all that it says and the hash of the row before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db.models import QuerySet

from wippy_console.models import AuditRow

_CHUNK = 2000
_COVERED = (
    "user", "action", "entry_id", "namespace", "workflow_id", "run_id", "question_id", "decision_id", "label",
    "outcome", "data", "previous",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain breaks, and how."""

    row: int
    what: str


def hash_of(row: AuditRow) -> str:
    """SHA-256 of the row's content as JSON with sorted names; times in UTC to the microsecond."""
    content: dict[str, Any] = {name: getattr(row, name) for name in _COVERED}
    content["at"] = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def verify(rows: QuerySet[AuditRow] | None = None) -> Iterator[Break]:
    """Every place where a row was changed, or one before it taken away; in the order of the rows.

    Rows taken from the end leave no trace within the table: compare the last hash with one noted elsewhere.
    """
    before = ""
    for row in (AuditRow.objects.all() if rows is None else rows).order_by("id").iterator(chunk_size=_CHUNK):
        if row.previous != before:
            yield Break(row.id, "the row before it was changed or taken away")
        if row.hash != hash_of(row):
            yield Break(row.id, "it was changed")
        before = row.hash
