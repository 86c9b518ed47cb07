"""What library calls cost: as much as the work that they do, and never a native loop of any length."""

from __future__ import annotations

import pytest

from engine.lua.unit import Unit
from engine.steps import Identity, Limits, Returned, Status
from engine.testing import HandWorld, program_of

FUNCTION = Limits()
WORKFLOW = Limits(max_instructions=10_000_000)


def status_of(body: str, limits: Limits = FUNCTION, kernel: int = 2, kind: str = "function") -> Status:
    program = program_of(f"return {{main = function(...) {body} end}}", kind)
    return Unit(program, Identity("{test:unit|1}", kind, kernel=kernel), (), HandWorld(), limits).step().status


def value(body: str, limits: Limits = FUNCTION, kernel: int = 2) -> object:
    status = status_of(body, limits, kernel)
    assert isinstance(status, Returned), status
    return status.value


LYING = "local t = setmetatable({}, {__len = function() return 1 << 50 end, __index = {}, __newindex = {}}) "


@pytest.mark.parametrize(
    "call",
    [
        "table.insert(t, 1, 'x')",
        "table.remove(t, 1)",
        "table.concat(t)",
        "table.sort(t)",
        "for i = 1, 1000000 do table.move(t, 1, 1000000, 2) end",
        "for i = 1, 1000000 do pcall(table.unpack, t, 1, 900000) end",
    ],
)
def test_a_length_that_lies_costs_no_more_than_the_budget(call: str) -> None:
    status = status_of(LYING + call, Limits(max_instructions=2_000_000))
    assert not isinstance(status, Returned)


def test_a_length_is_read_once() -> None:
    body = """
        local reads = 0
        local t = setmetatable({1, 2, 3}, {__len = function() reads = reads + 1 return reads == 1 and 3 or 1 << 50 end})
        table.insert(t, 1, 0)
        local inserted = reads
        reads = 0
        return {inserted, table.remove(t, 1), reads, rawget(t, 1), rawget(t, 2)}
    """
    assert value(body) == [1, 0, 1, 1, 2]
