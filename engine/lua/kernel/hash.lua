-- Digests, message authentication and FNV (docs/lua.md#hash).
local k = ...
local raw, lib = k.raw, k.lib
local type, byte = raw.type, raw.string.byte
local hash = {}
local PRICE = k.version < 2 and 4 or 3 -- of a byte: sixteenths of an instruction

local function no_string(name, what, value)
  return nil, k.invalid("hash." .. name .. ": " .. what .. " (string) expected, got " .. lib.typeof(value))
end

for _, name in raw.ipairs { "md5", "sha1", "sha256", "sha512" } do
  hash[name] = function(data, binary)
    if type(data) ~= "string" then return no_string(name, "data", data) end
    lib.charge_bytes(#data * PRICE)
    return k.service("hash.digest", name, data, binary == true)
  end
  hash["hmac_" .. name] = function(data, key, binary)
    if type(data) ~= "string" then return no_string("hmac_" .. name, "data", data) end
    if type(key) ~= "string" then return no_string("hmac_" .. name, "key", key) end
    lib.charge_bytes((#data + #key) * PRICE)
    return k.service("hash.hmac", name, data, key, binary == true)
  end
end

-- FNV-1: multiply, then mix. Integers of Lua wrap around at 64 bits, as it wants.
local function fnv(name, basis, prime, mask)
  hash[name] = function(data)
    if type(data) ~= "string" then return no_string(name, "data", data) end
    local h = basis
    for at = 1, #data do h = (h * prime & mask) ~ byte(data, at) end
    return h, nil
  end
end

fnv("fnv32", 0x811c9dc5, 0x01000193, 0xffffffff)
fnv("fnv64", 0xcbf29ce484222325, 0x100000001b3, -1)

function hash.pbkdf2(...) return k.pbkdf2("hash.pbkdf2", ...) end

k.modules.hash = k.library(hash)
