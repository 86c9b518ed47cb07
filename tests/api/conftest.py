"""Fixtures of the tests of the API: those of the console's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.nodes import node
from tests.console.conftest import cast, clerk, on_stage, rooms
from tests.console.operating import Cast

__all__ = ["cast", "clerk", "on_stage", "rooms"]


@pytest.fixture
def on_node(transactional_db: None, temporal_address: str, tmp_path: Path) -> Iterator[Cast]:
    """People, and a node with functions and processes."""
    with node(temporal_address, tmp_path) as cast:
        yield cast
