-- Structured errors (docs/lua.md#errors).
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error
local S = k.S

local methods = {}
local class

local function text(v) return k.std.tostring(v) end

local function operand(v)
  if type(v) == "string" or type(v) == "number" or k.is_object(v) then return text(v) end
  error("attempt to concatenate a " .. type(v) .. " value", 3)
end

class = k.class("error", methods, {
  __tostring = function(self) return self[S].message end,
  __concat = function(a, b)
    return operand(a) .. operand(b)
  end,
})

--- A traceback without the kernel's own frames.
function k.clean_stack(stack)
  local lines = {}
  for line in raw.string.gmatch(stack, "[^\n]+") do
    -- the kernel is stripped: its frames have no source
    if raw.string.sub(line, 1, 3) ~= "\t?:" then lines[#lines + 1] = line end
  end
  return raw.table.concat(lines, "\n")
end

local function stack_here()
  return k.clean_stack(raw.debug.traceback("", 3))
end

--- A copy of a table and the tables in it; anything else as it is.
function k.copied(v, seen)
  if type(v) ~= "table" or k.is_object(v) then return v end
  seen = seen or {}
  if seen[v] then return seen[v] end
  local source = k.reveal(v)
  local t = k.alike(source)
  seen[v] = t
  for key, value in raw.next, source do t[key] = k.copied(value, seen) end
  return t
end

--- An error object from {message, kind, retryable, details, stack}.
function k.make_error(state)
  state.kind = state.kind or ""
  if not state.stack or state.stack == "" then state.stack = "stack traceback:\n\t[engine]" end
  if type(state.details) == "table" and raw.next(state.details) == nil then state.details = nil end
  return k.new(class, state)
end

function k.failure(kind, message, retryable, details)
  return k.make_error { kind = kind, message = message, retryable = retryable, details = details, stack = stack_here() }
end

function k.invalid(message) return k.failure("Invalid", message, false) end

-- The context that `wrap` gave becomes part of the message when the error leaves the unit.
function k.error_boundary_message(state)
  if state.context then return state.context .. ": " .. state.message end
  return state.message
end

local function state_of(self, name)
  if k.is_error(self) then return self[S] end
  error("bad argument #1 to '" .. name .. "' (error expected)", 3)
end

function methods.message(self) return state_of(self, "message").message end
function methods.stack(self) return state_of(self, "stack").stack end

-- With a value these give another error that has it: errors.new("no such order"):kind(errors.NOT_FOUND).
for field, kind in raw.next, { kind = "string", retryable = "boolean", details = "table" } do
  methods[field] = function(self, value)
    local state = state_of(self, field)
    if value == nil then return k.copied(state[field]) end
    if k.std.type(value) ~= kind then error("error:" .. field .. ": " .. kind .. " expected, got " .. k.std.type(value), 2) end
    return k.make_error(k.merged(state, { [field] = k.copied(value) }))
  end
end

local lib = {
  NOT_FOUND = "NotFound", ALREADY_EXISTS = "AlreadyExists", INVALID = "Invalid", PERMISSION_DENIED = "PermissionDenied",
  UNAVAILABLE = "Unavailable", INTERNAL = "Internal", CANCELED = "Canceled", CONFLICT = "Conflict", TIMEOUT = "Timeout",
  RATE_LIMITED = "RateLimited", UNKNOWN = "",
}

-- Each field is read once: `spec` may have a metatable, which answers differently the second time.
local function from_table(spec)
  local message, kind, retryable, details = spec.message, spec.kind, spec.retryable, spec.details
  if type(message) ~= "string" then error("errors.new: message (string) is required", 3) end
  if type(retryable) ~= "boolean" then retryable = nil end
  return k.make_error {
    message = message,
    kind = type(kind) == "string" and kind or "",
    retryable = retryable,
    details = type(details) == "table" and k.copied(details) or nil,
    stack = stack_here(),
  }
end

--- errors.new("text") or errors.new{message=, kind=, retryable=, details=}.
function lib.new(spec)
  if type(spec) == "string" then return k.make_error { message = spec, stack = stack_here() } end
  if type(spec) ~= "table" or k.is_object(spec) then error("errors.new: string or table expected", 2) end
  return from_table(spec)
end

local function context_text(context)
  if type(context) == "string" then return context end
  if k.is_error(context) then return k.error_boundary_message(context[S]) end
  error("errors.wrap: context must be a string or an error", 3)
end

--- Add context: it becomes a prefix of the message at the next wrap or boundary.
function lib.wrap(err, context)
  context = context_text(context)
  if type(err) == "string" then
    return k.make_error { message = err, context = context, stack = stack_here() }
  end
  if not k.is_error(err) then error("errors.wrap: error or string expected", 2) end
  local inner = err[S]
  return k.make_error {
    message = k.error_boundary_message(inner), context = context, kind = inner.kind,
    retryable = inner.retryable, details = inner.details, stack = inner.stack,
  }
end

function lib.is(err, kind)
  return k.is_error(err) and err[S].kind == kind
end

local function frames_of(stack)
  local frames = {}
  for line in raw.string.gmatch(stack, "[^\n]+") do
    local source, at, name = raw.string.match(line, "^%s+(.-):(%d+): in (.*)$")
    if source then
      frames[#frames + 1] = { level = #frames, source = source, line = raw.math.tointeger(raw.tonumber(at)), name = name, type = "lua" }
    end
  end
  return frames
end

--- {thread=, frames={{level, source, line, name, type}}} or nil.
function lib.call_stack(err)
  if not k.is_error(err) then return nil end
  return { thread = "main", frames = frames_of(err[S].stack) }
end

k.std.errors = k.library(lib)

-- --- normalising what a body raised or returned --------------------------------------------------

-- Where a task failed: its stack is gone by now when its variables were closed.
local function stack_of(task)
  local stack = task.stack or raw.debug.traceback(task.co)
  local frame = raw.string.find(stack, "\n\t[C]: in function 'xpcall'", 1, true) -- that of kernel/scheduler.lua
  return k.clean_stack(frame and raw.string.sub(stack, 1, frame - 1) or stack)
end

--- Any raised value as an error object; `task` is the failed one.
function k.normalise(value, task)
  if k.is_error(value) then return value end
  local message = type(value) == "string" and k.placed(value) or text(value)
  return k.make_error { kind = "Internal", message = message, stack = stack_of(task) }
end

--- The outcome of `return x, e` (docs/lua.md#results-and-errors): an error object or nil.
function k.returned_error(e)
  if type(e) == "string" then
    return k.make_error { kind = "Internal", message = e, retryable = false }
  end
  if k.is_error(e) then return e end
  return nil
end

local limit_messages = {
  instructions = function() return "instruction limit exceeded: more than " .. k.limits.instructions .. " Lua instructions in one step" end,
  memory = function() return "memory limit exceeded: more than " .. k.limits.memory // 1048576 .. " MiB of Lua memory" end,
}

function k.limit_failure()
  return k.make_error { kind = "LimitExceeded", message = limit_messages[k.exceeded or "memory"](), retryable = false,
    stack = k.failed_task and stack_of(k.failed_task) or "" }
end
