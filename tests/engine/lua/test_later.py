"""The parts of the kernel that load when they are first used."""

from __future__ import annotations

import pytest

from engine.errors import not_found
from engine.lua.unit import Unit
from engine.program import Chunk, Program
from engine.steps import Identity, Waiting
from engine.testing import Driver, HandWorld


@pytest.mark.parametrize("kind", ["function", "workflow"])
def test_a_name_that_no_word_of_the_source_announces_is_found(kind: str) -> None:
    source = "return function() return _G['to' .. 'string'](_G['ma' .. 'th'].floor(1.5)) .. #('a,b'):rep(2) end"
    assert Driver.of_source(source, kind).value == "16"


def test_a_file_that_loads_while_a_record_is_read_leaves_the_record_whole() -> None:
    driver = Driver.of_source(
        """return function()
            local f = funcs.async('a:b')
            local v, ok = f:channel():receive()
            return {v:kind(), f:is_complete(), ok}
        end"""
    )
    driver.reject(driver.last(), not_found("nobody"))
    assert driver.value == ["NotFound", True, True]


def test_a_process_that_waits_keeps_nothing_of_what_loading_left() -> None:
    function, process = (memory_at_rest(kind) for kind in ("function", "process"))
    assert process < function - 15_000, (process, function)


def memory_at_rest(kind: str) -> int:
    chunk = Chunk("t:idle", "return function() process.inbox():receive() end", ("time",))
    program = Program("t:idle", f"{kind}.lua", "", {"t:idle": chunk})
    unit = Unit(program, Identity("{t:host|1}", kind, {}), (), HandWorld())
    assert isinstance(unit.step().status, Waiting)
    return unit.memory()


def test_names_that_are_nowhere_are_nil() -> None:
    assert Driver.of_source("return function() return nowhere == nil end").value is True
