-- Base64 (docs/lua.md#base64).
local k = ...

local function coder(name)
  return function(data)
    if k.raw.type(data) ~= "string" then return nil, k.invalid("base64." .. name .. ": string expected, got " .. k.lib.typeof(data)) end
    k.lib.charge_bytes(#data * 2)
    return k.service("base64." .. name, data)
  end
end

k.modules.base64 = k.library { encode = coder("encode"), decode = coder("decode") }
