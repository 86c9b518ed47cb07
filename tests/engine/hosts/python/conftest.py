"""What the functions of `code.py` tell, and the end of those that wait, per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.hosts.python import code


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    code.seen.clear()
    code.release.clear()
    yield
    code.release.set()
