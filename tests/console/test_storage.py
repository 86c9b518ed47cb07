"""Home and API tell whether what happens can be kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.console.operating import Cast
from wippy_console.models import Node
from wippy_console.services import storage

pytestmark = pytest.mark.django_db


def told(cast: Cast) -> tuple[str, dict[str, Any]]:
    client = Client()
    client.force_login(cast.root)
    return client.get("/health/").content.decode(), client.get("/api/v1/health").json()


def test_room_and_the_last_write_are_told(cast: Cast) -> None:
    now = timezone.now()
    Node.objects.create(id="n", hostname="h", os_pid=1, started_at=now, heartbeat_at=now)
    page, answer = told(cast)
    assert "free, last write" in page
    assert answer["storage"]["problem"] == "" and answer["storage"]["free"] > 0
    assert answer["storage"]["written_at"].startswith(f"{now:%Y-%m-%dT%H:%M:%S}")


def test_little_room_is_something_amiss(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "LITTLE_BYTES", 1 << 60)
    page, answer = told(cast)
    assert "make room before writes fail" in page
    assert "make room" in answer["storage"]["problem"] and answer["ok"] is False


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a read-only mode is PostgreSQL's")
def test_a_read_only_database_is_something_amiss(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        try:
            assert "takes no writes" in storage.storage().problem
        finally:
            cursor.execute("SET default_transaction_read_only = off")


def test_the_data_folder_is_where_room_is_looked_for() -> None:
    assert Path(settings.WIPPY_DATA).exists() and storage.storage().free > 0
