"""Who started a run, as its history tells it."""

from __future__ import annotations

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent

from engine.hosts.temporal.wire import payloads
from engine.memory.catalog import MemoryCatalog
from wippy_console.services.projection import NODE, USER_MEMO, Ref
from wippy_console.services.projection.reading import beginning


def started(name: str | Payload = "operator", identity: str = "", continued: str = "", parent: str = "") -> str:
    event = HistoryEvent()
    attributes = event.workflow_execution_started_event_attributes
    memo = name if isinstance(name, Payload) else payloads.encode(name, "memo")
    attributes.memo.fields[USER_MEMO].CopyFrom(memo)
    attributes.identity = identity or f"user:{name}"
    attributes.continued_execution_run_id = continued
    attributes.parent_workflow_execution.workflow_id = parent
    return beginning(MemoryCatalog(), Ref("app:client", "w", "r"), [event]).starter


@pytest.mark.parametrize(
    ("name", "identity"), [("operator", "user:operator"), ("cli:root", "cli:root"), ("cli:root/olga", "cli:root/olga")]
)
def test_the_identity_and_the_memo_of_a_start_in_the_console_name_who_started_it(name: str, identity: str) -> None:
    assert started(name, identity) == name


@pytest.mark.parametrize(
    "identity", ["12@host", f"{NODE}7", "operator", "user:another", "cli:operator", "user:Operator"]
)
def test_a_memo_that_another_client_or_code_wrote_names_nobody(identity: str) -> None:
    assert started(identity=identity) == ""


@pytest.mark.parametrize("changes", [{"continued": "another"}, {"parent": "another"}])
def test_what_goes_on_by_itself_or_was_started_by_a_run_names_nobody(changes: dict[str, str]) -> None:
    assert started(**changes) == ""


@pytest.mark.parametrize("data", [b"[1]", b'"a\\ud800b"', b'"a\\u0000b"', b'""'])
def test_a_memo_that_can_not_be_kept_holds_up_no_batch(data: bytes) -> None:
    memo = Payload(metadata={"encoding": b"json/plain"}, data=data)
    for identity in ("user:a", "user:a\0b", "user:a?b", "user:"):
        assert started(memo, identity) == ""
