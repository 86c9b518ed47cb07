--- 11 Small modules: hash
local M = {}

local function invalid(value, err)
  assert(value == nil and err:kind() == errors.INVALID and err:retryable() == false)
end

-- modules: hash
--- Digests are hexadecimal text
function M.digests()
  assert(hash.md5("abc") == "900150983cd24fb0d6963f7d28e17f72")
  assert(hash.sha1("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
  assert(hash.sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  assert(string.sub(hash.sha512("abc"), 1, 32) == "ddaf35a193617abacc417349ae204131" and #hash.sha512("") == 128)
  assert(hash.md5("") == "d41d8cd98f00b204e9800998ecf8427e" and hash.sha256("\0\255") == hash.sha256("\0\255"))
end

-- modules: hash
--- With raw they are bytes
function M.raw_digests()
  local sizes = { md5 = 16, sha1 = 20, sha256 = 32, sha512 = 64 }
  for name, size in pairs(sizes) do
    local hex = string.gsub(hash[name]("abc", true), ".", function(c) return string.format("%02x", string.byte(c)) end)
    assert(#hash[name]("abc", true) == size and hex == hash[name]("abc"), name)
    assert(#hash["hmac_" .. name]("abc", "key", true) == size, name)
  end
end

-- modules: hash crypto
--- hmac_* takes the data first and the key second
function M.hmac()
  assert(hash.hmac_sha256("data", "key") == crypto.hmac.sha256("key", "data"))
  assert(hash.hmac_sha512("data", "key") == crypto.hmac.sha512("key", "data"))
  assert(hash.hmac_md5("data", "key") == "9d5c73ef85594d34ec4438b7c97e51d8")
  assert(hash.hmac_sha1("data", "key") == "104152c5bfdca07bc633eebd46199f0255c9f49d")
end

-- modules: hash
--- fnv32 and fnv64 are FNV-1 as integers, that of 64 bits as Lua's signed one
function M.fnv()
  assert(hash.fnv32("") == 0x811c9dc5 and hash.fnv32("a") == 0x050c5d7e and hash.fnv32("foobar") == 0x31f0b262)
  assert(string.format("%x", hash.fnv64("")) == "cbf29ce484222325")
  assert(string.format("%x", hash.fnv64("a")) == "af63bd4c8601b7be")
  assert(string.format("%x", hash.fnv64("foobar")) == "340d8765a4dda9c2")
  assert(math.type(hash.fnv32("a")) == "integer" and math.type(hash.fnv64("a")) == "integer")
end

-- modules: hash
--- What is no string is Invalid
function M.no_strings()
  for _, value in ipairs { 7, true, {}, print, errors.new("x") } do
    for _, name in ipairs { "md5", "sha1", "sha256", "sha512", "fnv32", "fnv64" } do invalid(hash[name](value)) end
    invalid(hash.hmac_sha256(value, "key"))
    invalid(hash.hmac_sha256("data", value))
  end
  invalid(hash.md5())
  invalid(hash.hmac_md5("data"))
end

-- modules: hash crypto
--- pbkdf2 is that of crypto
function M.pbkdf2()
  assert(hash.pbkdf2("password", "salt", 2, 20) == crypto.pbkdf2("password", "salt", 2, 20))
  invalid(hash.pbkdf2("", "salt", 2, 20))
end

return M
