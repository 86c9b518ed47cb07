"""Who started a run, as its history tells it."""

from __future__ import annotations

import pytest
from temporalio.api.history.v1 import HistoryEvent

from engine.hosts.temporal.wire import payloads
from engine.memory.catalog import MemoryCatalog
from wippy_console.services.projection import NODE, USER_MEMO, Ref
from wippy_console.services.projection.reading import beginning


def started(**changes: str) -> HistoryEvent:
    event = HistoryEvent()
    attributes = event.workflow_execution_started_event_attributes
    attributes.memo.fields[USER_MEMO].CopyFrom(payloads.encode("operator", "memo"))
    attributes.identity = changes.get("identity", "12@host")
    attributes.continued_execution_run_id = changes.get("continued", "")
    attributes.parent_workflow_execution.workflow_id = changes.get("parent", "")
    return event


def test_the_memo_of_a_start_in_the_console_names_who_started_it() -> None:
    assert beginning(MemoryCatalog(), Ref("app:client", "w", "r"), [started()]).starter == "operator"


@pytest.mark.parametrize("changes", [{"identity": f"{NODE}7"}, {"continued": "another"}, {"parent": "another"}])
def test_a_memo_that_code_wrote_names_nobody(changes: dict[str, str]) -> None:
    assert beginning(MemoryCatalog(), Ref("app:client", "w", "r"), [started(**changes)]).starter == ""
