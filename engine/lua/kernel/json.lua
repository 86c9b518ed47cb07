-- JSON, by the host's library (lua-api 11).
local k = ...

-- A value that can't cross to the host's library can't be JSON either.
local function encode(value)
  local text, err = k.service("json.encode", value)
  if err and err:kind() == "Invalid" then return nil, k.failure("Internal", "json.encode: " .. err:message(), false) end
  return text, err
end

k.modules.json = k.library {
  encode = encode,
  decode = function(text)
    if k.raw.type(text) ~= "string" or text == "" then return nil, k.invalid("json.decode: non-empty string expected") end
    k.lib.charge_bytes(#text * 64) -- four instructions a byte
    return k.service("json.decode", text)
  end,
  validate = function(schema, data) return k.verdict(k.service("json.validate", schema, data)) end,
  validate_string = function(schema, text)
    local data, err = k.modules.json.decode(text)
    if err then return false, k.invalid(err:message()) end
    return k.verdict(k.service("json.validate", schema, data))
  end,
}

function k.verdict(ok, err)
  if ok then return true, nil end
  return false, err
end
