"""The embedded Temporal server."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from wippy_console.supervision.dev_server import RETENTION, DevServer, FileInUse, prepare


async def test_closed_runs_stay_longer_than_a_day(temporal_address: str) -> None:
    await prepare(temporal_address)
    client = await Client.connect(temporal_address)
    namespace = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert namespace.config.workflow_execution_retention_ttl.ToTimedelta() == RETENTION


def test_two_servers_never_share_a_database_file(data_dir: Path) -> None:
    first = DevServer(data_dir / "temporal.sqlite3", 1)
    first.lock()
    with pytest.raises(FileInUse, match=r"temporal\.sqlite3"):
        DevServer(data_dir / "temporal.sqlite3", 2).lock()
