-- Keys from passwords (crypto.pbkdf2 and hash.pbkdf2). It is slow on purpose, so how much may be asked for is bounded.
local k = ...
local raw, lib = k.raw, k.lib
local type, tointeger = raw.type, raw.math.tointeger

local LENGTHS = { sha256 = 32, sha512 = 64 }
-- Iterations times blocks of the hash's length. A workflow must not compute for more than a second.
local MOST = k.is_workflow and 1000000 or 10000000
local MICROSECONDS = 0.4 -- for each
local WORKFLOW_PRICE = 20 -- of each: the most that may be asked for takes half of a step

local function problem(password, salt, iterations, length, hash)
  if type(password) ~= "string" or password == "" then return "password (non-empty string) expected" end
  if type(salt) ~= "string" or salt == "" then return "salt (non-empty string) expected" end
  if not LENGTHS[hash] then return "hash must be sha256 or sha512" end
  if not iterations or iterations < 1 or iterations > 10000000 then return "iterations must be 1 to 10000000" end
  if not length or length < 1 or length > 65536 then return "key length must be 1 to 65536" end
  if iterations * ((length + LENGTHS[hash] - 1) // LENGTHS[hash]) > MOST then
    return "iterations times blocks of " .. LENGTHS[hash] .. " bytes must not be over " .. MOST
      .. (k.is_workflow and " in a workflow: call a function for it" or "")
  end
end

function k.pbkdf2(name, password, salt, iterations, length, hash)
  hash = hash == nil and "sha256" or hash
  iterations, length = tointeger(iterations), tointeger(length)
  local why = problem(password, salt, iterations, length, hash)
  if why then return nil, k.invalid(name .. ": " .. why) end
  local blocks = iterations * ((length + LENGTHS[hash] - 1) // LENGTHS[hash])
  if k.is_workflow and k.version > 1 then
    k.charge(blocks * WORKFLOW_PRICE)
  else
    lib.charge_time(blocks * MICROSECONDS)
  end
  return k.service("crypto.pbkdf2", password, salt, iterations, length, hash)
end
