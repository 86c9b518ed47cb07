"""Messages, topics, events, channels and select inside one unit."""

from __future__ import annotations

import pytest

from engine.errors import Failure, not_found
from engine.steps import (
    Call,
    CancelCall,
    Control,
    Exec,
    LinkDown,
    Message,
    Rejected,
    Send,
    Spawn,
    Upgraded,
    Wait,
    Waiting,
)
from engine.testing import Driver


def body(text: str) -> str:
    return f"return {{main = function(...) {text} end}}"


# --- messages -----------------------------------------------------------------------------------


def test_a_message_reads_its_fields_and_its_payload() -> None:
    source = body("""
        local msg = process.inbox():receive()
        return {msg.approved, msg.order.id, msg:topic(), msg:from(), msg:payload():data().approved, tostring(msg),
        type(msg)}
    """)
    driver = Driver.of_source(source)
    driver.send("decision", {"approved": True, "order": {"id": 7}, "topic": "shadowed"}, sender="{app:x|0x1}")
    assert driver.value == [True, 7, "decision", "{app:x|0x1}", True, "process.Message{topic=decision}", "userdata"]


def test_messages_before_the_inbox_are_kept_in_order() -> None:
    driver = Driver.of_source(
        body("require('time').sleep('1s') local i = process.inbox() return {i:receive():topic(), i:receive():topic()}")
    )
    driver.send("a")
    driver.send("b")
    driver.advance(1)
    assert driver.value == ["a", "b"]


def test_a_listener_takes_its_topic_and_leaves_the_rest_to_the_inbox() -> None:
    source = body("""
        local a, inbox = process.listen("a"), process.inbox()
        return {a:receive(), inbox:receive():topic(), (a:receive())}
    """)
    driver = Driver.of_source(source)
    driver.send("b", 1)
    driver.send("a", "one", "two")
    driver.send("a", "three")
    assert driver.value == [["one", "two"], "b", "three"]


def test_a_listener_gets_what_waited_for_its_topic() -> None:
    driver = Driver.of_source(body("require('time').sleep('1s') return process.listen('a'):receive()"))
    driver.send("b", 1)
    driver.send("a", 2)
    driver.advance(1)
    assert driver.value == 2


def test_after_unlisten_the_topic_falls_back_to_the_inbox() -> None:
    source = body("local a = process.listen('a') process.unlisten(a) return process.inbox():receive():topic()")
    driver = Driver.of_source(source)
    driver.send("a")
    assert driver.value == "a"


def test_unlisten_refuses_what_is_no_listen_channel() -> None:
    result = Driver.of_source(body("local ok, err = process.unlisten(channel.new()) return {ok, err:kind()}")).value
    assert result == [False, "Invalid"]


@pytest.mark.parametrize(("topic", "message"), [("", "topic cannot be empty"), ("@x", "cannot send to @ topics")])
def test_a_bad_topic_is_returned_not_raised(topic: str, message: str) -> None:
    result = Driver.of_source(
        body("local ok, err = process.send('p', ...) return {err:kind(), err:message()}"), args=(topic,)
    ).value
    assert result == ["Invalid", message]


def test_send_waits_for_the_host_and_returns_its_answer() -> None:
    driver = Driver.of_source(
        body("local ok, err = process.send('{a|b}', 't', 1, nil) return {ok, err and err:kind()}")
    )
    assert driver.last() == Send(1, "{a|b}", "t", (1, None))
    driver.reject(1, not_found("process not found"))
    assert driver.value == {2: "NotFound"}


def test_unread_messages_are_counted_for_the_host() -> None:
    driver = Driver.of_source(body("process.listen('a') require('time').sleep('1s')"))
    driver.send("a")
    assert driver.send("b") == Waiting(2)


# --- events -------------------------------------------------------------------------------------


def test_the_seeds_event_loop_sees_exit() -> None:
    source = body("""
        local events = process.events()
        local pid = process.spawn("app.workflows:order", "app:temporal_worker", ...)
        for event in events:iter() do
            if event.pid == pid and event.type == "EXIT" then
                return {event.kind, event.from, event.result.value, event.result.error == nil}
            end
        end
    """)
    driver = Driver.of_source(source, args=({"id": 1},))
    assert driver.last() == Spawn(1, "app.workflows:order", "app:temporal_worker", ({"id": 1},))
    driver.resolve(1, "{c@w|o-1}")
    driver.exit("{c@w|other}")
    driver.exit("{c@w|o-1}", "done")
    assert driver.value == ["pid.exit", "{c@w|o-1}", "done", True]


def test_events_before_opening_are_kept() -> None:
    driver = Driver.of_source(body("require('time').sleep('1s') return process.events():receive().result.error:kind()"))
    driver.exit("{a|b}", failure=Failure("Timeout", "late"))
    driver.advance(1)
    assert driver.value == "Timeout"


def test_cancel_is_an_event_and_the_code_goes_on() -> None:
    driver = Driver.of_source(body("local e = process.events():receive() return {e.kind, e.type, e.from, e.reason}"))
    driver.cancel("enough", "{a|b}")
    assert driver.value == ["pid.cancel", "CANCEL", "{a|b}", "enough"]


def test_a_broken_link_ends_the_unit_unless_it_traps_links() -> None:
    plain = Driver.of_source(body("process.inbox():receive()"))
    plain.feed(LinkDown("{a|b}", 1, Failure("Internal", "x")))
    assert plain.failure.message == "linked process failed"
    trapping = Driver.of_source(body("process.set_options({trap_links = true}) return process.events():receive().kind"))
    trapping.feed(LinkDown("{a|b}", 1, Failure("Internal", "x")))
    assert trapping.value == "pid.link.down"


def test_set_options_refuses_what_it_does_not_know() -> None:
    source = body("local ok, err = process.set_options({speed = true}) return {ok, err:kind(), err:message()}")
    assert Driver.of_source(source).value == [False, "Invalid", "option speed is not supported"]


# --- spawning and control -----------------------------------------------------------------------


def test_a_spawner_carries_everything_and_never_changes() -> None:
    source = body("""
        local base = process.with_context({a = 1})
        local full = base:with_context({b = 2}):with_options({["workflow.id"] = "x"})
            :with_name("n"):with_message("hello", 1, nil)
        full:spawn_monitored("app:w", "app:worker", "arg")
        base:exec("app:w", "app:worker")
    """)
    driver = Driver.of_source(source, context={"z": 0})
    spawn = driver.last()
    assert spawn == Spawn(
        1,
        "app:w",
        "app:worker",
        ("arg",),
        True,
        False,
        "n",
        {"workflow.id": "x"},
        {"a": 1, "b": 2, "z": 0},
        (("hello", (1, None)),),
    )
    driver.resolve(1, "{p|1}")
    assert driver.last() == Exec(2, "app:w", "app:worker", (), "", {}, {"a": 1, "z": 0})


@pytest.mark.parametrize("verb", ["monitor", "unmonitor", "link", "unlink"])
def test_a_workflow_may_not_watch_or_link(verb: str) -> None:
    source = body(f"local ok, err = process.{verb}('{{a|b}}') return {{err:kind(), err:retryable(), err:message()}}")
    kind, retryable, message = Driver.of_source(source, "workflow").value
    assert (kind, retryable) == ("Invalid", False)
    assert "not supported in workflow context" in message


def test_control_names_the_verb_and_the_reason() -> None:
    driver = Driver.of_source(body("return process.cancel('{a|b}', 'bye')"))
    assert driver.last() == Control(1, "cancel", "{a|b}", "bye")
    driver.resolve(1, True)
    assert driver.value is True


def test_upgrade_keeps_the_messages_that_nobody_took() -> None:
    source = body("process.listen('a') require('time').sleep('1s') process.upgrade('app:next', {n = 1}) error('never')")
    driver = Driver.of_source(source)
    driver.send("a", 1, sender="{s|1}")
    driver.send("b", 2)
    driver.advance(1)
    assert driver.status == Upgraded("app:next", ({"n": 1},), (Message("a", (1,)), Message("b", (2,))))


# --- channels -----------------------------------------------------------------------------------


def test_an_unbuffered_channel_hands_over_in_order() -> None:
    source = body("""
        local ch, got = channel.new(), {}
        coroutine.spawn(function() for i = 1, 3 do ch:send(i) end ch:close() end)
        for v in ch:iter() do got[#got + 1] = v end
        return got
    """)
    assert Driver.of_source(source).value == [1, 2, 3]


def test_a_closed_channel_drains_then_says_so() -> None:
    source = body(
        "local c = channel.new(2) c:send('a') c:close() c:close() local v, ok = c:receive() local "
        "w, ko = c:receive() return {v, ok, w == nil, ko}"
    )
    assert Driver.of_source(source).value == ["a", True, True, False]


def test_sending_on_a_closed_channel_raises() -> None:
    result = Driver.of_source(
        body("local c = channel.new() c:close() local ok, err = pcall(c.send, c, 1) return {ok, err}")
    ).value
    assert result[0] is False
    assert "send on closed channel" in result[1]


def test_a_sender_blocked_on_a_closing_channel_gets_the_error() -> None:
    source = body("""
        local c, why = channel.new(), nil
        coroutine.spawn(function() local ok, err = pcall(function() c:send(1) end) why = err end)
        coroutine.spawn(function() c:close() end)
        require('time').sleep(0) require('time').sleep(0) require('time').sleep(0)
        return why
    """)
    assert "send on closed channel" in Driver.of_source(source).value


def test_nil_can_be_sent() -> None:
    assert Driver.of_source(
        body("local c = channel.new(1) c:send(nil) local v, ok = c:receive() return {v == nil, ok}")
    ).value == [True, True]


def test_select_takes_the_first_ready_case() -> None:
    source = body("""
        local a, b = channel.new(1), channel.new(1)
        a:send('a') b:send('b')
        local r = channel.select{b:case_receive(), a:case_receive()}
        return {r.channel == b, r.value, r.ok}
    """)
    assert Driver.of_source(source).value == [True, "b", True]


def test_select_defaults_when_nothing_is_ready() -> None:
    source = body(
        "local c = channel.new() local r = channel.select{c:case_receive(), default = true} return "
        "{r.default, r.ok, channel.select({c:case_receive()}, true).default}"
    )
    assert Driver.of_source(source).value == [True, True, True]


def test_a_blocked_select_wakes_once_and_leaves_no_ghost() -> None:
    source = body("""
        local a, b = channel.new(), channel.new(1)
        coroutine.spawn(function() b:send('b') end)
        local r = channel.select{a:case_receive(), b:case_receive()}
        b:send('again')
        return {r.value, (b:receive())}
    """)
    assert Driver.of_source(source).value == ["b", "again"]


def test_select_sends_too() -> None:
    source = body("""
        local c = channel.new()
        local got = nil
        coroutine.spawn(function() got = c:receive() end)
        require('time').sleep(0)
        local r = channel.select{c:case_send('x')}
        require('time').sleep(0)
        return {r.channel == c, r.value, r.ok, got}
    """)
    assert Driver.of_source(source).value == [True, "x", True, "x"]


def test_select_refuses_what_is_no_case() -> None:
    result = Driver.of_source(body("local ok, err = pcall(channel.select, {1}) return {ok, err}")).value
    assert result[0] is False
    assert "not a channel case" in result[1]


def test_blocking_works_inside_pcall_metamethods_iterators_and_coroutines() -> None:
    source = body("""
        local time = require('time')
        local t = setmetatable({}, {__index = function(_, key) time.sleep('1s')
        return key end, __add = function() time.sleep('1s') return 5 end})
        local function each()
        return coroutine.wrap(function() for i = 1, 2 do time.sleep('1s') coroutine.yield(i) end end) end
        local sum = 0
        for i in each() do sum = sum + i end
        local ok = pcall(function() time.sleep('1s') error('x') end)
        return {t.name, t + 1, sum, ok}
    """)
    driver = Driver.of_source(source)
    driver.advance(10)
    assert driver.value == ["name", 5, 3, False]


# --- calls and futures --------------------------------------------------------------------------


def test_a_call_returns_value_or_nil_and_error() -> None:
    source = body(
        "local funcs = require('funcs') local v, err = funcs.call('app:a', 1) local w, bad = "
        "funcs.call('app:b') return {v, err == nil, w == nil, bad:kind()}"
    )

    def good(n: int) -> int:
        return n + 1

    assert Driver.of_source(source, functions={"app:a": good}).value == [2, True, True, "NotFound"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("", "function ID required"),
        (":x", "namespace required in function ID"),
        ("x", "namespace required in function ID"),
        ("a:", "name required in function ID"),
    ],
)
def test_a_bad_target_is_invalid(target: str, message: str) -> None:
    result = Driver.of_source(
        body("local _, err = require('funcs').call(...) return {err:kind(), err:message()}"), args=(target,)
    ).value
    assert result == ["Invalid", message]


def test_arguments_are_copied_when_the_call_is_made() -> None:
    source = body(
        "local t = {1} local f = require('funcs').async('app:a', t) t[1] = 'changed' return "
        "f:response():receive():data()"
    )
    assert Driver.of_source(source, functions={"app:a": lambda t: t}).value == [1]


def test_a_future_delivers_a_payload_then_closes() -> None:
    source = body("""
        local f = require('funcs').async('app:a')
        local before = f:is_complete()
        local v, ok = f:channel():receive()
        local _, again = f:response():receive()
        return {before, v:data(), ok, again, f:is_complete(), f:result():data(), f:channel() == f:response()}
    """)
    driver = Driver.of_source(source)
    driver.resolve(1, "v")
    assert driver.value == [False, "v", True, False, True, "v", True]


def test_a_failed_future_delivers_an_error() -> None:
    source = body(
        "local f = require('funcs').async('app:a') local v, ok = f:response():receive() local e, "
        "has = f:error() return {v:kind(), ok, e == v, has}"
    )
    driver = Driver.of_source(source)
    driver.reject(1, Failure("Timeout", "late"))
    assert driver.value == ["Timeout", True, True, True]


def test_a_cancelled_future_closes_and_asks_the_callee_to_stop() -> None:
    source = body(
        "local f = require('funcs').async('app:a') f:cancel() local v, ok = f:response():receive() "
        "local _, e = f:result() process.inbox():receive() return {v == nil, ok, f:is_canceled(), "
        "e:kind()}"
    )
    driver = Driver.of_source(source)
    assert CancelCall(1) in driver.commands
    assert driver.feed(Rejected(1, Failure("Canceled", "x"))) == Waiting()
    driver.send("go")
    assert driver.value == [True, False, True, "Canceled"]


def test_an_executor_adds_context_and_replaces_options() -> None:
    source = body(
        "require('funcs').new():with_context({b = 2}):with_options({x = 1}):with_options({timeout = 5}):call('app:a')"
    )
    call = Driver.of_source(source, context={"a": 1}).last()
    assert isinstance(call, Call)
    assert (call.context, call.options) == ({"a": 1, "b": 2}, {"timeout": 5})


def test_waits_of_a_workflow_name_topic_inbox_timer_and_call() -> None:
    source = body("""
        local funcs, time = require('funcs'), require('time')
        local f = funcs.async('app:a')
        local topic = process.listen('decision')
        coroutine.spawn(function() process.inbox():receive() end)
        local t = time.after('1h')
        channel.select{topic:case_receive(), t:case_receive()}
        topic:receive()
    """)
    driver = Driver.of_source(source, "workflow")
    hour = driver.world.now() + 3600 * 10**9
    assert driver.waits == (
        Wait("inbox", number=2, joined=2),
        Wait("topic", "decision", number=1, joined=1),
        Wait("call", "app:a", 1),
        Wait("timer", "", 2, hour),
    )
    driver.send("decision", 1)
    assert Wait("topic", "decision", 1, number=1, joined=1) in driver.waits
