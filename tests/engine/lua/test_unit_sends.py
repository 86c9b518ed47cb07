"""Sends that the host delivers within the sender's step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from engine.errors import Failure, not_found
from engine.lua.unit import SENDS, Unit
from engine.steps import KERNEL, Command, Failed, Identity, Message, Returned, Send, Step, Value, Waiting
from engine.testing import HandWorld, program_of


class Wire:
    """A host's `send_now` that keeps what it delivered; `answers` are given in turn, then True."""

    def __init__(self, *answers: Failure | bool) -> None:
        self.sent: list[tuple[str, str, tuple[Value, ...]]] = []
        self.answers = list(answers)

    def __call__(self, dest: str, topic: str, payloads: Sequence[Value]) -> Failure | bool:
        answer = self.answers.pop(0) if self.answers else True
        if answer is True:
            self.sent.append((dest, topic, tuple(payloads)))
        return answer


def run(body: str, wire: Wire, kind: str = "process", kernel: int = KERNEL) -> Step:
    """The first step of a unit with that body."""
    identity = Identity("{a|1}", kind, kernel=kernel)
    unit = Unit(program_of(f"return function() {body} end", kind), identity, (), HandWorld())
    unit.send_now = wire
    return unit.step()


def sends(commands: Sequence[Command]) -> list[str]:
    """The topics of the commands that are sends."""
    return [command.topic for command in commands if isinstance(command, Send)]


def test_a_send_within_the_step_is_no_command() -> None:
    wire = Wire()
    step = run("local ok, err = process.send('b', 't', 1, nil, {x = {1, 2}}) return {ok, err == nil}", wire)
    assert step == Step((), Returned([True, True]))
    assert wire.sent == [("b", "t", (1, None, {"x": [1, 2]}))]


def test_a_failed_send_is_an_error_of_its_caller() -> None:
    step = run("local ok, err = process.send('b', 't') return {ok == nil, err:kind()}", Wire(not_found("gone")))
    assert step.status == Returned([True, "NotFound"])


def test_what_the_host_can_not_deliver_at_once_becomes_a_command() -> None:
    wire = Wire(False)
    step = run("process.send('b', 't')", wire)
    assert sends(step.commands) == ["t"]
    assert isinstance(step.status, Waiting)


def test_a_send_stays_behind_the_commands_of_its_step() -> None:
    wire = Wire()
    cancel = "coroutine.spawn(function() process.cancel('b') end)"
    step = run(f"{cancel} time.sleep(0) process.send('b', 't')", wire)
    assert [type(command).__name__ for command in step.commands] == ["Control", "Send"]
    assert wire.sent == []


def test_a_step_sends_a_bounded_number_at_once_so_that_others_get_a_turn() -> None:
    wire = Wire()
    step = run("for i = 1, 1000 do process.send('b', 't' .. i) end", wire)
    assert len(wire.sent) == SENDS
    assert sends(step.commands) == [f"t{SENDS + 1}"]


def test_a_workflow_sends_within_the_step_and_one_of_the_first_kernel_by_commands_only() -> None:
    wire, before = Wire(), Wire()
    assert run("process.send('b', 't')", wire, "workflow") == Step((), Returned(None))
    assert wire.sent == [("b", "t", ())]
    assert sends(run("process.send('b', 't')", before, "workflow", kernel=1).commands) == ["t"]
    assert before.sent == []


@pytest.mark.parametrize("body", ["local t = {} t.t = t return select(2, process.send('b', 't', t)):kind()"])
def test_what_can_not_cross_is_refused_and_leaves_nothing(body: str) -> None:
    wire = Wire()
    assert run(body, wire) == Step((), Returned("Invalid"))
    assert wire.sent == []


def test_payloads_pass_on_unchanged_without_being_read() -> None:
    received: list[Any] = []

    def pass_on(dest: str, topic: str, payloads: Sequence[Value]) -> bool:
        received.append(payloads)
        return True

    sender = Unit(
        program_of("return function() process.send('b', 't', '\\xff\\0', {1, {a = false}}, errors.new('e')) end"),
        Identity("{a|1}", "function"),
        (),
        HandWorld(),
    )
    sender.send_now = pass_on
    sender.step()
    body = """return function()
        local list = process.inbox():receive():payload()
        return {list[1]:data(), list[2]:data(), list[3]:data():message()}
    end"""
    receiver = Unit(program_of(body), Identity("{b|1}", "function"), (), HandWorld())
    receiver.step()
    assert receiver.step([Message("t", received[0], "{a|1}")]).status == Returned([b"\xff\0", [1, {"a": False}], "e"])


def test_a_limit_after_a_send_does_not_take_it_back() -> None:
    wire = Wire()
    assert isinstance(run("process.send('b', 't') while true do end", wire).status, Failed)
    assert [topic for _, topic, _ in wire.sent] == ["t"]


@pytest.mark.parametrize("kernel", range(1, KERNEL + 1))
def test_the_data_of_a_payload_is_one_value_to_pass_on(kernel: int) -> None:
    body = "return select('#', payload.new({1}):data()) + select('#', payload.new('x'):data())"
    assert run(body, Wire(), "workflow", kernel) == Step((), Returned(2))
