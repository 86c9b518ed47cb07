"""Fixtures of the console's tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.console.departments import OURS, Room, make_rooms, member
from tests.console.notifying import Hook, Mailbox, running
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


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """A mail server that the console sends to."""
    with running(Mailbox()) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.WIPPY_URL = "https://console.example.org"
        yield server


@pytest.fixture
def hook(settings: Any) -> Iterator[Hook]:
    """A receiver on this machine, which may be sent to."""
    settings.NOTIFY_ALLOW = ("127.0.0.1",)
    with running(Hook()) as server:
        yield server
