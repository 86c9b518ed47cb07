"""The fixtures."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from wippy_console.testing.server import running_temporal

if TYPE_CHECKING:
    from wippy_console.testing.serving import Workflows


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Temporal of this session's own."""
    with running_temporal(tmp_path_factory.mktemp("temporal"), _free_port) as address:
        yield address


@pytest.fixture
def workflows(temporal_server: str, transactional_db: None, settings: Any) -> Iterator[Workflows]:
    """A registry, and a worker that serves it, both empty at first: `workflows.publish("shop/entries")`."""
    from wippy_console.testing.serving import serving  # noqa: PLC0415 - needs the models

    settings.TEMPORAL_ADDRESS = temporal_server
    with serving(temporal_server) as served:
        yield served


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])
