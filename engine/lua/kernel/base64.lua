-- Base64 (docs/lua.md#base64).
local k = ...

-- Counted from 0; a text that only ends too early or too late is wrong at its end.
local function first_illegal(text)
  local found = k.raw.string.find(text, "[^%w+/=\r\n]")
  return found and found - 1 or #text
end

local function coder(name)
  return function(data)
    if k.raw.type(data) ~= "string" then return nil, k.invalid("base64." .. name .. ": string expected, got " .. k.lib.typeof(data)) end
    k.lib.charge_bytes(#data * 2)
    local result, err = k.service("base64." .. name, data)
    if err and k.version > 1 then err = k.invalid("base64.decode: illegal base64 data at input byte " .. first_illegal(data)) end
    return result, err
  end
end

k.modules.base64 = k.library { encode = coder("encode"), decode = coder("decode") }
