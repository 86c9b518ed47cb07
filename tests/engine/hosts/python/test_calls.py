from __future__ import annotations

import gc
from dataclasses import replace

import pytest

from engine.attempt import Attempt
from engine.hosts.actor.attempts import MOST_COUNTED, Nested
from engine.security.context import Actor, Security
from tests.engine.hosts.actor.support import lua, process
from tests.engine.hosts.python import code
from tests.engine.hosts.python.support import python, python_lab


async def test_a_python_function_is_called_with_a_context_and_the_arguments() -> None:
    async with python_lab(python("add"), python("add_later"), python("calm")) as it:
        assert await it.call("app:add", 1, 2) == 3
        assert await it.call("app:add", 1) == 11
        assert await it.call("app:add_later", 1, 2) == 3
        assert await it.call("app:calm") == "calm"


async def test_lua_functions_and_processes_call_python_functions() -> None:
    body = "local f, err = funcs.call('app:add', 2, 3) assert(not err, err) return f"
    async with python_lab(python("add"), process("app:p", body, meta={"default_host": "app:procs"})) as it:
        assert await it.run(body) == 5
        assert await it.call("app:p") == 5
        assert (
            await it.run("local f = funcs.async('app:add', 2, 3) local ch = f:response() return ch:receive():data()")
            == 5
        )


async def test_the_context_says_which_call_it_is() -> None:
    security = Security(Actor("user:1", {}), ())
    async with python_lab(python("who")) as it:
        told = await it.call("app:who", security=security, context={"order": 5}, options={"timeout": "1h"})
        assert (told["entry"], told["attempt"], told["actor"], told["context"]) == (
            "app:who",
            1,
            "user:1",
            {"order": 5},
        )
        assert told["pid"].startswith("{node-1@app:who|") and told["run"] is None
        assert told["deadline"].startswith("20") and told["deadline"].endswith("+00:00")
        assert told["key"] and told["key"] != (await it.call("app:who"))["key"]
        assert (await it.call("app:who"))["deadline"] is None


async def test_every_try_of_a_call_has_its_number_the_same_key_and_what_the_last_one_told() -> None:
    retry = {"retry": {"max_attempts": 5, "initial_delay": 1}}
    async with python_lab(python("fails_twice", meta={"options": retry})) as it:
        assert await it.call("app:fails_twice") == [3, {"at": 2}]
        numbers, keys, details = zip(*code.seen, strict=True)
        assert numbers == (1, 2, 3) and len(set(keys)) == 1 and details == (None, {"at": 1}, {"at": 2})


async def test_errors_of_the_sdk_are_those_of_lua() -> None:
    body = "local _, err = funcs.call('app:refuses') return {err:kind(), err:message(), err:retryable(), err:details()}"
    async with python_lab(python("refuses")) as it:
        assert await it.run(body) == ["NotFound", "no such order", False, {"order": 7}]


async def test_any_other_exception_is_internal_with_the_frames_of_the_code_and_no_path_of_the_machine() -> None:
    async with python_lab(python("breaks"), python("exits"), python("late")) as it:
        failure = await it.failure("app:breaks")
        assert (failure.kind, failure.message, failure.retryable) == ("Internal", "ValueError: broken inside", None)
        assert "tests/engine/hosts/python/code.py" in failure.stack and "in inner" in failure.stack
        assert "functions.py" not in failure.stack and ' "/' not in failure.stack and "\n/" not in failure.stack
        assert (await it.failure("app:exits")).message == "SystemExit: 3"
        assert "make it an async def" in (await it.failure("app:late")).message


@pytest.mark.parametrize("name", ["gathers", "gathers_later"])
async def test_what_code_that_failed_had_gathered_does_not_wait_for_the_garbage_collector(name: str) -> None:
    async with python_lab(python(name)) as it:
        gc.collect()
        gc.disable()
        try:
            assert (await it.failure(f"app:{name}")).message == "ValueError: too much"
            await it.until(lambda: code.seen[0]() is None)
        finally:
            gc.enable()


async def test_an_unknown_callable_and_wrong_arguments_say_so() -> None:
    async with python_lab(python("add"), python("nothing")) as it:
        assert (await it.failure("app:nothing")).kind == "NotFound"
        failure = await it.failure("app:add")
        assert (failure.kind, failure.message) == (
            "Invalid",
            "app:add takes (ctx, a, b): missing a required argument: 'a'",
        )
        assert "too many positional arguments" in (await it.failure("app:add", 1, 2, 3)).message


async def test_a_node_without_python_says_so() -> None:
    from tests.engine.hosts.actor.support import lab

    async with lab(python("add")) as it:
        assert "not supported here" in (await it.failure("app:add")).message


OUTER = Attempt(1, "run/1", workflow_id="w", run_id="run")


async def test_equal_calls_within_a_call_have_keys_of_their_own_which_its_next_try_finds_again() -> None:
    body = "local a = funcs.call('app:who') local b = funcs.call('app:who') return {a.key, b.key, a.run}"
    async with python_lab(python("who"), lua("app:outer", body)) as it:
        first = await it.call("app:outer", attempt=OUTER)
        again = await it.call("app:outer", attempt=replace(OUTER, number=2))
        assert first == again and first[0] != first[1] and first[0].startswith("run/1/") and first[2] == "w"


async def test_what_else_a_try_does_and_when_answers_come_changes_no_key_of_the_calls_within() -> None:
    body = """
    local turn, keys, done = ..., {}, channel.new(2)
    for at = 1, 2 do
      coroutine.spawn(function()
        if at == turn then time.sleep("50ms") end
        keys[at] = funcs.call("app:key", {at, name = "x"})
        done:send(at)
      end)
    end
    done:receive() done:receive()
    local future = funcs.async("app:key", {3})
    return {keys[1], keys[2], future:response():receive():data()}
    """
    async with python_lab(python("key"), lua("app:outer", body)) as it:
        first = await it.call("app:outer", 1, attempt=OUTER)
        assert len(set(first)) == 3
        assert await it.call("app:outer", 2, attempt=OUTER) == await it.call("app:outer", 0, attempt=OUTER) == first


async def test_a_call_deep_within_calls_has_a_short_key() -> None:
    body = "local n = ... return funcs.call(n == 0 and 'app:key' or 'app:deep', n - 1)"
    async with python_lab(python("key"), lua("app:deep", body)) as it:
        assert len(await it.call("app:deep", 20, attempt=OUTER)) < 64


def test_what_a_function_remembers_of_its_calls_is_bounded_and_no_key_comes_twice() -> None:
    def keys() -> list[str]:
        calls = Nested(OUTER)
        found = [calls.next(str(number)).key for number in range(MOST_COUNTED + 100)]
        assert len(calls._made) == MOST_COUNTED
        return [*found, *(calls.next(str(number)).key for number in (0, MOST_COUNTED, MOST_COUNTED))]

    assert keys() == keys() and len(set(keys())) == MOST_COUNTED + 103


async def test_tries_of_a_function_that_no_activity_calls_find_the_same_keys_and_its_next_call_others() -> None:
    body = "local _, err = funcs.call('app:refuses_again') error(err)"
    retry = {"retry": {"max_attempts": 2, "initial_delay": 1}}
    async with python_lab(python("refuses_again"), lua("app:tried", body, meta={"options": retry})) as it:
        for _ in range(2):
            assert (await it.failure("app:tried")).kind == "Unavailable"
    first, second, third, fourth = code.seen
    assert first == second and third == fourth and first != third
