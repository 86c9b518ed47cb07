-- Function calls and futures (docs/lua.md#funcs).
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error
local S = k.S

local function target_problem(id)
  if id == nil or id == "" then return k.invalid("function ID required") end
  if type(id) ~= "string" then error("function ID (string) expected, got " .. k.std.type(id), 5) end
  local colon = raw.string.find(id, ":", 1, true)
  if not colon or colon == 1 then return k.invalid("namespace required in function ID") end
  if colon == #id then return k.invalid("name required in function ID") end
end

local function refused(id)
  local err = target_problem(id)
  if err then return err end
  local _, denied = k.allowed("funcs.call", id)
  return denied
end

local defaults = { context = {}, options = {} }

local function call(spec, id, ...)
  local err = refused(id)
  if err then return nil, err end
  local context, credentials = k.merged(k.context, spec.context), k.credentials(spec)
  if k.version < 2 then return k.command("call", id, id, k.packed(...), spec.options, context, credentials) end
  return k.command("call", id, id, k.packed(...), spec.options, context, credentials, true)
end

-- --- futures ----------------------------------------------------------------------------------

local methods = {}
local class = k.class("future", methods)

local function state_of(self) return k.self(self, class, "future") end

local function complete(state, value, failure)
  if state.done then return end
  state.done, state.value, state.failure = true, value, failure
  k.push(state.channel, failure or k.payload(value))
  k.close_channel(state.channel)
end

local function async(spec, id, ...)
  local err = refused(id)
  if err then return nil, err end
  local state = { channel = k.channel(1) }
  state.seq, err = k.issue("call", id, function(value, failure) complete(state, value, failure) end,
    id, k.packed(...), spec.options, k.merged(k.context, spec.context), k.credentials(spec))
  if not state.seq then return nil, err end
  return k.new(class, state), nil
end

function methods.response(self) return state_of(self).channel end
methods.channel = methods.response

function methods.is_complete(self) return state_of(self).done == true end
function methods.is_canceled(self) return state_of(self).canceled == true end

function methods.result(self)
  local state = state_of(self)
  if state.canceled then return nil, k.failure("Canceled", "canceled", false) end
  if not state.done then return nil, nil end
  if state.failure then return nil, state.failure end
  return k.payload(state.value), nil
end

function methods.error(self)
  local failure = state_of(self).failure
  return failure, failure ~= nil
end

--- Ask the callee to stop and close the channel at once.
function methods.cancel(self)
  local state = state_of(self)
  if state.done then return true, nil end
  state.done, state.canceled = true, true
  k.give_up(state.seq)
  k.hand("cancel_call", state.seq)
  k.close_channel(state.channel)
  return true, nil
end

-- --- executors --------------------------------------------------------------------------------

local executor = {}
local executor_class = k.class("funcs.Executor", executor)

local function want_table(v, what)
  if type(v) ~= "table" or k.is_object(v) then error(what .. ": table expected", 3) end
end

local function spec_of(self) return k.self(self, executor_class, "funcs.Executor") end

local function changed(spec, field, value)
  return k.new(executor_class, k.merged(spec, { [field] = value }))
end

function executor.with_context(self, values)
  want_table(values, "with_context")
  k.refuse_reserved(values)
  local spec = spec_of(self)
  local _, err = k.allowed("funcs.context", "context")
  if err then return nil, err end
  return changed(spec, "context", k.merged(spec.context, values))
end

function executor.with_options(self, options)
  want_table(options, "with_options")
  return changed(spec_of(self), "options", options)
end

--- Let an actor or a scope of the security module call, instead of the unit's own.
for _, part in raw.ipairs { "actor", "scope" } do
  local step = "with_" .. part
  executor[step] = function(self, value)
    local spec, state = spec_of(self), k.security_state(part, value, step)
    local _, err = k.allowed("funcs.security", "security")
    if err then return nil, err end
    return changed(spec, part, state)
  end
end

function executor.call(self, ...) return call(spec_of(self), ...) end
function executor.async(self, ...) return async(spec_of(self), ...) end

k.modules.funcs = k.library {
  call = function(...) return call(defaults, ...) end,
  async = function(...) return async(defaults, ...) end,
  new = function() return k.new(executor_class, defaults) end,
}
