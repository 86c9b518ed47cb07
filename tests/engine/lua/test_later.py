"""The parts of the kernel that load when they are first used."""

from __future__ import annotations

import re
from unittest import mock

import pytest

from engine.errors import not_found
from engine.lua import state
from engine.lua.state import CORE, KERNEL, MODULES, ON_DEMAND, State
from engine.testing import Driver

LATER = (KERNEL / "later.lua").read_text("utf-8")


def homes(table: str) -> dict[str, str]:
    """Names and the files that define them, as later.lua says."""
    body = LATER.split(f"local {table} = {{")[1].split("}")[0]
    return dict(re.findall(r'(\w+) = "(\w+)"', body))


@pytest.fixture
def ready() -> State:
    """A state that holds every file, so that none must be asked for."""
    with mock.patch.object(state, "_likely", return_value=tuple(ON_DEMAND)):
        return State("workflow", (), ("",), 0)


def test_every_file_of_the_kernel_is_loaded_by_somebody() -> None:
    known = {*CORE, *ON_DEMAND, *(file for files in MODULES.values() for file in files)}
    assert known == {path.stem for path in KERNEL.glob("*.lua")}


def test_each_name_is_defined_by_the_file_that_it_is_looked_for_in(ready: State) -> None:
    for name, file in homes("homes").items():
        assert file in ON_DEMAND
        assert ready._k[name] is not None, name


def test_each_global_is_defined_by_the_file_that_it_is_looked_for_in(ready: State) -> None:
    for name, file in homes("std_homes").items():
        assert file in ON_DEMAND
        assert ready._k["std"][name] is not None, name


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
