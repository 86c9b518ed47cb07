"""Fixtures of the tests of `/hooks/`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from engine.entry import Entry
from tests.hooks import stage
from tests.hooks.stage import Hooks

PYTHON = "tests.hooks.python_code.*"


@pytest.fixture
def _django_db_helper(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's: rows stay as long as the processes that serve a module's tests."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def hooks(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Hooks]:
    """What serves the module's `ENTRIES`; its rows stay until the module ends."""
    given: list[Entry] = request.module.ENTRIES
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOOK_SECRET", stage.SECRET)
        patch.setenv("WIPPY_PYTHON_FUNCTIONS", PYTHON)
        patch.setattr(settings, "PYTHON_FUNCTIONS", (PYTHON,))
        try:
            folder: Path = tmp_path_factory.mktemp("hooks")
            with_node = getattr(request.module, "WITH_NODE", True)
            with stage.served(temporal_address, folder, *given, with_node=with_node) as served:
                yield served
        finally:
            stage.forget()
