"""Who started a run, by a memo that any client of Temporal can write."""

from __future__ import annotations

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import WorkflowExecutionStartedEventAttributes

from wippy_console.services.projection import reading


@pytest.mark.parametrize(
    ("memo", "shown"),
    [
        (Payload(metadata={"encoding": b"json/plain"}, data=b"[1]"), ""),
        (Payload(metadata={"encoding": b"json/plain"}, data=b'"a\\ud800b"'), "a?b"),
        (Payload(metadata={"encoding": b"json/plain"}, data=b'"a\\u0000b"'), "a\ufffdb"),
    ],
)
def test_a_memo_that_can_not_be_kept_holds_up_no_batch(memo: Payload, shown: str) -> None:
    event = WorkflowExecutionStartedEventAttributes(identity="somebody")
    event.memo.fields[reading.USER_MEMO].CopyFrom(memo)
    assert reading._starter(event) == shown
