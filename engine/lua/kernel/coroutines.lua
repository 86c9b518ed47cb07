-- The user's coroutine library and protected calls; what tasks need now and then.
local k = ...
local raw, std, tasks, TOKEN = k.raw, k.std, k.tasks, k.TOKEN
local create, resume, yield, status = raw.coroutine.create, raw.coroutine.resume, raw.coroutine.yield, raw.coroutine.status
local type, error, pcall, select = raw.type, raw.error, raw.pcall, raw.select

local function handled(handler, ok, ...)
  if ok then return true, ... end
  return false, (handler((...)))
end

-- What the handler makes of an error. As in Lua it is asked again about an error of its own, so many times.
local MOST_HANDLED = 200

local function handled_safely(handler, ok, ...)
  if ok then return true, ... end
  local why = ...
  for _ = 1, MOST_HANDLED do
    ok, why = k.pcall(handler, why)
    if ok then return false, why end
  end
  return false, "error in error handling"
end

local function protected(f, handler, ...)
  if k.version < 2 then return handled(handler, k.checked(pcall(f, ...))) end
  return handled_safely(handler, k.checked(pcall(f, ...)))
end

-- A native xpcall handler runs inside the error and escapes the hook: here it runs after it.
function k.xpcall(...)
  local _, handler = ...
  if k.version > 1 and type(handler) ~= "function" then
    k.lib.refuse(2, "xpcall", "function", handler, 3, select("#", ...) < 2)
  end
  return protected(...)
end

local function user_pcall(...)
  if ... == nil and select("#", ...) == 0 then error("bad argument #1 to 'pcall' (value expected)", 2) end
  return k.checked(pcall(...))
end

--- Let the others run first.
function k.pause()
  k.wake(k.current())
  return yield(TOKEN)
end

--- Two integers to seed math.random with.
function k.random_seed()
  local seed = k.service("random.seed")
  return seed[1], seed[2]
end

local function pump(co, ok, ...)
  if ok and (...) == TOKEN then
    return pump(co, resume(co, yield(...)))
  end
  return k.checked(ok, ...)
end

local function check_function(name, ...)
  local f = ...
  if type(f) == "function" then return f end
  if k.version < 2 then error("bad argument #1 to 'create' (function expected)", 3) end
  k.lib.refuse(1, name, "function", f, 4, select("#", ...) == 0)
end

local function close(...)
  local ok, closed, why = pcall(raw.coroutine.close, ...)
  if not ok then error(raw.string.gsub(closed, "to '[^']*'", "to 'close'"), 2) end
  if closed then return true end
  return k.checked(closed, why)
end

local lib = {
  yield = yield, status = status, running = raw.coroutine.running, isyieldable = raw.coroutine.isyieldable,
  close = k.version < 2 and raw.coroutine.close or close,
}

function lib.create(...)
  return k.guard(create(check_function("create", ...)))
end

function lib.resume(...)
  local co = ...
  if type(co) ~= "thread" then
    if k.version < 2 then error("bad argument #1 to 'resume' (coroutine expected)", 2) end
    k.lib.refuse(1, "resume", "thread", co, 3, select("#", ...) == 0)
  end
  if tasks[co] then return false, "cannot resume a spawned coroutine" end
  return pump(co, resume(...))
end

local function unwrap(ok, ...)
  if ok then return ... end
  error((...), k.version < 2 and 0 or 2)
end

local function again(ok, ...)
  if ok then return ... end
  error((...), 0)
end

-- Caught within the coroutine, an error closes its variables while they can still wait. The call waits once before it
-- begins: a protected call that was resumed takes no level of C, of which Lua has some 200.
local function begin(f) return f(yield()) end

local function closing(f)
  local co = k.guard(create(function() return again(pcall(begin, f)) end))
  local ok, why = k.checked(resume(co))
  if not ok then error(why, 3) end
  return co
end

function lib.wrap(...)
  local f = check_function("wrap", ...)
  local co = k.version > 1 and closing(f) or k.guard(create(f))
  return function(...) return unwrap(pump(co, resume(co, ...))) end
end

--- Start a cooperative task of this unit.
function lib.spawn(f, ...)
  if type(f) ~= "function" then error("bad argument #1 to 'spawn' (function expected)", 2) end
  return k.spawn(f, ...).co
end

std.coroutine = k.library(lib)
std.pcall, std.xpcall = k.version > 1 and user_pcall or k.pcall, k.xpcall
