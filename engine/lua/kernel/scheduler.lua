-- Tasks, the run queue, host services, and the user's coroutine library.
local k = ...
local raw, std = k.raw, k.std
local create, resume, yield, status = raw.coroutine.create, raw.coroutine.resume, raw.coroutine.yield, raw.coroutine.status
local isyieldable = raw.coroutine.isyieldable
local type, error, select, unpack = raw.type, raw.error, raw.select, raw.unpack

-- Engine yields carry this token, so that a user's own resume can pass them on.
local TOKEN = {}

local queue, head, tail = {}, 1, 0
local tasks = {}   -- thread -> task
local current      -- the task that runs
local in_service   -- the task that waits for the host's answer to a service request
k.pending = {}     -- seq -> {kind, name, deadline, done}
local seq = 0

local function push(task, a, b, c)
  tail = tail + 1
  queue[tail] = task
  task.a, task.b, task.c = a, b, c
end

--- Start a task; it runs when its turn comes.
function k.spawn(fn, ...)
  local co = k.guard(create(fn))
  local task = { co = co, args = { n = select("#", ...), ... } }
  tasks[co] = task
  push(task)
  return task
end

--- Raise where nothing can block: under a native call (a metamethod that ipairs or table.insert runs), or after
-- the end. Comes before what announces the wait, which nobody would take back.
function k.may_block()
  if not current then error("cannot wait here: the unit has ended", 0) end
  if not isyieldable() then error("attempt to yield across a C-call boundary", 0) end
end

--- Block the current task until somebody wakes it; returns the (at most three) values that the waker gives.
function k.park()
  return yield(TOKEN)
end

function k.wake(task, a, b, c)
  if not task.dead then push(task, a, b, c) end
end

--- Let the others run first.
function k.pause()
  push(current)
  return yield(TOKEN)
end

function k.current() return current end

--- Ask the host for something that it answers at once; returns its answer: value, or nil and an error.
-- May only be used inside a task. Arguments are copied.
function k.service(name, ...)
  k.may_block()
  k.charge(200)
  local ok, why = k.put("service", name, k.packed(...))
  if not ok then return nil, k.invalid(why) end
  return yield(TOKEN, "service")
end

--- Two integers to seed math.random with.
function k.random_seed()
  local seed = k.service("random.seed")
  return seed[1], seed[2]
end

-- --- commands ---------------------------------------------------------------------------------

--- Issue a command whose answer calls `done(value, err)`; returns its seq, or nil and an error.
-- `...` are the fields after op and seq, in the order of the dataclass in engine/steps.py.
function k.issue(op, name, done, ...)
  local id = seq + 1
  local ok, why = k.put(op, id, ...)
  if not ok then return nil, k.invalid(why) end
  seq = id
  k.pending[id] = { kind = op == "start_timer" and "timer" or op, name = name, done = done }
  return id
end

--- Issue a command and block until it is answered.
function k.command(op, name, ...)
  k.may_block()
  local task = current
  local id, err = k.issue(op, name, function(value, failure) k.wake(task, value, failure) end, ...)
  if not id then return nil, err end
  return k.park()
end

--- The host's answer to a command; unknown ids (cancelled meanwhile) are ignored.
function k.answer(id, value, failure)
  local entry = k.pending[id]
  if not entry then return end
  k.pending[id] = nil
  if entry.done then entry.done(value, failure) end
end

-- --- running ----------------------------------------------------------------------------------

local function settle(task, ok, token, what)
  if not ok and token == k.MEMORY_ERROR then k.exceeded = k.exceeded or "memory" end
  if k.exceeded or not ok then
    k.failed_task, k.failed_with = task, token
    task.dead = true
    return "failed"
  end
  if token == TOKEN then
    in_service = task
    return what -- "service"
  end
  if status(task.co) == "dead" then
    task.dead = true
    tasks[task.co] = nil
  else
    push(task) -- a plain yield outside a user's coroutine: give the others a turn
  end
end

local function first_run(task)
  local args = task.args
  task.args = nil
  return resume(task.co, unpack(args, 1, args.n))
end

local function run_one(task, ok, token, what)
  if ok and token == TOKEN and what == nil then return end -- parked: the common case
  local outcome = settle(task, ok, token, what)
  if outcome then return outcome end
  if k.main.dead then return "idle" end
end

--- Run until everything is blocked. Returns "idle", "service" or "failed".
function k.run()
  while head <= tail do
    local task = queue[head]
    queue[head] = nil
    head = head + 1
    if not task.dead then
      current = task
      local outcome
      if task.args then
        outcome = run_one(task, first_run(task))
      else
        local a, b, c = task.a, task.b, task.c
        task.b = nil
        outcome = run_one(task, resume(task.co, a, b, c))
      end
      current = nil
      if outcome then return outcome end
    end
  end
  head, tail = 1, 0
  return "idle"
end

--- Go on with the task whose service request the host has answered.
function k.resume_service(value, failure)
  local task = in_service
  in_service = nil
  current = task
  local outcome = run_one(task, resume(task.co, value, failure))
  current = nil
  return outcome or k.run()
end

-- --- the user's coroutines --------------------------------------------------------------------

local function pump(co, ok, ...)
  if ok and (...) == TOKEN then
    return pump(co, resume(co, yield(...)))
  end
  return k.checked(ok, ...)
end

local function user_create(f)
  if type(f) ~= "function" then error("bad argument #1 to 'create' (function expected)", 3) end
  return k.guard(create(f))
end

local lib = {
  yield = yield, status = status, running = raw.coroutine.running, isyieldable = raw.coroutine.isyieldable,
  close = raw.coroutine.close,
}

function lib.create(f) return user_create(f) end

function lib.resume(co, ...)
  if type(co) ~= "thread" then error("bad argument #1 to 'resume' (coroutine expected)", 2) end
  if tasks[co] then return false, "cannot resume a spawned coroutine" end
  return pump(co, resume(co, ...))
end

local function unwrap(ok, ...)
  if ok then return ... end
  error((...), 0)
end

function lib.wrap(f)
  local co = user_create(f)
  return function(...) return unwrap(pump(co, resume(co, ...))) end
end

--- Start a cooperative task of this unit.
function lib.spawn(f, ...)
  if type(f) ~= "function" then error("bad argument #1 to 'spawn' (function expected)", 2) end
  return k.spawn(f, ...).co
end

std.coroutine = k.library(lib)
std.pcall, std.xpcall = k.pcall, k.xpcall
