"""What crosses the seam at once is bounded: the host copies a string each time that it stands there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from engine.lua.unit import Unit
from engine.steps import Call, Failed, Identity, Limits, Returned, Step
from engine.testing import PID, Driver, HandWorld, program_of

KINDS = ("function", "process", "workflow")
MEGABYTES = "local s, t = ('x'):rep(1000000), {} for i = 1, 2000 do t[i] = s end "
SMILES = "local s, t = ('x'):rep(999996) .. '\\u{1F600}', {} for i = 1, 8 do t[i] = s end "
LIMITS = Limits()

# What the attack is, and what the unit gets: the error of the call, or how it failed.
ATTACKS = {
    "a result": "return t",
    "an error": "error(errors.new{message = 'm', details = t})",
    "a log line": "logger:info('m', t) return 'went on'",
    "a call": "local _, err = funcs.call('a:b', t) return tostring(err)",
    "calls": "local err for i = 1, 200 do err = select(2, funcs.async('a:b', s, s, s)) end return tostring(err)",
    "a spawn": "local _, err = process.spawn('a:b', 'a:h', t) return tostring(err)",
    "a message": "local _, err = process.send(process.pid(), 'x', t) return tostring(err)",
    "json.encode": "local _, err = json.encode(t) return tostring(err)",
    "yaml.encode": "local _, err = yaml.encode(t) return tostring(err)",
}


def ended(source: str, kind: str = "function") -> str:
    driver = Driver.of_source("return {main = function(...) " + source + " end}", kind)
    match driver.status:
        case Returned(value):
            return str(value)
        case Failed(failure):
            return failure.message
        case _:
            return str(driver.status)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_too_large_is_refused_with_the_limit(kind: str, attack: str) -> None:
    text = ended(MEGABYTES + ATTACKS[attack], kind)
    assert text == "went on" or ("the limit is 8388608" in text or "the limit is 16777216" in text), text


def test_many_small_values_are_too_large_as_well() -> None:
    assert "the limit is 8388608" in ended("local t = {} for i = 1, 600000 do t[i] = i end return t")
    assert "the limit is 8388608" in ended("local e, t = {}, {} for i = 1, 500000 do t[i] = e end return t")


def test_a_log_line_too_large_comes_without_its_fields() -> None:
    driver = Driver.of_source("return {main = function() " + MEGABYTES + "logger:info('m', t) end}")
    (line,) = driver.logs
    assert line.message == "m"
    assert "the limit is" in str(line.fields["fields"])


@pytest.mark.parametrize(
    "line", ["logger:info(long)", "logger:named(long):info('m')", "logger:info('m', {{{f = long}}})"]
)
def test_a_log_line_too_large_comes_short_and_says_so(line: str) -> None:
    driver = Driver.of_source("return {main = function() local long = ('x'):rep(9000000) " + line + " end}")
    (log,) = driver.logs
    assert len(log.message) + len(log.logger) <= 2000
    assert "the limit is 8388608" in str(log.fields["fields"])


@pytest.mark.parametrize("kind", KINDS)
def test_small_log_lines_of_a_step_come_to_too_much_as_well(kind: str) -> None:
    source = """
    local logger, time = require("logger"), require("time")
    return {main = function()
      local line = ("x"):rep(500)
      for i = 1, 40000 do logger:info(line) end
      local _, err = funcs.call("a:b", line .. line)
      time.sleep("1s")
      logger:info("then")
      return err:message()
    end}"""
    driver = Driver.of_source(source, kind)
    driver.advance(1)
    *lines, last, then = driver.logs
    assert 20_000 < len(lines) < 30_000
    assert all(log.message == "x" * 500 for log in lines)
    assert (last.level, "no room for more log lines" in last.message) == ("warn", True)
    assert then.message == "then"
    assert "the limit is 16777216" in str(driver.value)


def test_a_step_that_is_full_may_still_sleep_and_take_back() -> None:
    source = """
    local logger, time = require("logger"), require("time")
    return {main = function()
      local future = funcs.async("a:b")
      local timer = time.timer("1h")
      for i = 1, 40000 do logger:info(("x"):rep(500)) end
      future:cancel() timer:stop() time.sleep("1s")
      return "well"
    end}"""
    driver = Driver.of_source(source)
    driver.advance(1)
    assert driver.value == "well"


def test_a_run_begun_before_may_log_what_it_could() -> None:
    source = "for i = 1, 40000 do logger:info(('x'):rep(500)) end"
    assert len(stepped(source, 1).commands) == 40_000
    assert len(stepped(source, 2).commands) < 30_000


@pytest.mark.parametrize("text", ["'[' .. ('[],'):rep(600000) .. '1]'", "'{\"a\":[' .. ('1,'):rep(600000) .. '1]}'"])
def test_a_text_of_too_many_values_is_not_decoded(text: str) -> None:
    assert ended(f"local _, err = json.decode({text}) return tostring(err)") == "json.decode: more than 524288 values"


def test_commas_in_a_text_are_no_values() -> None:
    assert ended("return #json.decode('[\"' .. (','):rep(1000000) .. '\"]')[1]") == "1000000"


def test_bytes_cost_instructions() -> None:
    source = "local s = ('x'):rep(4000000) for i = 1, 200 do json.encode(s) end"
    assert "instruction limit exceeded" in ended(source)


def stepped(source: str, kernel: int) -> Step:
    identity = Identity(PID, "workflow", kernel=kernel)
    unit = Unit(program_of("return {main = function(...) " + source + " end}", "workflow"), identity, (), HandWorld())
    return unit.step()


def test_a_run_of_before_may_send_what_it_could() -> None:
    source = "local s, t = ('x'):rep(1000000), {} for i = 1, 10 do t[i] = s end funcs.call('a:b', t)"
    (call,) = stepped(source, 1).commands
    assert isinstance(call, Call)
    assert len(call.args[0]) == 10
    step = stepped(source, 2)
    assert (step.commands, step.status) == ((), Returned(None))


def test_a_run_of_before_keeps_its_empty_tables_as_they_were() -> None:
    source = "return {json.encode(json.decode('{}')), json.decode('{}'), json.object == nil}"
    assert stepped(source, 1).status == Returned(["[]", [], True])
    assert stepped(source, 2).status == Returned(["{}", {}, False])


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_table_stays_what_it_left_as(kind: str) -> None:
    again = "t.name = 1 t.name = nil return json.encode(t)"
    assert ended(f"local t = {{}} {again}", kind) == "{}"
    assert ended(f"local t = {{}} json.encode(t) {again}", kind) == "[]"
    assert ended(f"local t = json.object() json.encode(t) {again}", kind) == "{}"


MEASURED = """
import json, sys
from engine.testing import Driver

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024

Driver.of_source("return {main = function() return json.encode({}) end}")
before = peak()
for body in json.loads(sys.argv[2]):
    Driver.of_source("return {main = function(...) " + body + " end}", sys.argv[1])
print(peak() - before)
"""


def risen(bodies: Iterable[str], kind: str) -> int:
    """Bytes by which the memory of an OS process of its own rose at most, one after the other."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, kind, json.dumps([*bodies])],
        cwd=root,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


HEAVY = {
    **{name: MEGABYTES + attack for name, attack in ATTACKS.items()},
    "text beyond latin": SMILES + "return t",
    "text to encode": SMILES + "return tostring(select(2, json.encode(t)))",
    "lists": "local e, t = {}, {} for i = 1, 250000 do t[i] = e end return t",
    "lists to decode": "return #json.decode('[' .. ('[],'):rep(260000) .. '1]')",
    "tables to decode": "return #json.decode('[' .. ('{\"a\":1},'):rep(260000) .. '1]')",
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_host_pays_at_most_twice_the_memory_of_a_unit(kind: str) -> None:
    assert risen(HEAVY.values(), kind) < 2 * LIMITS.max_memory


@pytest.mark.parametrize("kind", ["function", "process", "workflow"])
@pytest.mark.parametrize("details", ["t", "(function() local c = {} c.c = c return {c} end)()"])
def test_an_error_whose_details_cannot_cross_keeps_what_it_says(kind: str, details: str) -> None:
    shared = "local text, t = ('x'):rep(1000000), {} for i = 1, 2000 do t[i] = text end"
    raised = f"error(errors.new{{message = 'no such order', kind = errors.NOT_FOUND, details = {details}}})"
    status = Driver.of_source(f"return function() {shared} {raised} end", kind).status
    assert isinstance(status, Failed)
    assert status.failure.kind == "NotFound"
    assert status.failure.message.startswith("no such order (its details are left out: ")
