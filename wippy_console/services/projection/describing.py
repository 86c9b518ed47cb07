"""Tells of runs that were written before their rows could: keys, summary and what they are found by."""

from __future__ import annotations

from django.db import transaction

from engine.contracts.catalog import Catalog
from wippy_console.database.locks import lock_for_transaction
from wippy_console.models import Run
from wippy_console.services import business_keys
from wippy_console.services.projection.rows import entry_of
from wippy_console.services.projection.writing import LOCK

BATCH = 200
_READ = ("run_id", "workflow_id", "entry_id", "registry_version", "namespace", "input", "keys", "search", "summary")
_WRITTEN = ("keys", "search", "summary")


def describe_some(catalog: Catalog, limit: int = BATCH) -> int:
    """The newest rows that say nothing yet, in one transaction; how many there were."""
    if not Run.objects.filter(keys__isnull=True).exists():
        return 0
    with transaction.atomic():
        lock_for_transaction(LOCK)  # nobody else writes runs meanwhile
        rows = list(Run.objects.filter(keys__isnull=True).order_by("-started_at").only(*_READ)[:limit])
        for run in rows:
            entry, given = entry_of(run, catalog), run.input[0] if isinstance(run.input, list) and run.input else None
            business_keys.describe(run, entry.meta if entry else None, given)
        Run.objects.bulk_update(rows, _WRITTEN, batch_size=BATCH)
    return len(rows)


def describe_all(catalog: Catalog) -> int:
    """All of them, batch by batch."""
    count = 0
    while found := describe_some(catalog, 5 * BATCH):
        count += found
    return count
