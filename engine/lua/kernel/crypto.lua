-- Random values, authentication, encryption and tokens (docs/lua.md#crypto).
local k = ...
local raw, lib = k.raw, k.lib
local type, tointeger = raw.type, raw.math.tointeger

--- 32 bytes that nobody can guess. The seeded generator of a workflow won't do: whoever knows the run's id knows it.
-- So a run asks its worker, and its history keeps the answer for replays.
local function secret()
  if k.is_workflow then return k.ask("random.secret") end
  return k.service("random.secret")
end

--- The text of a required argument (errors and numbers count as text), or an argument error.
local function text(value, index, name)
  value = lib.coerce(value)
  if type(value) ~= "string" then lib.refuse(index, name, "string", value, 4) end
  return value
end

-- --- random -------------------------------------------------------------------------------------

local MAX_RANDOM = 1048576
local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

local function count_of(count, name)
  if type(count) ~= "number" then lib.refuse(1, name, "number", count, 4) end
  local n = tointeger(count)
  if n and n >= 1 and n <= MAX_RANDOM then return n end
  return nil, k.invalid("crypto.random." .. name .. ": length must be a whole number from 1 to " .. MAX_RANDOM)
end

local function drawn(service, size, ...)
  local seed, err = secret()
  if not seed then return nil, err end
  lib.charge_bytes(size * 8)
  return k.service(service, seed, ...)
end

local random = {
  bytes = function(count)
    local n, err = count_of(count, "bytes")
    if not n then return nil, err end
    return drawn("crypto.bytes", n, n)
  end,
  string = function(count, charset)
    local n, err = count_of(count, "string")
    if not n then return nil, err end
    charset = charset == nil and LETTERS or text(charset, 2, "string")
    if charset == "" or #charset > 256 then return nil, k.invalid("crypto.random.string: charset must have 1 to 256 bytes") end
    return drawn("crypto.string", n * 2, n, charset)
  end,
  uuid = function() return drawn("crypto.uuid", 0) end,
}

-- --- message authentication and encryption -------------------------------------------------------

local function authenticator(name)
  return function(key, data)
    key, data = text(key, 1, name), text(data, 2, name)
    if key == "" then return nil, k.invalid("crypto.hmac." .. name .. ": the key is empty") end
    lib.charge_bytes((#data + #key) * (k.version < 2 and 4 or 3))
    return k.service("hash.hmac", name, data, key, false)
  end
end

local SIZES = { aes = { [16] = true, [24] = true, [32] = true }, chacha20 = { [32] = true } }

local function sealer(verb, cipher, seal)
  return function(data, key, aad)
    data, key, aad = text(data, 1, cipher), text(key, 2, cipher), aad == nil and "" or text(aad, 3, cipher)
    if not SIZES[cipher][#key] then
      local wanted = cipher == "aes" and "16, 24 or 32" or "32"
      return nil, k.invalid("crypto." .. verb .. "." .. cipher .. ": the key must have " .. wanted .. " bytes, not " .. #key)
    end
    lib.charge_bytes((#data + #aad) * 4)
    return seal(cipher, data, key, aad)
  end
end

local function encrypt(...)
  local seed, err = secret()
  if not seed then return nil, err end
  return k.service("crypto.encrypt", seed, ...)
end

local function decrypt(...) return k.service("crypto.decrypt", ...) end

-- --- tokens -------------------------------------------------------------------------------------

local SIGNING = 30000 -- microseconds, with a long RSA key

local function algorithm_of(algorithm, name)
  algorithm = algorithm == nil and "HS256" or text(algorithm, 3, name)
  if raw.string.sub(algorithm, 1, 2) == "RS" then lib.charge_time(SIGNING) end
  return algorithm
end

local jwt = {
  encode = function(claims, key, algorithm)
    if lib.typeof(claims) ~= "table" then lib.refuse(1, "encode", "table", claims) end
    key, algorithm = text(key, 2, "encode"), algorithm_of(algorithm, "encode")
    local token, err = k.service("jwt.encode", claims, key, algorithm)
    if token and k.version > 1 then lib.charge_time(#token / 40) end -- 25 ns a byte
    return token, err
  end,
  verify = function(token, key, algorithm, require_exp)
    token, key, algorithm = text(token, 1, "verify"), text(key, 2, "verify"), algorithm_of(algorithm, "verify")
    lib.charge_bytes(#token * 64)
    return k.service("jwt.verify", token, key, algorithm, require_exp ~= false, k.now())
  end,
}

k.modules.crypto = k.library {
  random = k.library(random),
  hmac = k.library { sha256 = authenticator("sha256"), sha512 = authenticator("sha512") },
  encrypt = k.library { aes = sealer("encrypt", "aes", encrypt), chacha20 = sealer("encrypt", "chacha20", encrypt) },
  decrypt = k.library { aes = sealer("decrypt", "aes", decrypt), chacha20 = sealer("decrypt", "chacha20", decrypt) },
  jwt = k.library(jwt),
  pbkdf2 = function(...) return k.pbkdf2("crypto.pbkdf2", ...) end,
  constant_time_compare = function(left, right)
    left, right = text(left, 1, "constant_time_compare"), text(right, 2, "constant_time_compare")
    lib.charge_bytes((#left + #right) * 2)
    return (k.service("crypto.same", left, right))
  end,
}
