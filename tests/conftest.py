"""Fixtures that every test may use. Fixtures of one area stand in that area's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.temporal_server import running_temporal


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The host:port of a real Temporal dev server on a database of its own, ended with the session."""
    with running_temporal(tmp_path_factory.mktemp("temporal")) as address:
        yield address
