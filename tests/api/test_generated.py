"""Whatever a caller sends, the API answers as its document says, and never fails: requests made from the document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api import contract
from tests.api.calling import api_of
from tests.console.operating import Cast

EXAMPLES = 5
"""Of each operation and mode."""
ENDLESS = ("feed_events",)
CHECKS = [content_type_conformance, response_schema_conformance, status_code_conformance]

SCHEMA = schemathesis.openapi.from_dict(contract.stored())
OPERATIONS: list[Any] = [found.ok() for found in SCHEMA.get_all_operations()]  # type: ignore[union-attr] # or it raises
TRIED = {name: each for each in OPERATIONS if (name := each.definition.raw["operationId"]) not in ENDLESS}


@pytest.fixture(autouse=True)
def connection_stays() -> Iterator[None]:
    """A server closes its connection after each request; that of a test is the database."""
    for ends in (request_started, request_finished):
        ends.disconnect(close_old_connections)
    yield
    for ends in (request_started, request_finished):
        ends.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", TRIED)
def test_it_answers_as_the_document_says(cast: Cast, name: str, mode: GenerationMode) -> None:
    headers = {"Authorization": f"Bearer {api_of(cast.root, per_minute=100_000).token}"}
    SCHEMA.app = app = get_wsgi_application()
    operation = TRIED[name]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def holds(case: Any) -> None:
        response = case.call(headers=headers, app=app)
        assert response.status_code not in (401, 500, 501), case.as_curl_command()
        case.validate_response(response, checks=CHECKS)

    holds()
