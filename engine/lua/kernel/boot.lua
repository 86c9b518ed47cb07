-- The root of the kernel: natives, objects, limits.
-- Every kernel file is a chunk called with the kernel's private table `k`; user code never sees it.
local k = ...

local raw = {
  string = string, table = table, math = math, os = os, coroutine = coroutine, debug = debug,
  pairs = pairs, next = next, ipairs = ipairs, type = type, tostring = tostring, tonumber = tonumber,
  select = select, error = error, pcall = pcall, xpcall = xpcall, setmetatable = setmetatable,
  getmetatable = debug.getmetatable, rawget = rawget, rawset = rawset, rawequal = rawequal,
  rawlen = rawlen, utf8_len = utf8.len, unpack = table.unpack, load = load, collectgarbage = collectgarbage,
}
k.raw = raw
k.std = {} -- the globals of user code
k.modules = {} -- what `modules:` may name
k.exceeded, k.main, k.outcome, k.issued, k.sends = false, false, false, false, 0 -- set, since a name that is not there is looked for in files

local type, next, error, pcall, setmetatable, select = raw.type, raw.next, raw.error, raw.pcall, raw.setmetatable, raw.select
local getmetatable, math_type = raw.getmetatable, math.type
local sethook = debug.sethook

--- Nanoseconds since the epoch. In a workflow, and outside tasks, the moment at which the step began.
function k.now()
  if k.is_workflow or not k.current or not k.current() then return k.io.now end
  return (k.service("now"))
end

-- --- objects: Lua tables that user code sees as userdata -------------------------------------
-- The private state of an object stands under the key S, which no user code can name.

local S = {}
k.S = S
local classes = {} -- metatable -> class name
k.classes = classes

--- A class of kernel objects; `meta` may add metamethods.
function k.class(name, methods, meta)
  meta = meta or {}
  meta.__index = meta.__index or methods
  meta.__newindex = function() error("attempt to modify a " .. name, 2) end
  meta.__metatable = name
  meta.__name = name
  classes[meta] = name
  return meta
end

function k.new(class, state)
  return setmetatable({ [S] = state }, class)
end

function k.class_of(v)
  return type(v) == "table" and classes[getmetatable(v)] or nil
end

function k.is_object(v)
  if type(v) ~= "table" then return false end
  local mt = getmetatable(v)
  return mt ~= nil and classes[mt] ~= nil
end

function k.is_error(v) return k.class_of(v) == "error" end

--- The state of an object of one class, or an argument error.
function k.self(v, class, name)
  if type(v) == "table" and getmetatable(v) == class then return v[S] end
  error(name .. " expected (call the method with ':')", 3)
end

-- --- limits: uncatchable and final ------------------------------------------------------------

local LIMIT = setmetatable({}, { __tostring = function() return "limit exceeded" end })
local QUANTUM = 10000 -- instructions between two looks of the hook
local MEMORY_ERROR = "not enough memory"
local budget, per_step = 0, 0
k.MEMORY_ERROR = MEMORY_ERROR

local function exceed(what)
  k.exceeded = k.exceeded or what
  error(LIMIT, 0)
end
k.exceed = exceed

-- The hook at each of these counts of a coroutine's own instructions. A stretch is charged when it begins, and the
-- first ones are short: short coroutines would otherwise run for nothing, since each has a count of its own.
local hooks, FIRST = {}, 512

-- It allocates, so that taking away the memory of a state stops code that needs none (`State.interrupt`).
local function spend(n)
  local _ = {}
  budget = budget - n
  if budget <= 0 then
    sethook(hooks[1], "", 1) -- code that catches the error gets it again at its next instruction
    exceed("instructions")
  end
end

local function hook_of(length)
  local following = length * 2 < QUANTUM and length * 2 or QUANTUM
  hooks[length] = length == QUANTUM and function() spend(QUANTUM) end or function()
    spend(following)
    sethook(hooks[following], "", following)
  end
  if length < QUANTUM then hook_of(following) end
end

-- Within a stretch there are looks, which charge nothing: more of them as soon as an interval took long, since one
-- instruction may hide the work of a million. Each ends by a tail call, so that none of its own instructions is counted
-- in the next interval, and the stretch ends at the same instruction however many looks it had.
local looks, OFTEN, SELDOM, LONG = {}, 64, 2560, 0.02 -- LONG in seconds of the process
local clock, looked_at = raw.os.clock, 0

-- Go on with a stretch that ends in `left` instructions, where it meets `ending`.
local function go_on(ending, left)
  local now = clock()
  local most = (k.often or now - looked_at > LONG) and OFTEN or SELDOM
  looked_at = now
  if left <= most then return sethook(ending, "", left) end
  local after = left - most
  local known = looks[ending]
  local look = known[after]
  if not look then
    look = function()
      local _ = {}
      return go_on(ending, after)
    end
    known[after] = look
  end
  return sethook(look, "", most)
end

local function watched_hook_of(length)
  local following = length * 2 < QUANTUM and length * 2 or QUANTUM
  local hook = function()
    spend(following)
    return go_on(hooks[following], following)
  end
  hooks[length], looks[hook] = hook, {}
  if length < QUANTUM then watched_hook_of(following) end
end

if k.version > 1 then watched_hook_of(FIRST) else hook_of(FIRST) end
hooks[1] = function() spend(1) end

--- Bring a coroutine under the instruction limit.
function k.guard(co)
  budget = budget - FIRST -- the hook looks at it
  sethook(co, hooks[FIRST], "", FIRST)
  return co
end

function k.set_budget(n) per_step = n end
function k.refill() budget = per_step end

--- Charge `n` instructions for work that the hook can't see.
function k.charge(n)
  budget = budget - n
  if budget <= 0 then
    if k.current and k.current() then sethook(hooks[1], "", 1) end -- never on the kernel's own thread
    exceed("instructions")
  end
end

--- What was raised, without a place in the kernel, which has no lines: Lua tells none of its native functions either.
function k.placed(why, ...)
  if k.version > 1 and type(why) == "string" and string.sub(why, 1, 6) == "?:-1: " then why = string.sub(why, 7) end
  return why, ...
end

--- Pass the results of a protected call on, unless a limit was exceeded meanwhile.
local function checked(ok, ...)
  if ok then return ok, ... end
  if k.exceeded or (...) == MEMORY_ERROR then exceed("memory") end
  return ok, k.placed(...)
end
k.checked = checked

function k.pcall(f, ...)
  return checked(pcall(f, ...))
end
