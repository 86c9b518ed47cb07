"""The index of the kernel (engine/modules.py) is complete and true."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest

from engine import modules
from engine.errors import PERMISSION_DENIED
from engine.lua import state
from engine.lua.state import KERNEL, State
from engine.modules import CORE, FILES
from engine.testing import Driver, program_of

# Runs each file and notes which names appear by that: "k name file", "std name file", "module name file".
_DEFINERS = """
function(k, files)
  local raw, found, chunk, running = k.raw, {}, k.chunk, { "(core)" }
  local seen = { k = {}, std = {}, module = {} }
  local function note()
    for where, t in raw.pairs { k = k, std = k.std, module = k.modules } do
      for name in raw.next, t do
        if not seen[where][name] then found[#found + 1] = where .. " " .. name .. " " .. running[#running] end
        seen[where][name] = true
      end
    end
  end
  function k.chunk(file)
    local run = chunk(file)
    return function(...)
      note()
      running[#running + 1] = file
      run(...)
      note()
      running[#running] = nil
    end
  end
  note()
  for file in raw.string.gmatch(files, "%S+") do k.need(file) end
  return raw.table.concat(found, "\\n")
end
"""


@pytest.fixture(scope="module")
def defined() -> set[tuple[str, str, str]]:
    """(table, name, file that puts the name into it), of all files but those of the core."""
    with mock.patch.object(state, "_likely", return_value=tuple(FILES)):
        made = State("function", (), ("",), 0)
    text = str(made._lua.eval(_DEFINERS)(made._k, " ".join(name for name in FILES if name not in CORE)))
    found = [line.split() for line in text.splitlines()]
    return {(where, name, file) for where, name, file in found if file != "(core)"}


def indexed() -> Iterator[tuple[str, str, str]]:
    for name, file in FILES.items():
        if name not in CORE:
            yield from (("k", each, name) for each in file.names)
            yield from (("std", each, name) for each in (*file.libraries, *file.globals))
    yield from (("module", module, files[-1]) for module, files in modules.MODULES.items())


def test_each_file_of_the_kernel_is_in_the_index_and_no_other() -> None:
    assert FILES.keys() == {path.stem for path in KERNEL.glob("*.lua")}


def test_each_name_is_defined_by_the_file_that_the_index_says_and_no_other_is(
    defined: set[tuple[str, str, str]],
) -> None:
    assert defined == set(indexed())


def test_no_name_stands_in_the_index_twice() -> None:
    names = [entry[:2] for entry in indexed()]
    assert len(names) == len(set(names))


def test_libraries_of_the_core_are_there_from_the_beginning() -> None:
    made = State("function", (), (), 0)
    assert all(made._k["std"][library] is not None for name in CORE for library in FILES[name].libraries)


def test_each_file_is_loaded_by_somebody() -> None:
    """By one of its names, by a module, from the beginning, or by another file of the kernel."""
    kernel = "\n".join(path.read_text("utf-8") for path in KERNEL.glob("*.lua"))
    for name, file in FILES.items():
        named = file.core or file.module or file.names or file.libraries or file.globals
        assert named or f'"{name}")' in kernel, name


@pytest.mark.parametrize("module", sorted(modules.MODULES))
def test_a_module_is_there_in_a_workflow_unless_it_asks_the_host(module: str) -> None:
    driver = Driver(program_of(f"return function() return {module} ~= nil end", modules=[module]), "workflow")
    if module in modules.ASKING:
        assert driver.failure.kind == PERMISSION_DENIED
    else:
        assert driver.value is True
