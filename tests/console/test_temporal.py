"""What the console makes of Temporal's answers, and what it tells entries of its environment."""

from __future__ import annotations

import pytest
from temporalio.service import RPCError, RPCStatusCode

from wippy_console.services import temporal
from wippy_console.services.errors import Unavailable
from wippy_console.services.temporal import environ

SAYS_NO = ("INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "FAILED_PRECONDITION", "UNAUTHENTICATED")


@pytest.mark.parametrize("status", ["UNAVAILABLE", "UNKNOWN", "INTERNAL", "ABORTED", "DATA_LOSS", "DEADLINE_EXCEEDED"])
def test_a_broken_connection_is_no_refusal_since_the_request_may_have_had_its_effect(status: str) -> None:
    error = RPCError("transport error", RPCStatusCode[status], b"")
    assert isinstance(temporal.translated(error), Unavailable)


@pytest.mark.parametrize("status", SAYS_NO)
def test_an_answer_stays_an_answer(status: str) -> None:
    error = RPCError("no", RPCStatusCode[status], b"")
    assert temporal.translated(error) is error


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL"])
def test_entries_can_not_refer_to_the_consoles_own_secrets(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("TEMPORAL_API_KEY", "theirs")
    assert name not in environ()
    assert environ()["TEMPORAL_API_KEY"] == "theirs"
