"""What a workflow itself says that it asks: `process.listen(topic, {ask = ...})`."""

from __future__ import annotations

from typing import Any

import pytest

from engine.hosts.temporal.settings import WORKFLOW_LIMITS
from engine.lua.waits import WaitBook
from engine.steps import Upgraded
from engine.testing import Driver


def body(text: str) -> str:
    """A unit whose main function is the text."""
    return f"return {{ main = function(...) {text} end }}"


def asks(driver: Driver) -> dict[str, Any]:
    """What is asked, by topic."""
    return {each.name: each.ask for each in driver.waits if each.kind == "topic"}


def outcome(ask: str, kind: str = "workflow", kernel: int = 2) -> Any:
    """What listening with that ask gives: the type of the channel and the message of the error."""
    source = body(f"""
        local ch, err = process.listen("go", {{ask = {ask}}})
        return {{ch ~= nil, err and err:kind(), err and err:message()}}
    """)
    return Driver.of_source(source, kind, kernel=kernel).value


def test_the_run_says_what_it_asks_and_later_changes_of_the_table_do_not_leak() -> None:
    source = body("""
        local ask = {title = "Refund", due = "4h", priority = 140 / 2, groups = {"finance"},
            payloads = {Approve = {approved = true}, Reject = {}}, schema = {properties = {}, required = {}}}
        local decision = process.listen("decision", {ask = ask})
        ask.title, ask.payloads.Approve.approved = "Nothing", false
        local other = process.listen("other")
        channel.select{decision:case_receive(), other:case_receive()}
    """)
    driver = Driver.of_source(source, "workflow")
    assert isinstance(asks(driver)["decision"]["priority"], int)
    assert asks(driver) == {
        "other": None,
        "decision": {
            "title": "Refund",
            "due": "4h",
            "priority": 70,
            "groups": ["finance"],
            "payloads": {"Approve": {"approved": True}, "Reject": {}},
            "schema": {"properties": {}, "required": []},
        },
    }


def test_another_ask_holds_for_the_waits_from_then_on() -> None:
    source = body("""
        local topic = process.listen("go", {ask = {title = "first"}})
        coroutine.spawn(function() while true do topic:receive() end end)
        process.inbox():receive()
        assert(process.listen("go", {ask = {title = "second"}}) == topic)
        process.inbox():receive()
        assert(process.listen("go") == topic)
        process.inbox():receive()
    """)
    driver = Driver.of_source(source, "workflow")
    driver.send("news")
    assert asks(driver) == {"go": {"title": "first"}}
    driver.send("go")
    assert asks(driver) == {"go": {"title": "second"}}
    driver.send("news")
    driver.send("go")
    assert asks(driver) == {"go": {"title": "second"}}


def test_a_loop_of_selects_may_ask_something_else_in_each_round() -> None:
    source = body("""
        local time = require("time")
        local ticker, round = time.ticker("1m"), 0
        while true do
            round = round + 1
            local topic = process.listen("go", {ask = {title = "round " .. round // 2}})
            channel.select{topic:case_receive(), ticker:channel():case_receive()}
        end
    """)
    driver = Driver.of_source(source, "workflow")
    found = []
    for _ in range(3):
        found.append(asks(driver)["go"]["title"])
        driver.advance(60)
    assert found == ["round 0", "round 1", "round 1"]


def test_an_ask_is_told_once_however_often_the_run_waits() -> None:
    source = body("""
        local topic = process.listen("go", {ask = {title = "once"}})
        while true do topic:receive() process.inbox():receive() end
    """)
    driver = Driver.of_source(source, "workflow")
    told: list[Any] = []
    heard = WaitBook.heard

    def hear(changes: Any, now: int) -> None:
        told.extend(changes.changes)
        heard(driver.unit._book, changes, now)  # type: ignore[arg-type]

    driver.unit._book.heard = hear  # type: ignore[method-assign, union-attr]
    for _ in range(3):
        driver.send("go")
        driver.send("news")
        assert asks(driver) == {"go": {"title": "once"}}
    assert told
    assert all(len(change) <= 5 for change in told)


def test_a_closed_listener_asks_nothing_any_more_and_leaves_room_for_others() -> None:
    source = body("""
        local text = string.rep("x", 60000)
        for i = 1, 20 do
            assert(process.unlisten(assert(process.listen("go", {ask = {text = text}}))))
        end
        local topic = process.listen("go", {ask = {text = text}})
        coroutine.spawn(function() topic:receive() end)
        process.inbox():receive()
        process.unlisten(topic)
        process.listen("go"):receive()
    """)
    driver = Driver.of_source(source, "workflow")
    driver.send("news")
    assert asks(driver) == {"go": None}
    assert driver.unit._book._asks == {}  # type: ignore[union-attr]


def test_all_asks_of_a_run_are_bounded_together() -> None:
    source = body("""
        for i = 1, 20 do
            local topic, err = process.listen("t" .. i, {ask = {text = string.rep("x", 60000)}})
            if not topic then return {i, err:kind(), err:message()} end
        end
    """)
    assert Driver.of_source(source, "workflow").value == [
        9,
        "Invalid",
        "process.listen: ask: all asks of a run may have 524288 bytes of JSON",
    ]


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        ("5", "ask: must be a table with named fields"),
        ("{1, 2}", "ask: must be a table with named fields"),
        ("{due = 'soon'}", 'ask.due: must be a duration such as "30m", "24h" or "7d", not "soon"'),
        ("{due = 0}", "ask.due: must be more than 0, not 0"),
        ("{priority = 101}", "ask.priority: must be at most 100, not 101"),
        ("{quorum = {approve = 0}}", "ask.quorum.approve: must be at least 1, not 0"),
        ("{quorum = {approve = 2}, payloads = {Yes = 1}}", "ask.payloads.Yes: must be a mapping: the votes"),
        ("{signals = {{via = 'mail'}}}", "ask.signals.0.via: must be one of `signal`, `update`"),
        ("{signals = {{default = true}}}", "ask.signals.0.default: needs `due`"),
        ("{due = '1h', signals = {{default = true}, {default = true}}}", "ask.signals: only one answer can"),
        ("{assign = '$manager'}", "ask.assign: must be a name, or a path into the first argument"),
        ("{schema = {type = 'strnig'}}", "ask.schema: not a valid JSON Schema at type"),
        ("{schema = {['$ref'] = '#'}}", "ask.schema: a JSON Schema must not refer to itself without end"),
        ("{text = 'a\\0b'}", "ask.text: text must not hold a NUL character"),
        ("{text = '\\xff'}", "ask.text: a value of type bytes can't be kept"),
        ("{users = {'ann', 5}}", "ask.users.1: must be text, not 5"),
        ("{text = string.rep('x', 70000)}", "ask: has 70011 bytes of JSON, and 65536 is the most"),
    ],
)
def test_a_wrong_ask_gives_an_error_that_names_the_field(ask: str, why: str) -> None:
    listens, kind, message = outcome(ask)
    assert (listens, kind) == (False, "Invalid")
    assert message.startswith(f"process.listen: {why}")


def test_after_a_wrong_ask_nobody_listens() -> None:
    driver = Driver.of_source(
        body('process.listen("go", {ask = 5}) return process.inbox():receive():topic()'), "workflow"
    )
    driver.send("go")
    assert driver.value == "go"


def test_an_unknown_field_is_told_in_the_log() -> None:
    driver = Driver.of_source(body('process.listen("go", {ask = {prioritty = 5}}):receive()'), "workflow")
    assert asks(driver) == {"go": {"prioritty": 5}}
    assert [(log.level, log.message) for log in driver.logs] == [
        ("warn", "process.listen: ask.prioritty: the field `prioritty` is unknown and has no effect"
                 " (did you mean `priority`?)"),
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "kernel"), [("function", 2), ("process", 2), ("workflow", 1)])
def test_elsewhere_and_in_runs_begun_before_an_ask_is_ignored(kind: str, kernel: int) -> None:
    assert outcome("{due = 'soon'}", kind, kernel) == [True]


def test_what_follows_an_upgrade_says_what_it_asks_itself() -> None:
    source = body("""
        local topic = process.listen("go", {ask = {title = "before"}})
        process.inbox():receive()
        process.upgrade(nil, "after")
    """)
    driver = Driver.of_source(source, "workflow")
    driver.send("go", 1)
    driver.send("news")
    assert isinstance(driver.status, Upgraded)
    assert [message.topic for message in driver.status.messages] == ["go"]


def test_an_ask_that_asks_for_too_much_work_is_refused_and_many_of_them_end_by_the_limit() -> None:
    source = body("""
        local schema = {["$defs"] = {}, ["$ref"] = "#/$defs/d0"}
        for i = 0, 30 do
            local ref = {["$ref"] = "#/$defs/d" .. i + 1}
            schema["$defs"]["d" .. i] = {allOf = {ref, ref}}
        end
        schema["$defs"].d31 = {type = "string"}
        local err
        for i = 1, (...) do _, err = process.listen("go", {ask = {schema = schema}}) end
        return err:message()
    """)
    value = Driver.of_source(source, "workflow", (1,), limits=WORKFLOW_LIMITS).value
    assert value.startswith("process.listen: ask.schema: not a usable JSON Schema: the schema asks for too much work")
    assert Driver.of_source(source, "workflow", (3,), limits=WORKFLOW_LIMITS).failure.kind == "LimitExceeded"


def test_large_texts_are_cheap() -> None:
    source = body("""
        local text = string.rep("x", 60000)
        for i = 1, 100 do assert(process.listen("go", {ask = {text = text}})) end
    """)
    assert Driver.of_source(source, "workflow", limits=WORKFLOW_LIMITS).value is None


def test_spans_may_be_durations() -> None:
    source = body("""
        local time = require("time")
        local h = time.parse_duration("1h30m")
        local ask = {due = h, escalate = {after = h, to = "boss"}, signals = {{label = "Go", lapse = h}}}
        local go = assert(process.listen("go", {ask = ask}))
        assert(ask.due == h and ask.escalate.after == h)
        local none, err = process.listen("no", {ask = {due = time.parse_duration("-1s")}})
        assert(err:message():find("ask.due", 1, true))
        go:receive()
    """)
    assert asks(Driver.of_source(source, "workflow", limits=WORKFLOW_LIMITS)) == {
        "go": {
            "due": "1h30m0s",
            "escalate": {"after": "1h30m0s", "to": "boss"},
            "signals": [{"label": "Go", "lapse": "1h30m0s"}],
        }
    }


def many(value: str) -> str:
    """Fields with that value; NAME in it is the field's."""
    return ", ".join(f"{name} = {value.replace('NAME', name)}" for name in ("alpha", "beta", "gamma", "delta", "zeta"))


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        ("quorum = {approve = 1}, payloads = {" + many("1") + "}", "ask.payloads.alpha:"),
        ("schema = {properties = {" + many("{type = 1}") + "}}", "properties.alpha.type:"),
        ("schema = {properties = {" + many('{["$ref"] = "#/NAME"}') + "}}", "'#/alpha'"),
        (many("1/0"), "ask.alpha:"),
    ],
)
def test_of_what_is_wrong_in_an_ask_the_same_is_told_whatever_the_order_of_a_table(ask: str, told: str) -> None:
    messages = {outcome(f"{{{ask}}}")[2] for _ in range(12)}
    assert len(messages) == 1 and told in messages.pop()


def test_a_value_that_is_too_large_is_refused_alike_whatever_the_order_of_a_table() -> None:
    source = body("""
        local parts = {}
        for i = 1, 30 do parts["k" .. i] = string.rep("x", 400000 + i * 1000) end
        local _, err = process.send(process.pid(), "go", parts)
        return err:message()
    """)
    found = {Driver.of_source(source, "workflow", limits=WORKFLOW_LIMITS).value for _ in range(6)}
    assert len(found) == 1 and "cannot cross a unit boundary at once" in found.pop()
