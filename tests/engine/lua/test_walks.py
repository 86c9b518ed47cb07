"""Walks by `pairs` and `next` while entries are cleared and assigned, which Lua allows; against plain Lua."""

from __future__ import annotations

import random
import time
from typing import Any

import lupa.lua54 as plain_lua
import pytest

from engine.hosts.temporal.settings import WORKFLOW_LIMITS
from engine.steps import Failed, Returned
from engine.testing import Driver

KINDS = ("function", "process", "workflow")
CASES = 300

# The table, the walk, and what is told are the same in both; the order is not: a walk is told as the set of its keys.
WALK = """
local function run(case)
  local t, seen = {}, {}
  for i = 1, #case.keys do t[case.keys[i]] = i end
  local count = 0
  local function visit(key)
    count = count + 1
    seen[#seen + 1] = tostring(key)
    if case.clears then t[key] = nil end
    if case.assigns and t[key] ~= nil then t[key] = -count end
  end
  if case.by == "next" then for key in next, t do visit(key) end else for key in pairs(t) do visit(key) end end
  table.sort(seen)
  local left = {}
  for key in pairs(t) do left[#left + 1] = tostring(key) end
  table.sort(left)
  return table.concat(seen, " ") .. " | " .. table.concat(left, " ")
end
"""


def keys_of(rng: random.Random) -> list[Any]:
    """Dense, with holes, strings, floats, negatives, truth values: what a table may be keyed by."""
    array = list(range(1, rng.randint(0, 12)))
    holes = rng.sample(range(-3, 40), rng.randint(0, 6))
    others = rng.sample(["a", "b", "cc", "1", 2.5, -0.5, 1e20, True, False], rng.randint(0, 6))
    keys = list({(type(key), key): key for key in [*array, *holes, *others]}.values())
    rng.shuffle(keys)
    return keys


def literal(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case list():
            return "{" + ", ".join(map(literal, value)) + "}"
    return repr(value)


def case_of(rng: random.Random) -> str:
    keys = keys_of(rng)
    by, clears, assigns = rng.choice(["next", "pairs"]), literal(rng.random() < 0.5), literal(rng.random() < 0.5)
    return f'{{keys = {literal(keys)}, by = "{by}", clears = {clears}, assigns = {assigns}}}'


@pytest.mark.parametrize("kind", KINDS)
def test_a_walk_visits_what_plain_lua_visits(kind: str) -> None:
    rng = random.Random(f"walks of a {kind}")
    cases = "{" + ", ".join(case_of(rng) for _ in range(CASES)) + "}"
    body = f"{WALK} local told = {{}} for i, case in ipairs({cases}) do told[i] = run(case) end return told"
    wanted = list(plain_lua.LuaRuntime().execute(body).values())
    status = Driver.of_source(f"return function() {body} end", kind).status
    assert isinstance(status, Returned), status
    for i, (ours, theirs) in enumerate(zip(status.value, wanted, strict=True)):
        assert ours == theirs, f"case {i}"


CLEARED = "local s = {[1] = 1, [2] = 2, [10] = 3, [20] = 4} for id in pairs(s) do s[id] = nil end return next(s) == nil"
AHEAD = "local t, n = {1, 2, [4] = 4}, 0 for k in pairs(t) do n = n + 1 if k == 1 then t[1] = nil end end return n"
NOT_REACHED = "local t, n = {1, 2, 3, x = 4}, '' for k in pairs(t) do n = n .. k t[3] = nil end return n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("body", "value", "before"), [(CLEARED, True, False), (AHEAD, 3, 2), (NOT_REACHED, "12x", "12x")]
)
def test_clearing_loses_nothing_in_the_kernel_of_now_and_what_it_lost_in_the_first(
    kind: str, body: str, value: object, before: object
) -> None:
    source = f"return function() {body} end"
    assert Driver.of_source(source, kind).status == Returned(value)
    assert Driver.of_source(source, kind, kernel=1).status == Returned(before)


def test_ten_walks_over_a_hundred_thousand_keys_fit_a_step_of_a_function() -> None:
    walks = "local n = 0 for _ = 1, 10 do for _ in pairs(t) do n = n + 1 end end return n"
    for key in ("i", "'k' .. i", "i * 7"):
        body = f"local t = {{}} for i = 1, 100000 do t[{key}] = i end {walks}"
        assert Driver.of_source(f"return function() {body} end").status == Returned(1_000_000), key


def test_fifty_thousand_keys_fit_a_step_of_a_workflow() -> None:

    body = (
        "local t = {} for i = 1, 50000 do t['k' .. i] = i end local n = 0 for _ in pairs(t) do n = n + 1 end return n"
    )
    status = Driver.of_source(f"return function() {body} end", "workflow", limits=WORKFLOW_LIMITS).status
    assert not isinstance(status, Failed), status


def test_draining_a_table_by_next_looks_at_no_slot_twice() -> None:
    drain = "local c = 0 while true do local k = next(t) if k == nil then return c end t[k] = nil c = c + 1 end"
    seconds = []
    for count in (20_000, 160_000):
        began = time.thread_time()
        body = f"local t = {{}} for i = 1, {count} do t[i] = i end {drain}"
        assert Driver.of_source(f"return function() {body} end").status == Returned(count)
        seconds.append(time.thread_time() - began)
    assert seconds[1] < 30 * seconds[0], seconds  # 8 when it is linear, 64 when each call looks at all that was drained
