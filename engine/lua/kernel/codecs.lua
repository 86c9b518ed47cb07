-- Values to texts and back, by the host's libraries: for the modules json and yaml, and for payloads.
local k = ...
local codecs = {}
k.codecs = codecs

-- A value that can't cross to the host's library can't be encoded or decoded either.
local function checked(name, result, err)
  if err and err:kind() == "Invalid" then return nil, k.failure("Internal", name .. ": " .. err:message(), false) end
  return result, err
end

--- How many values one text may come to.
local function most()
  if k.version > 1 then return k.limits.record // 16 end
end
codecs.most = most

codecs.json = {
  encode = function(value) return checked("json.encode", k.service("json.encode", value)) end,
  decode = function(text)
    k.lib.charge_bytes(#text * 64) -- four instructions a byte
    return checked("json.decode", k.service("json.decode", text, most()))
  end,
}

codecs.msgpack = {
  encode = function(value) return checked("msgpack.encode", k.service("msgpack.encode", value)) end,
  decode = function(data)
    k.lib.charge_bytes(#data * 64)
    return checked("msgpack.decode", k.service("msgpack.decode", data))
  end,
}

-- YAML is slow to read and to write: a workflow gets a part of what others may have.
local MAX_TEXT = k.is_workflow and 64 * 1024 or 256 * 1024
local MAX_VALUES = k.is_workflow and 20000 or 100000

codecs.yaml = {
  encode = function(value, order)
    local text, err = checked("yaml.encode", k.service("yaml.encode", value, MAX_VALUES, order))
    if text then k.lib.charge_time(#text * 8) end
    return text, err
  end,
  decode = function(text)
    if #text > MAX_TEXT then return nil, k.failure("Internal", "yaml.decode: longer than " .. MAX_TEXT .. " bytes", false) end
    k.lib.charge_time(#text * (k.version < 2 and 12 or 10))
    return k.service("yaml.decode", text, MAX_VALUES)
  end,
}
