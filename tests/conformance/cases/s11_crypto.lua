--- 11 Small modules: crypto
local M = {}

local KEY = string.rep("k", 32)

local function refused(kind, value, err)
  assert(value == nil, "a value was returned")
  assert(err:kind() == kind, "kind is " .. err:kind() .. ": " .. err:message())
  assert(err:retryable() == false, "retryable")
end

-- modules: crypto
--- random.bytes gives that many bytes, and others each time
function M.random_bytes()
  local one, two = assert(crypto.random.bytes(16)), assert(crypto.random.bytes(16))
  assert(#one == 16 and #two == 16 and one ~= two)
  assert(#crypto.random.bytes(1) == 1 and #crypto.random.bytes(1048576) == 1048576)
end

-- modules: crypto
--- A length of random values that is not 1 to 1 MiB is Invalid, and one that is no number raises
function M.random_length()
  for _, length in ipairs { 0, -1, 1048577, 1.5, 0 / 0, math.huge } do
    refused(errors.INVALID, crypto.random.bytes(length))
    refused(errors.INVALID, crypto.random.string(length))
  end
  assert(not pcall(crypto.random.bytes, "x") and not pcall(crypto.random.bytes))
end

-- modules: crypto
--- random.string draws from letters and digits, or from its charset
function M.random_string()
  assert(string.find(crypto.random.string(200), "^%w+$"))
  assert(#crypto.random.string(200) == 200)
  local digits = crypto.random.string(500, "abc")
  assert(#digits == 500 and not string.find(digits, "[^abc]"))
  for _, c in ipairs { "a", "b", "c" } do assert(string.find(digits, c, 1, true), "no " .. c) end
  assert(crypto.random.string(3, "z") == "zzz")
  refused(errors.INVALID, crypto.random.string(3, ""))
  refused(errors.INVALID, crypto.random.string(3, string.rep("a", 257)))
end

-- modules: crypto uuid
--- random.uuid is a UUID of version 4
function M.random_uuid()
  local id = assert(crypto.random.uuid())
  assert(uuid.version(id) == 4 and id ~= crypto.random.uuid())
end

-- modules: crypto
--- hmac is hexadecimal; an empty key is Invalid
function M.hmac()
  assert(crypto.hmac.sha256("key", "data") == "5031fe3d989c6d1537a013fa6e739da23463fdaec3b70137d828e36ace221bd0")
  assert(crypto.hmac.sha512("key", "data") == "3c5953a18f7303ec653ba170ae334fafa08e3846f2efe317b87efce82376253c"
    .. "b52a8c31ddcde5a3a2eee183c2b34cb91f85e64ddbc325f7692b199473579c58")
  assert(#crypto.hmac.sha256("key", "") == 64)
  refused(errors.INVALID, crypto.hmac.sha256("", "data"))
  refused(errors.INVALID, crypto.hmac.sha512("", "data"))
  assert(not pcall(crypto.hmac.sha256, "key") and not pcall(crypto.hmac.sha256, {}, "data"))
end

-- modules: crypto
--- What encrypt makes, decrypt opens; each time it is another text, a nonce first
function M.encrypts()
  for _, cipher in ipairs { "aes", "chacha20" } do
    for _, text in ipairs { "", "hello", "\0\255\128", string.rep("x", 70000) } do
      local sealed = assert(crypto.encrypt[cipher](text, KEY))
      assert(#sealed == #text + 12 + 16, "nonce and tag")
      assert(crypto.decrypt[cipher](sealed, KEY) == text)
    end
    assert(crypto.encrypt[cipher]("a", KEY) ~= crypto.encrypt[cipher]("a", KEY))
  end
end

-- modules: crypto
--- AES takes keys of 16, 24 and 32 bytes, ChaCha20 of 32; others are Invalid
function M.key_sizes()
  for _, size in ipairs { 16, 24, 32 } do
    local key = string.rep("k", size)
    assert(crypto.decrypt.aes(crypto.encrypt.aes("text", key), key) == "text")
  end
  for _, size in ipairs { 0, 8, 15, 17, 31, 33 } do
    local key = string.rep("k", size)
    refused(errors.INVALID, crypto.encrypt.aes("text", key))
    refused(errors.INVALID, crypto.decrypt.aes(string.rep("x", 40), key))
    refused(errors.INVALID, crypto.encrypt.chacha20("text", key))
  end
  refused(errors.INVALID, crypto.encrypt.chacha20("text", string.rep("k", 16)))
end

-- modules: crypto
--- A wrong key, other data, other additional data and short texts can't be decrypted: Internal
function M.tampering()
  for _, cipher in ipairs { "aes", "chacha20" } do
    local sealed = crypto.encrypt[cipher]("text", KEY, "for you")
    assert(crypto.decrypt[cipher](sealed, KEY, "for you") == "text")
    refused(errors.INTERNAL, crypto.decrypt[cipher](sealed, KEY, "for me"))
    refused(errors.INTERNAL, crypto.decrypt[cipher](sealed, KEY))
    refused(errors.INTERNAL, crypto.decrypt[cipher](sealed, string.rep("x", 32), "for you"))
    local last = string.char((string.byte(sealed, -1) + 1) % 256)
    refused(errors.INTERNAL, crypto.decrypt[cipher](string.sub(sealed, 1, -2) .. last, KEY, "for you"))
    for size = 0, 28, 7 do refused(errors.INTERNAL, crypto.decrypt[cipher](string.sub(sealed, 1, size), KEY, "for you")) end
  end
end

-- modules: crypto
--- A token carries its claims and its header, and comes back from verify with both
function M.jwt_round_trip()
  for _, algorithm in ipairs { "HS256", "HS384", "HS512" } do
    local claims = { sub = "me", list = { 1, 2 }, deep = { x = true }, exp = os.time() + 600, _header = { kid = "k1" } }
    local token = assert(crypto.jwt.encode(claims, "secret", algorithm))
    local got = assert(crypto.jwt.verify(token, "secret", algorithm))
    assert(got.sub == "me" and got.list[2] == 2 and got.deep.x == true and got.exp == claims.exp)
    assert(got._header.kid == "k1" and got._header.alg == algorithm and got._header.typ == "JWT")
  end
  local token = crypto.jwt.encode({ exp = os.time() + 600 }, "secret")
  assert(crypto.jwt.verify(token, "secret")._header.alg == "HS256", "the default")
end

-- modules: crypto
--- The same claims make the same token everywhere: the one that other libraries make
function M.jwt_known()
  local token = crypto.jwt.encode({ sub = "1234567890", admin = true, iat = 1516239022 }, "secret")
  assert(token == "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhZG1pbiI6dHJ1ZSwiaWF0IjoxNTE2MjM5MDIyLCJzdWIiOiIxMjM0NTY3ODkwIn0."
    .. "LsK29M1k7jZHOjljILPnxINyfxhdDmnFTay93vhlbXs", token)
end

-- modules: crypto
--- A token without exp needs require_exp = false; one that has expired or is not yet valid is Internal, always
function M.jwt_times()
  local plain = crypto.jwt.encode({ sub = "me" }, "secret")
  refused(errors.INTERNAL, crypto.jwt.verify(plain, "secret"))
  assert(crypto.jwt.verify(plain, "secret", "HS256", false).sub == "me")
  for _, claims in ipairs { { exp = os.time() - 1 }, { exp = os.time() + 60, nbf = os.time() + 30 }, { exp = "soon" } } do
    local token = crypto.jwt.encode(claims, "secret")
    refused(errors.INTERNAL, crypto.jwt.verify(token, "secret"))
    refused(errors.INTERNAL, crypto.jwt.verify(token, "secret", "HS256", false))
  end
end

-- modules: crypto
--- A token of another key, another algorithm, or that was changed is Internal
function M.jwt_forgery()
  local token = crypto.jwt.encode({ sub = "me" }, "secret")
  refused(errors.INTERNAL, crypto.jwt.verify(token, "other", "HS256", false))
  refused(errors.INTERNAL, crypto.jwt.verify(token, "secret", "HS512", false))
  refused(errors.INTERNAL, crypto.jwt.verify(token .. "x", "secret", "HS256", false))
  refused(errors.INTERNAL, crypto.jwt.verify("", "secret"))
  refused(errors.INTERNAL, crypto.jwt.verify("a.b.c", "secret"))
  local unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJtZSJ9."
  refused(errors.INTERNAL, crypto.jwt.verify(unsigned, "secret", "HS256", false))
end

-- modules: crypto
--- Unknown algorithms, keys that don't fit and headers that claim another algorithm are Invalid
function M.jwt_misuse()
  for _, algorithm in ipairs { "none", "ES256", "", "hs256" } do
    refused(errors.INVALID, crypto.jwt.encode({ sub = "me" }, "secret", algorithm))
    refused(errors.INVALID, crypto.jwt.verify("a.b.c", "secret", algorithm))
  end
  refused(errors.INVALID, crypto.jwt.encode({ sub = "me" }, ""))
  refused(errors.INVALID, crypto.jwt.encode({ sub = "me" }, "no pem", "RS256"))
  refused(errors.INVALID, crypto.jwt.encode({ _header = { alg = "none" } }, "secret"))
  refused(errors.INVALID, crypto.jwt.encode({ 1, 2 }, "secret"))
  assert(not pcall(crypto.jwt.encode, "claims", "secret"))
end

-- modules: crypto
--- pbkdf2 derives raw keys as others do
function M.pbkdf2()
  local function hex(s) return (string.gsub(s, ".", function(c) return string.format("%02x", string.byte(c)) end)) end
  assert(hex(crypto.pbkdf2("password", "salt", 2, 20)) == "ae4d0c95af6b46d32d0adff928f06dd02a303f8e")
  assert(hex(crypto.pbkdf2("password", "salt", 1, 8, "sha512")) == "867f70cf1ade02cf")
  assert(#crypto.pbkdf2("password", "salt", 10, 100) == 100)
end

-- modules: crypto
--- pbkdf2 refuses empty passwords and salts, other hashes, and more than 10 million iterations: Invalid
function M.pbkdf2_misuse()
  refused(errors.INVALID, crypto.pbkdf2("", "salt", 1, 8))
  refused(errors.INVALID, crypto.pbkdf2("password", "", 1, 8))
  refused(errors.INVALID, crypto.pbkdf2("password", "salt", 0, 8))
  refused(errors.INVALID, crypto.pbkdf2("password", "salt", 10000001, 8))
  refused(errors.INVALID, crypto.pbkdf2("password", "salt", 1, 0))
  refused(errors.INVALID, crypto.pbkdf2("password", "salt", 1, 8, "md5"))
  refused(errors.INVALID, crypto.pbkdf2("password", "salt", 10000000, 64))
end

-- on: workflow
-- modules: crypto
--- A workflow has time for a million iterations, and is told to call a function for more
function M.pbkdf2_in_a_workflow()
  assert(#crypto.pbkdf2("password", "salt", 100000, 32) == 32)
  local key, err = crypto.pbkdf2("password", "salt", 1000001, 32)
  refused(errors.INVALID, key, err)
  assert(string.find(err, "function"))
end

-- modules: crypto
--- constant_time_compare tells whether two texts are the same
function M.compare()
  assert(crypto.constant_time_compare("abc", "abc") == true and crypto.constant_time_compare("", "") == true)
  assert(crypto.constant_time_compare("abc", "abd") == false and crypto.constant_time_compare("abc", "ab") == false)
  assert(crypto.constant_time_compare("\255\0", "\255\0") == true)
  assert(not pcall(crypto.constant_time_compare, "abc"))
end

return M
