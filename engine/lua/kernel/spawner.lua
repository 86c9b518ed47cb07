-- The spawner of process.with_context and process.with_options: an immutable builder (docs/lua.md#process-spawner).
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error
local start, exec, defaults = k.spawning.start, k.spawning.exec, k.spawning.defaults

local builder = {}
local builder_class = k.class("process.Spawner", builder)

local function spec_of(self) return k.self(self, builder_class, "process.Spawner") end

local function changed(spec, field, value)
  return k.new(builder_class, k.merged(spec, { [field] = value }))
end

local function want_table(v, what)
  if type(v) ~= "table" or k.is_object(v) then error(what .. ": table expected", 3) end
end

function builder.with_context(self, values)
  want_table(values, "with_context")
  k.refuse_reserved(values)
  local spec = spec_of(self)
  k.must_be_allowed("process.context", "context")
  return changed(spec, "context", k.merged(spec.context, values))
end

function builder.with_options(self, options)
  want_table(options, "with_options")
  local spec = spec_of(self)
  k.must_be_allowed("process.context", "context")
  return changed(spec, "options", k.merged(spec.options, options))
end

--- Let an actor or a scope of the security module own what is started, instead of the unit's own.
for _, part in raw.ipairs { "actor", "scope" } do
  local step = "with_" .. part
  builder[step] = function(self, value)
    local spec, state = spec_of(self), k.security_state(part, value, step)
    k.must_be_allowed("process.security", "security")
    return changed(spec, part, state)
  end
end

function builder.with_name(self, name)
  if type(name) ~= "string" or name == "" or not raw.utf8_len(name) then error("with_name: name (UTF-8 string) expected", 2) end
  return changed(spec_of(self), "name", name)
end

function builder.with_message(self, topic, ...)
  local spec = spec_of(self)
  if type(topic) ~= "string" then error("with_message: topic (string) expected", 2) end
  local problem = k.topic_problem(topic, "send to")
  if problem then error("with_message: " .. problem, 2) end
  local messages = { raw.unpack(spec.messages) }
  messages[#messages + 1] = { topic = topic, payloads = k.packed(...) }
  return changed(spec, "messages", messages)
end

function builder.spawn(self, ...) return start(spec_of(self), false, false, ...) end
function builder.spawn_monitored(self, ...) return start(spec_of(self), true, false, ...) end
function builder.spawn_linked(self, ...) return start(spec_of(self), false, true, ...) end
function builder.spawn_linked_monitored(self, ...) return start(spec_of(self), true, true, ...) end
function builder.exec(self, ...) return exec(spec_of(self), ...) end

k.spawning.builder = builder
function k.spawning.new() return k.new(builder_class, defaults) end
