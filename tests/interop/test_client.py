"""A plain Temporal client, without interceptors of ours: values are plain JSON in both directions."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from temporalio.exceptions import ApplicationError, CancelledError, TerminatedError
from temporalio.service import RPCError, RPCStatusCode

from tests.engine.hosts.temporal.stage import Stage


@pytest.fixture
async def plain(temporal_address: str) -> Client:
    """A client that knows nothing of Wippy."""
    return await Client.connect(temporal_address)


async def begin(plain: Client, stage: Stage, entry: str, *args: Any, **options: Any) -> WorkflowHandle[Any, Any]:
    """Start a workflow as anybody would."""
    return await plain.start_workflow(
        entry, args=args, id=str(uuid.uuid4()), task_queue=stage.settings.task_queue, **options
    )


async def test_arguments_and_results_are_plain_json(plain: Client, stage: Stage) -> None:
    stage.workflow(
        "app:types",
        """
        local kinds = {type(a), math.type(b[1]), math.type(b[2])}
        return {a = a, kinds = kinds, third = c == nil, list = {}, nested = {x = {1}}}
        """,
    )
    handle = await begin(plain, stage, "app:types", {"k": "v", "none": None}, [1, 1.5, None], None)
    assert await handle.result() == {
        "a": {"k": "v"}, "kinds": ["table", "integer", "float"], "third": True, "list": [], "nested": {"x": [1]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("return", None),
        ("return 'text'", "text"),
        ("return 3", 3),
        ("return 2.5", 2.5),
        ("return true", True),
        ("return {1, 2, 3}", [1, 2, 3]),
        ("return {a = 1}", {"a": 1}),
        ("return '\\xff\\x00'", b"\xff\x00"),
        ("return 0/0", None),
        ("return {math.huge, function() end, 1}", [None, None, 1]),
        ("return errors.new{message = 'm', kind = 'Conflict'}", {"$failure"}),
    ],
)
async def test_results_have_the_documented_form(plain: Client, stage: Stage, code: str, value: Any) -> None:
    stage.workflow("app:value", code)
    result = await (await begin(plain, stage, "app:value")).result()
    assert (set(result) if isinstance(value, set) else result) == value


async def test_signals_may_have_any_number_of_arguments(plain: Client, stage: Stage) -> None:
    stage.workflow(
        "app:signals",
        """
        local raw, inbox, out = process.listen("raw"), process.inbox(), {}
        for i = 1, 3 do out[i] = raw:receive() or "none" end
        for _ = 1, 3 do
            local m = inbox:receive()
            local p = m:payload()
            local count = p == nil and 0 or type(p) == "table" and #p or 1
            out[#out + 1] = {m:topic(), m:from(), count}
        end
        return out
        """,
    )
    handle = await begin(plain, stage, "app:signals")
    for args in ([], ["one"], ["one", {"two": 2}]):
        await handle.signal("raw", args=args)
    for args in ([], ["one"], ["one", {"two": 2}]):
        await handle.signal("box", args=args)
    assert await handle.result() == [
        "none", "one", ["one", {"two": 2}], ["box", "", 0], ["box", "", 1], ["box", "", 2],
    ]  # fmt: skip


async def test_values_that_lua_does_not_like_arrive_as_documented(plain: Client, stage: Stage) -> None:
    stage.workflow(
        "app:odd",
        """
        return {a[1] == 1 and a[2] == nil and a[3] == 3, b.x == nil and b.y.z == nil, math.type(c.big) == "float",
                c.max == math.maxinteger, c.zero == 0 and math.type(c.zero), c.deep[1][1][1] == nil}
        """,
    )
    odd = {"big": 10**30, "max": 2**63 - 1, "zero": 0.0, "deep": [[[None]]]}
    handle = await begin(plain, stage, "app:odd", [1, None, 3], {"x": None, "y": {"z": None}}, odd)
    assert await handle.result() == [True, True, True, True, "float", True]


UPDATES = """
local inbox, held = process.inbox(), {}
while true do
    local m = inbox:receive()
    local topic, from, p = m:topic(), m:from(), m:payload()
    if topic == "sum" then
        process.send(from, "ack")
        process.send(from, "ok", p[1]:data() + p[2]:data())
    elseif topic == "ok-only" then process.send(from, "ok", "fine")
    elseif topic == "nothing" then process.send(from, "ack") process.send(from, "ok")
    elseif topic == "nak" then process.send(from, "nak", p and p:data())
    elseif topic == "error" then
        process.send(from, "ack")
        process.send(from, "error", errors.new{message = "no stock", kind = errors.CONFLICT, details = {sku = "a"}})
    elseif topic == "orders" then
        local out = {}
        local function note(topic)
            local ok, err = process.send(from, topic)
            out[#out + 1] = ok and "ok" or err:kind()
        end
        note("ack") note("ack") note("nak") note("maybe")
        process.send(from, "ok", out)
        local ok, err = process.send(from, "ok", 1)
        held.late = err:kind()
    elseif topic == "hold" then process.send(from, "ack")
    else return held end
end
"""


async def test_updates_are_answered_with_plain_values(plain: Client, stage: Stage) -> None:
    stage.workflow("app:updates", UPDATES)
    handle = await begin(plain, stage, "app:updates")
    assert await handle.execute_update("sum", args=[2, 40]) == 42
    assert await handle.execute_update("ok-only") == "fine"
    assert await handle.execute_update("nothing") is None
    assert await handle.execute_update("orders") == ["ok", "Conflict", "Conflict", "Invalid"]
    await handle.signal("end")
    assert await handle.result() == {"late": "NotFound"}


@pytest.mark.parametrize(
    ("name", "args", "message", "type_name"),
    [
        ("nak", [], "update rejected", "Internal"),
        ("nak", ["closed on mondays"], "closed on mondays", "Internal"),
        ("error", [], "no stock", "Conflict"),
    ],
)
async def test_refused_and_failed_updates_are_application_errors(
    plain: Client, stage: Stage, name: str, args: list[Any], message: str, type_name: str
) -> None:
    stage.workflow("app:updates", UPDATES)
    handle = await begin(plain, stage, "app:updates")
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await handle.execute_update(name, args=args)
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type) == (message, type_name)
    await handle.terminate()


async def test_an_update_that_is_started_is_polled_later(plain: Client, stage: Stage) -> None:
    stage.workflow("app:updates", UPDATES)
    handle = await begin(plain, stage, "app:updates")
    started = await handle.start_update("sum", args=[1, 2], wait_for_stage=WorkflowUpdateStage.ACCEPTED, id="u-7")
    assert await started.result() == 3
    assert await handle.get_update_handle("u-7").result() == 3
    await handle.terminate()


async def test_an_update_that_is_never_answered_ends_with_the_run(plain: Client, stage: Stage) -> None:
    stage.workflow("app:updates", UPDATES)
    handle = await begin(plain, stage, "app:updates")
    held = await handle.start_update("hold", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    await handle.signal("end")
    assert await handle.result() == []
    with pytest.raises((WorkflowUpdateFailedError, RPCError)):
        await held.result()


async def test_queries_answer_plain_values(plain: Client, stage: Stage) -> None:
    stage.workflow("app:waits", "return process.listen('go'):receive()")
    handle = await begin(plain, stage, "app:waits")
    await stage.waits_for(f"{{app:client@app:worker|{handle.id}}}", "topic", "go")
    state = await handle.query("state")
    assert (state["entry"], state["waits"][0]["name"]) == ("app:waits", "go")
    assert (state["waits"][0]["number"], state["waits"][0]["joined"]) == (1, 1)
    assert await handle.query("pid") == f"{{app:client@app:worker|{handle.id}}}"
    with pytest.raises(WorkflowQueryFailedError, match="query 'price' not found"):
        await handle.query("price")
    await handle.signal("go", 1)
    await handle.result()
    assert (await handle.query("state"))["status"] == "returned"


async def test_a_failure_is_an_application_error_of_its_kind(plain: Client, stage: Stage) -> None:
    stage.workflow(
        "app:fails",
        "return nil, errors.new{message = 'late', kind = errors.TIMEOUT, retryable = true, details = {n = 1}}",
    )
    with pytest.raises(WorkflowFailureError) as caught:
        await (await begin(plain, stage, "app:fails")).result()
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message, cause.non_retryable) == ("Timeout", "late", False)
    (link,) = cause.details[0]["errors"]
    assert (link["msg"], link["kind"], link["retry"], link["details"]) == ("late", "Timeout", True, {"n": 1})


async def test_cancel_and_terminate_are_seen_by_the_client(plain: Client, stage: Stage) -> None:
    stage.workflow(
        "app:stops",
        "process.events():receive() return nil, errors.new{message = 'stopped', kind = 'Canceled', retryable = false}",
    )
    handle = await begin(plain, stage, "app:stops")
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, CancelledError)
    handle = await begin(plain, stage, "app:stops")
    await handle.terminate("enough")
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, TerminatedError)


async def test_signal_with_start_brings_the_first_message(plain: Client, stage: Stage) -> None:
    stage.workflow("app:first", "local m = process.inbox():receive() return {m:topic(), m:payload():data(), a}")
    handle = await begin(plain, stage, "app:first", "x", start_signal="hello", start_signal_args=[5])
    assert await handle.result() == ["hello", 5, "x"]


async def test_signalling_what_has_ended_is_refused_by_the_server(plain: Client, stage: Stage) -> None:
    stage.workflow("app:quick", "return 1")
    handle = await begin(plain, stage, "app:quick")
    await handle.result()
    with pytest.raises(RPCError) as caught:
        await handle.signal("late")
    assert caught.value.status is RPCStatusCode.NOT_FOUND


async def test_a_type_that_nobody_published_fails_the_run_clearly(plain: Client, stage: Stage) -> None:
    with pytest.raises(WorkflowFailureError) as caught:
        await (await begin(plain, stage, "app:nobody")).result()
    assert isinstance(caught.value.cause, ApplicationError)
    assert (caught.value.cause.type, "'app:nobody' not found" in caught.value.cause.message) == ("NotFound", True)
