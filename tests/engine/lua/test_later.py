"""The parts of the kernel that load when they are first used."""

from __future__ import annotations

import pytest

from engine.errors import not_found
from engine.testing import Driver


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


def test_names_that_are_nowhere_are_nil() -> None:
    assert Driver.of_source("return function() return nowhere == nil end").value is True
