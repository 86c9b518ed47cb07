"""Nodes of the version before go on writing while a newer console has migrated the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from wippy_console.models import Node, Outgoing, Process


def models_of(migration: str) -> Any:
    """The models as code of that migration has them."""
    return MigrationLoader(connection).project_state([("wippy_console", migration)]).apps


@pytest.mark.django_db
def test_a_node_that_knows_no_operations_writes_its_rows() -> None:
    older = models_of("0033_runs_by_client_and_starter")
    node = older.get_model("wippy_console", "Node").objects.create(
        id="old", hostname="h", os_pid=1, started_at=timezone.now(), heartbeat_at=timezone.now()
    )
    older.get_model("wippy_console", "Process").objects.create(
        node=node, pid="{old@h|1}", kind="process", entry_id="app:a", host_id="app:h", state="idle",
        started_at=timezone.now(),
    )  # fmt: skip
    assert Node.objects.get().functions == {}
    row = Process.objects.get()
    assert (row.doing, row.operations, row.doing_since) == ([], 0, None)


@pytest.mark.django_db
def test_code_that_knows_no_answers_keeps_its_starts() -> None:
    models_of("0037_outgoing").get_model("wippy_console", "Outgoing").objects.create(deed="start", entry="app:a")
    row = Outgoing.objects.get()
    assert (row.label, row.reason) == ("", "")
