from __future__ import annotations

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


async def test_a_call_within_a_call_has_a_key_of_its_place_and_arguments() -> None:
    body = "local a = funcs.call('app:who') local b = funcs.call('app:who') return {a.key, b.key, a.run}"
    from engine.attempt import Attempt

    async with python_lab(python("who"), lua("app:outer", body)) as it:
        first = await it.call("app:outer", attempt=Attempt(1, "run/1", workflow_id="w", run_id="run"))
        again = await it.call("app:outer", attempt=Attempt(2, "run/1", workflow_id="w", run_id="run"))
        assert first == again and first[0] != first[1] and first[0].startswith("run/1/") and first[2] == "w"
