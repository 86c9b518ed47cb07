-- Assembles `k.std`, the globals of user code that need no scheduler.
--
-- Load order; each file is a chunk called with the kernel's private table:
--   std_values  std_pairs  std_table  pattern  std_string  std_math  std_os  stdlib
-- They need k.raw, k.is_workflow, k.charge, k.now and k.is_object when they are loaded, k.random_seed later.
-- They leave k.std, k.lib (shared helpers), k.pattern, and k.reveal(t): the table that really holds the
-- fields of `t`, which differs from `t` for library tables and after table.make_immutable.
local k = ...
local raw, lib, std = k.raw, k.lib, k.std

-- A library table as users hold it: readable, iterable, not writable.
local function library(functions, extra)
  return lib.seal(functions, extra)
end

std.string = library(lib.string, { __call = lib.cast })
std.table = library(lib.table)
std.math = library(lib.math)
std.os = library(lib.os)
k.library = library

-- Methods of strings; the arithmetic of numeric strings stays in the native metatable.
local meta = raw.debug.getmetatable("")
meta.__index = lib.reveal(std.string)
meta.__metatable = std.string
