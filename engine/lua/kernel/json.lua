-- JSON and JSON Schema (lua-api 11).
local k = ...

local function decode(text)
  if k.raw.type(text) ~= "string" or text == "" then return nil, k.invalid("json.decode: non-empty string expected") end
  return k.codecs.json.decode(text)
end

local function verdict(ok, err)
  if ok then return true, nil end
  return false, err
end

k.modules.json = k.library {
  encode = k.codecs.json.encode,
  decode = decode,
  validate = function(schema, data) return verdict(k.service("json.validate", schema, data)) end,
  validate_string = function(schema, text)
    local data, err = decode(text)
    if err then return false, k.invalid(err:message()) end
    return verdict(k.service("json.validate", schema, data))
  end,
}
