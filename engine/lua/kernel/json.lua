-- JSON and JSON Schema (docs/lua.md#json).
local k = ...

local function is_text(v) return k.raw.type(v) == "string" and v ~= "" end

local function decode(text)
  if not is_text(text) then return nil, k.invalid("json.decode: non-empty string expected") end
  return k.codecs.json.decode(text)
end

-- Microseconds: of a call with a small schema, and of one check of a value.
local CALL, CHECK = 400, 4

local function verdict(service, schema, data)
  k.lib.charge_time(CALL)
  local answer, err = k.service(service, schema, data, k.codecs.most())
  if answer then k.lib.charge_time(answer[1] * CHECK) end
  err = err or answer[2]
  return err == nil, err
end

-- A function that has its table, or a new one, be an object or a list while it is empty.
local function marker(name, object)
  return function(t)
    if t == nil then t = {} end
    if k.lib.typeof(t) ~= "table" then k.lib.refuse(1, name, "table", t) end
    k.mark(t, object)
    return t
  end
end

k.modules.json = k.library {
  object = k.version > 1 and marker("object", true) or nil,
  array = k.version > 1 and marker("array", false) or nil,
  encode = function(value) return k.codecs.json.encode(value) end,
  decode = decode,
  validate = function(schema, ...)
    -- A nil that was given is null; none at all is a slip of whoever calls.
    if k.version > 1 and k.raw.select("#", ...) == 0 then return false, k.invalid("json.validate: data is required") end
    local data = ...
    return verdict("json.validate", schema, data)
  end,
  validate_string = function(schema, text)
    if not is_text(text) then return false, k.invalid("json.validate_string: non-empty string expected") end
    k.lib.charge_bytes(#text * 64)
    return verdict("json.validate_text", schema, text)
  end,
}
