-- JSON and JSON Schema (lua-api 11).
local k = ...

local function is_text(v) return k.raw.type(v) == "string" and v ~= "" end

local function decode(text)
  if not is_text(text) then return nil, k.invalid("json.decode: non-empty string expected") end
  return k.codecs.json.decode(text)
end

local function verdict(ok, err)
  if ok then return true, nil end
  return false, err
end

k.modules.json = k.library {
  encode = function(value) return k.codecs.json.encode(value) end,
  decode = decode,
  validate = function(schema, data) return verdict(k.service("json.validate", schema, data)) end,
  validate_string = function(schema, text)
    if not is_text(text) then return false, k.invalid("json.validate_string: non-empty string expected") end
    k.lib.charge_bytes(#text * 64)
    return verdict(k.service("json.validate_text", schema, text))
  end,
}
