"""One stage for the whole suite, on the loop of the package."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conformance.application import application
from tests.conformance.manual import examples
from tests.conformance.parsing import Case, cases
from tests.conformance.runs import Runs
from tests.conformance.stage import Stage


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def runs(temporal_address: str, request: pytest.FixtureRequest) -> AsyncIterator[Runs]:
    """The runs of the chosen cases, under way."""
    published = application([*cases(), *examples()])
    stage = await Stage.open(temporal_address, published.entries)
    runs = Runs(stage, published.refused, _chosen(request.session.items))
    try:
        yield runs
    finally:
        await runs.stop()
        await stage.close()


def _chosen(items: list[pytest.Item]) -> list[tuple[Case, str]]:
    """The cases that this session will ask for."""
    calls = [item.callspec.params for item in items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    pairs = [(params.get("case"), str(params.get("unit"))) for params in calls]
    return [(case, unit) for case, unit in pairs if isinstance(case, Case)]
