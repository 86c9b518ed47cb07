"""The names that Lua code can really use, read from a state of the kernel."""

from __future__ import annotations

from typing import Any
from unittest import mock

from engine.lua import state
from engine.lua.state import KERNEL, State, kernel_code
from engine.modules import CORE, FILES, MODULES

# Notes each class as it is made.
_SPY = """
local class = k.class
k.seen = {}
function k.class(name, methods, meta)
  k.seen[#k.seen + 1] = { name = name, methods = methods }
  return class(name, methods, meta)
end
"""
# Emits "module.name" for fields and "class:name" for methods.
_WALK = """
function(k, files)
  for name in k.raw.string.gmatch(files, "%S+") do k.need(name) end
  local raw, found, walk = k.raw, {}
  local function emit(name) found[#found + 1] = name end
  function walk(path, t)
    for key, value in raw.next, k.reveal(t) do
      local name = path == "" and key or path .. "." .. key
      emit(name)
      if type(value) == "table" and not k.is_object(value) and value ~= t then walk(name, value) end
    end
  end
  walk("", k.std)
  for name, module in raw.next, k.modules do
    emit(name)
    if not k.is_object(module) then walk(name, module) end
  end
  for _, class in ipairs(k.seen) do
    for name in raw.next, class.methods do emit(raw.string.match(class.name, "[^.]*$") .. ":" .. name) end
  end
  return raw.table.concat(found, " ")
end
"""
_PLAIN = """
(function()
  local found = {}
  for name, value in pairs(_G) do
    found[#found + 1] = name
    if type(value) == "table" and name ~= "_G" and name ~= "package" then
      for key in pairs(value) do found[#found + 1] = name .. "." .. key end
    end
  end
  return table.concat(found, " ")
end)()
"""


def kernel_names() -> set[str]:
    """Globals, fields of modules (`json.encode`, `process.event.EXIT`) and methods (`Time:add`)."""
    return {name for name in _kernel_names() if not name.startswith("package.")} - {"package"}


def plain_lua_names() -> set[str]:
    """What Lua 5.4 itself has."""
    return set(str(state._runtime().eval(_PLAIN)).split())


def _kernel_names() -> list[str]:
    with (
        mock.patch.object(state, "kernel_code", _spied),
        mock.patch.object(state, "_likely", return_value=tuple(FILES)),
    ):
        made: Any = State("function", sorted(MODULES), [""], 0)
    return str(made._lua.eval(_WALK)(made._k, " ".join(name for name in FILES if name not in CORE))).split()


def _spied(name: str, version: int) -> str:
    if name != "boot":
        return kernel_code(name, version)
    return state._compile((KERNEL / "boot.lua").read_text("utf-8") + _SPY, "=[kernel]/boot", True)
