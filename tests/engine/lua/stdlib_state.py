"""A Lua state that holds nothing but the standard library of user code, for its tests."""

from __future__ import annotations

from typing import Any

from lupa.lua54 import LuaRuntime

from engine import modules
from engine.lua.state import KERNEL, index_text

FILES = [name for name in modules.FILES if name.startswith("std_") or name == "pattern"]

_HARNESS = """
local load_chunk = load
local objects = setmetatable({}, {__mode = "k"})
k = {
  raw = {
    string = string, table = table, math = math, os = os, coroutine = coroutine, debug = debug,
    pairs = pairs, next = next, ipairs = ipairs, type = type, tostring = tostring, tonumber = tonumber,
    select = select, error = error, pcall = pcall, setmetatable = setmetatable, getmetatable = getmetatable,
    rawget = rawget, rawset = rawset, rawequal = rawequal, rawlen = rawlen, unpack = table.unpack,
  },
  is_workflow = is_workflow,
  std = {},
  charged = 0,
  clock = 1700000000123456789,
}
k.charge = function(n)
  k.charged = k.charged + n
  if k.budget and k.charged > k.budget then error("budget exhausted") end
end
k.now = function() return k.clock end
k.random_seed = function() return 42, 7 end
k.alike, k.metatable, k.set_metatable = function() return {} end, debug.getmetatable, setmetatable
k.is_object = function(v) return objects[v] ~= nil end

local object_meta = {
  __tostring = function(o) return objects[o] end,
  __concat = function(a, b) return k.std.tostring(a) .. k.std.tostring(b) end,
  __metatable = false,
}
function k.new_object(text)
  local o = setmetatable({}, object_meta)
  objects[o] = text
  return o
end

local sources = {}

function k.chunk(name)
  return assert(load_chunk(sources[name], "=" .. name, "t"))
end

function add(source, name, now)
  sources[name] = source
  if now then k.chunk(name)(k) end
end

function run(source)
  local env = {pcall = pcall, coroutine = coroutine, object = k.new_object}
  for name, value in next, k.std do env[name] = value end
  local chunk, message = load_chunk(source, "=user", "t", env)
  if not chunk then return false, message end
  return pcall(chunk)
end
"""


class StdlibState:
    """A fresh state; `run` executes user code and gives its values, or raises LuaFailure."""

    def __init__(self, *, is_workflow: bool = True) -> None:
        self.lua = LuaRuntime(encoding="latin-1", register_eval=False, register_builtins=False)
        self.lua.globals().is_workflow = is_workflow
        self.lua.execute(_HARNESS)
        self.lua.globals().add(index_text(), "index", True)
        for name in (*FILES, "later"):
            source = (KERNEL / f"{name}.lua").read_text(encoding="latin-1")
            self.lua.globals().add(source, name, name == "later")
        for name in FILES:
            self.kernel.need(name)
        self.lua.execute("setmetatable(k.std, nil)")  # the other globals are no standard library

    @property
    def kernel(self) -> Any:
        """The kernel's private table `k`."""
        return self.lua.globals().k

    def run(self, source: str) -> Any:
        """The first value that the chunk returns, or a tuple of them when there are several."""
        ok, *values = self._call(source)
        if not ok:
            raise LuaFailure(str(values[0]))
        return values[0] if len(values) == 1 else tuple(values) or None

    def _call(self, source: str) -> tuple[Any, ...]:
        result = self.lua.globals().run(source)
        return result if isinstance(result, tuple) else (result,)


class LuaFailure(Exception):
    """The user code raised this message."""
