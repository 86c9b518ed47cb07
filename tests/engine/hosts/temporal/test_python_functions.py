"""Workflows call Python functions: as activities, local and remote."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.engine.hosts.python import code
from tests.engine.hosts.python.support import python
from tests.engine.hosts.temporal.stage import Stage, until
from tests.engine.hosts.temporal.test_crash import client_only, is_running, worker_process

__all__ = ["client_only"]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    code.seen.clear()


@pytest.mark.parametrize("local", ["false", "true"])
async def test_a_run_calls_python_functions(stage: Stage, local: str) -> None:
    stage.catalog.publish(python("add", meta={"temporal": {"activity": {"local": local == "true"}}}))
    stage.catalog.publish(python("add_later"))
    stage.workflow("app:w", "return funcs.call('app:add_later', funcs.call('app:add', 1, 2), 4)")
    assert await stage.value("app:w") == 7


async def test_a_function_knows_its_run_its_deadline_and_what_lua_knows(stage: Stage) -> None:
    stage.catalog.publish(python("who"))
    stage.function("app:lua", "return ctx.get('activity').key")
    stage.workflow(
        "app:w",
        """
        local options = {["activity.start_to_close_timeout"] = "1h"}
        return {funcs.new():with_options(options):call("app:who"), funcs.call("app:who")}
        """,
    )
    pid = await stage.spawn("app:w")
    first, second = (await stage.exit(pid)).value
    assert first["run"] and first["run"] in pid and first["attempt"] == 1
    assert first["deadline"] < "2100" and first["key"] != second["key"] and "activity" not in first["context"]


@pytest.mark.parametrize("local", ["false", "true"])
async def test_tries_have_one_key(stage: Stage, local: str) -> None:
    meta: dict[str, Any] = {"temporal": {"activity": {"local": local == "true"}}}
    stage.catalog.publish(python("fails_twice", meta={**meta, "options": {"retry": {"max_attempts": 5}}}))
    stage.workflow("app:w", "return funcs.call('app:fails_twice')")
    attempt, *details = await stage.value("app:w")
    numbers, keys, told = zip(*code.seen, strict=True)
    assert attempt == 3 and numbers == (1, 2, 3) and len(set(keys)) == 1
    if local == "false":
        assert details == [{"at": 2}] and told == (None, {"at": 1}, {"at": 2})


async def test_errors_come_as_they_went(stage: Stage) -> None:
    stage.catalog.publish(python("refuses"))
    stage.catalog.publish(python("breaks"))
    body = """
        local _, one = funcs.call("app:refuses")
        local _, two = funcs.call("app:breaks")
        return {one:kind(), one:message(), one:details().order, two:kind(), two:message(), two:retryable()}
        """
    stage.workflow("app:w", body)
    told = ["NotFound", "no such order", 7, "Internal", "ValueError: broken inside", False]
    assert await stage.value("app:w") == told


async def test_the_cancel_of_a_call_reaches_the_code(stage: Stage) -> None:
    stage.catalog.publish(python("tells_stop"))
    body = """
        local options = {["activity.heartbeat_timeout"] = "1s"}
        local future = funcs.new():with_options(options):async("app:tells_stop")
        process.listen("enough"):receive()
        future:cancel()
        process.listen("done"):receive()
        """
    stage.workflow("app:w", body)
    pid = await stage.spawn("app:w")
    await until(_holds("began"))
    await stage.host.send(pid, "enough", (), "")
    await until(_holds("stopped"))
    await stage.host.terminate(pid, "", "")


async def test_a_worker_killed_in_a_callable_is_followed_by_a_try_with_the_same_key(
    client_only: Stage, temporal_address: str
) -> None:
    stage = client_only
    options = {"activity.heartbeat_timeout": "2s"}
    stage.catalog.publish(python("stays", meta={"options": options}))
    stage.workflow("app:w", "return funcs.call('app:stays')")
    with worker_process(stage, temporal_address) as first:
        pid = await stage.spawn("app:w")
        await until(lambda: is_running(stage, pid, "app:stays"))
        await until(lambda: _has_beaten(stage, pid))
        first.kill()
        first.wait()
    with worker_process(stage, temporal_address):
        attempt, key, details = (await stage.exit(pid)).value
    assert attempt == 2 and details == {"key": key}


async def _has_beaten(stage: Stage, pid: str) -> bool:
    from tests.engine.hosts.temporal.stage import workflow_id

    description = (await stage.host.describe(workflow_id(pid))).raw_description
    return any(each.HasField("heartbeat_details") for each in description.pending_activities)


def _holds(word: str) -> Any:
    async def holds() -> bool:
        await asyncio.sleep(0)
        return word in code.seen

    return holds
