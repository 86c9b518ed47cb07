"""Acts over many runs."""

from __future__ import annotations

from django.contrib import admin

from wippy_console.admin import base
from wippy_console.models import Batch, BatchItem


@admin.register(Batch)
class BatchAdmin(base.ReadOnlyAdmin[Batch]):
    """Who did what to how many; without options, which may hold secrets until the batch has ended."""

    small = True
    everything = True
    exclude = ["options", "key"]
    list_display = ["id", "action", "user", "state", "total", "reason", "started_at", "finished_at"]
    list_filter = ["action", "state"]
    list_select_related = ["user"]
    search_fields = ["user__username"]


@admin.register(BatchItem)
class BatchItemAdmin(base.ReadOnlyAdmin[BatchItem]):
    """What came of each run."""

    namespace = "run__namespace"
    list_display = ["id", "batch", "run_id", "state", "error", "made_run_id", "done_at"]
    list_filter = ["state"]
    list_select_related = ["batch"]
    search_fields = ["run__run_id"]
