"""One stage for the whole suite, on the loop of the package."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio

from tests.conformance.application import application
from tests.conformance.manual import examples
from tests.conformance.parsing import Case, cases
from tests.conformance.runs import Runs
from tests.conformance.stage import Stage
from tests.postgres_server import postgres


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def runs(temporal_address: str, request: pytest.FixtureRequest) -> AsyncIterator[Runs]:
    """The runs of the chosen cases, under way."""
    published = application([*cases(), *examples()])
    chosen = _chosen(request.session.items)
    with _environment(chosen) as environ:
        stage = await Stage.open(temporal_address, published.entries, environ)
        runs = Runs(stage, published.refused, chosen)
        try:
            yield runs
        finally:
            await runs.stop()
            await stage.close()


@contextmanager
def _environment(chosen: list[tuple[Case, str]]) -> Iterator[dict[str, str]]:
    """With a PostgreSQL, where a case wants one."""
    if not any("postgres" in case.topic.source for case, _ in chosen):
        yield {}
        return
    with postgres() as host:
        yield {"CONF_POSTGRES_HOST": host}


def _chosen(items: list[pytest.Item]) -> list[tuple[Case, str]]:
    """The cases that this session will ask for."""
    calls = [item.callspec.params for item in items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    pairs = [(params.get("case"), str(params.get("unit"))) for params in calls]
    return [(case, unit) for case, unit in pairs if isinstance(case, Case)]
