-- Values to texts and back, by the host's libraries: for the modules json and yaml, and for payloads.
local k = ...
local codecs = {}
k.codecs = codecs

-- A value that can't cross to the host's library can't be encoded either.
local function checked(name, text, err)
  if err and err:kind() == "Invalid" then return nil, k.failure("Internal", name .. ".encode: " .. err:message(), false) end
  return text, err
end

codecs.json = {
  encode = function(value) return checked("json", k.service("json.encode", value)) end,
  decode = function(text)
    k.lib.charge_bytes(#text * 64) -- four instructions a byte
    return k.service("json.decode", text)
  end,
}

codecs.msgpack = {
  encode = function(value) return checked("msgpack", k.service("msgpack.encode", value)) end,
  decode = function(data)
    k.lib.charge_bytes(#data * 64)
    return k.service("msgpack.decode", data)
  end,
}

-- YAML is slow to read and to write: a workflow gets a part of what others may have.
local MAX_TEXT = k.is_workflow and 64 * 1024 or 256 * 1024
local MAX_VALUES = k.is_workflow and 20000 or 100000

codecs.yaml = {
  encode = function(value, order)
    local text, err = checked("yaml", k.service("yaml.encode", value, MAX_VALUES, order))
    if text then k.lib.charge_time(#text * 8) end
    return text, err
  end,
  decode = function(text)
    if #text > MAX_TEXT then return nil, k.failure("Internal", "yaml.decode: longer than " .. MAX_TEXT .. " bytes", false) end
    k.lib.charge_time(#text * 12)
    return k.service("yaml.decode", text, MAX_VALUES)
  end,
}
