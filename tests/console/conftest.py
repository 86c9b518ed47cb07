"""Fixtures of the console's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.console.operating import Cast, Stage, make_cast, stage


@pytest.fixture
def cast(db: None) -> Cast:
    """One person per role."""
    return make_cast()


@pytest.fixture
def on_stage(transactional_db: None, temporal_address: str) -> Iterator[Stage]:
    """A registry and a worker on a real Temporal; rows are committed, since threads read them."""
    with stage(temporal_address) as made:
        yield made
