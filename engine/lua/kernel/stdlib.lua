-- Assembles `k.std`, the globals of user code that need no scheduler. The last of the standard files to load.
--
-- Each file is a chunk called with the kernel's private table. Loaded at once, in this order:
--   std_values  std_pairs  stdlib
-- Loaded when they are first used, through k.chunk(name), which returns a compiled file as a function; or at once,
-- before stdlib, where there is no k.chunk:
--   std_table  pattern  std_string  std_math  std_os
-- They need k.raw, k.is_workflow, k.charge, k.now and k.is_object when std_values loads, k.random_seed later.
-- They leave k.std, k.lib (shared helpers), k.pattern, k.library(t) (seals a table), and k.reveal(t): the table
-- that really holds the fields of `t`; it differs from `t` for libraries and after table.make_immutable.
local k = ...
local raw, lib, std = k.raw, k.lib, k.std
local next = raw.next

local loaded = {}

-- Runs a file that loads on demand; returns `k.lib`.
function lib.need(name)
  if k.chunk and not loaded[name] then
    k.chunk(name)(k)
    loaded[name] = true
  end
  return lib
end

local function library(name, extra)
  return lib.seal_later(function(hidden)
    lib.need("std_" .. name)
    for key, value in next, lib[name] do hidden[key] = value end
  end, extra)
end

k.library = lib.seal

-- `string(x)` is what is left of a validating cast: a string as it is, an error otherwise.
local function cast(_, value)
  if raw.type(value) ~= "string" then raw.error("string expected, got " .. lib.typeof(value), 2) end
  return value
end

std.string = library("string", { __call = cast })
std.table = library("table")
std.math = library("math")
std.os = library("os")
function std.unpack(...) return std.table.unpack(...) end

-- Methods of strings; the arithmetic of numeric strings stays in the native metatable.
local meta = raw.debug.getmetatable("")
meta.__index = std.string
meta.__metatable = std.string
