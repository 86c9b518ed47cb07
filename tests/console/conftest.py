"""Fixtures of the console's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.console.departments import OURS, Room, make_rooms, member
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


@pytest.fixture
def rooms(db: None) -> dict[str, Room]:
    """Both departments."""
    return make_rooms()


@pytest.fixture
def clerk(rooms: dict[str, Room]) -> User:
    """An author of the shop."""
    return member("clerk", patterns=(f"{OURS}.*",))


@pytest.fixture
def browser(clerk: User) -> Client:
    """Their browser."""
    client = Client()
    client.force_login(clerk)
    return client
