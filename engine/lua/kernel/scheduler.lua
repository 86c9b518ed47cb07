-- Tasks, the run queue, host services, commands.
local k = ...
local raw = k.raw
local create, resume, yield, status = raw.coroutine.create, raw.coroutine.resume, raw.coroutine.yield, raw.coroutine.status
local isyieldable = raw.coroutine.isyieldable
local type, error, select, unpack, xpcall, traceback = raw.type, raw.error, raw.select, raw.unpack, raw.xpcall, raw.debug.traceback

-- Engine yields carry this token, so that a user's own resume can pass them on.
local TOKEN = {}

local queue, head, tail = {}, 1, 0
local tasks = {}   -- thread -> task
k.TOKEN, k.tasks = TOKEN, tasks
local running = { task = nil } -- the task that runs
k.running = running
local pending, outstanding = {}, 0 -- seq -> what takes the answer; how many there are
k.pending = pending
local seq = 0

local function push(task, a, b, c)
  tail = tail + 1
  queue[tail] = task
  task.a, task.b, task.c = a, b, c
end

-- After a limit nothing is closed: the first instruction of a closing function raises it again.
local function keep_place(why)
  if k.exceeded or why == k.MEMORY_ERROR then raw.debug.sethook(function() error(why, 0) end, "", 1) end
  running.task.stack = traceback("", 2)
  return why
end

local function again(ok, ...)
  if ok then return ... end
  error((...), 0)
end

-- An error closes the variables of a task while it can still wait, and then ends it.
local function closing(fn)
  if k.version < 2 then return fn end
  return function(...) return again(xpcall(fn, keep_place, ...)) end
end

--- Start a task; it runs when its turn comes.
function k.spawn(fn, ...)
  local co = k.guard(create(closing(fn)))
  local task = { co = co, args = { n = select("#", ...), ... } }
  tasks[co] = task
  push(task)
  return task
end

--- Raise where nothing can block: under a native call (a metamethod that ipairs or table.insert runs), or after
-- the end. Comes before what announces the wait, which nobody would take back.
function k.may_block()
  if not running.task then error("cannot wait here: the unit has ended", 0) end
  if not isyieldable() then error("attempt to yield across a C-call boundary", 0) end
end

--- Block the current task until somebody wakes it; returns the (at most three) values that the waker gives.
function k.park()
  return yield(TOKEN)
end

function k.wake(task, a, b, c)
  if task.dead then return end
  tail = tail + 1
  queue[tail] = task
  task.a, task.b, task.c = a, b, c
end

function k.current() return running.task end

--- Ask the host for something that it answers at once; returns its answer: value, or nil and an error.
-- May only be used inside a task. Arguments are copied.
function k.service(name, ...)
  k.may_block()
  k.charge(k.version < 2 and 200 or 600)
  local ok, why = k.hand("service", name, k.packed(...))
  if not ok then return nil, k.invalid(why) end
  return yield(TOKEN, "service")
end

--- Send at once, where the host does that (engine/lua/unit.py): true; or nil and an error; or false when it takes a
-- command: behind the commands of this step, to units elsewhere, and after many messages, so that others get a turn.
function k.send_now(dest, topic, ...)
  if k.issued or k.sends == 0 or not k.nothing_put() then return false end
  k.sends = k.sends - 1
  k.charge(200)
  local ok, why = k.hand(dest, topic, ...)
  if not ok then return nil, k.invalid(why) end
  return yield(TOKEN, "send")
end

-- The code of a file of the kernel: held ready by the state, or asked of the host. Nothing of it is put: it may be
-- wanted while a record is read or written.
function k.chunk_code(name)
  if raw.coroutine.running() == k.system then return k.asks.chunk(name) end
  if not isyieldable() then error("attempt to yield across a C-call boundary", 0) end
  k.charge(200)
  return yield(TOKEN, "chunk", name)
end

-- --- commands ---------------------------------------------------------------------------------

--- Issue a command whose answer calls `done(value, err)`; returns its seq, or nil and an error.
-- `...` are the fields after op and seq, in the order of the dataclass in engine/steps.py.
function k.issue(op, name, done, ...)
  local id = seq + 1
  k.issued = true
  if k.version > 1 then k.charge(1000) end -- with the host's work
  local put = op == "start_timer" and k.hand or k.put
  local ok, why = put(op, id, ...)
  if not ok then return nil, k.invalid(why) end
  seq = id
  pending[id], outstanding = done, outstanding + 1
  return id
end

--- Issue a command and block until it is answered.
function k.command(op, name, ...)
  k.may_block()
  local task = running.task
  local id, err = k.issue(op, name, function(value, failure) k.wake(task, value, failure) end, ...)
  if not id then return nil, err end
  local value, failure = k.park() -- two results, and no third, whoever takes all of them: f(funcs.call(...))
  return value, failure
end

--- The host's answer to a command; unknown ids (cancelled meanwhile) are ignored.
function k.answer(id, value, failure)
  local done = pending[id]
  if not done then return end
  k.give_up(id)
  done(value, failure)
end

--- Hear no answer to a command any more.
function k.give_up(id)
  if pending[id] then pending[id], outstanding = nil, outstanding - 1 end
end

--- Whether an answer is to come.
function k.expects() return outstanding > 0 end

-- --- running ----------------------------------------------------------------------------------

--- Go on with a coroutine; what it asks of the host meanwhile is asked by the system's own coroutine.
function k.served(co, ok, token, what, name)
  while ok and token == TOKEN and what do
    ok, token, what, name = resume(co, k.asks[what](name))
  end
  return ok, token
end

local function first_run(task)
  local args = task.args
  task.args = nil
  return resume(task.co, unpack(args, 1, args.n))
end

local function settle(task, ok, why)
  if not ok and why == k.MEMORY_ERROR then k.exceeded = k.exceeded or "memory" end
  if k.exceeded or not ok then
    k.failed_task, k.failed_with = task, why
    task.dead = true
    return "failed"
  end
  if status(task.co) == "dead" then
    task.dead = true
    tasks[task.co] = nil
  elseif why ~= TOKEN then
    push(task) -- a plain yield outside a user's coroutine: give the others a turn
  end
  if k.main.dead then return "idle" end
end

local function run_one(task, ok, token, what, name)
  if ok and token == TOKEN and not what then return end -- parked: the common case
  return settle(task, k.served(task.co, ok, token, what, name))
end

--- Run until everything is blocked. Returns "idle" or "failed".
function k.run()
  while head <= tail do
    local task = queue[head]
    queue[head] = nil
    if head == tail then head, tail = 1, 0 else head = head + 1 end -- low indices stay in the array part
    if not task.dead then
      running.task = task
      local outcome
      if task.args then
        outcome = run_one(task, first_run(task))
      else
        local b = task.b
        task.b = nil
        local ok, token, what, name = resume(task.co, task.a, b, task.c)
        if what or not ok or token ~= TOKEN then outcome = run_one(task, ok, token, what, name) end
      end
      running.task = nil
      if outcome then return outcome end
    end
  end
  return "idle"
end
