--- 11 Small modules: uuid
local M = {}

local DNS = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
local FORM = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

local function invalid(value, err)
  assert(value == nil and err:kind() == errors.INVALID and err:retryable() == false)
end

-- modules: uuid
--- v1, v4 and v7 are new each time, with their version
function M.new()
  for version, make in pairs { [1] = uuid.v1, [4] = uuid.v4, [7] = uuid.v7 } do
    local one, none = make()
    assert(none == nil and string.find(one, FORM) and one ~= make())
    assert(uuid.version(one) == version and uuid.variant(one) == "RFC4122")
  end
end

-- modules: uuid
--- v3 and v5 are those that everybody gets; what is no namespace or name is Invalid
function M.named()
  assert(uuid.v5(DNS, "python.org") == "886313e1-3b8a-5372-9b90-0c9aee199e5d")
  assert(uuid.v3(DNS, "python.org") == "6fa459ea-ee8a-3ca4-894e-db77e160355e")
  for _, make in ipairs { uuid.v3, uuid.v5 } do
    invalid(make("x", "y"))
    invalid(make(DNS))
    invalid(make(DNS, 5))
    invalid(make(5, "y"))
    invalid(make())
  end
end

-- modules: uuid
--- validate is a boolean for anything
function M.validate()
  for _, text in ipairs { DNS, string.upper(DNS), "{" .. DNS .. "}", "urn:uuid:" .. DNS, "6ba7b8109dad11d180b400c04fd430c8" } do
    assert(uuid.validate(text) == true, text)
  end
  for _, value in ipairs { "", "x", 5, true, {}, DNS .. "0", "{" .. DNS, string.sub(DNS, 2), string.gsub(DNS, "-", "_"),
    "6ba7b810-9dad-11d1-80b400c04fd430c8", "6-b-a7b8109dad11d180b400c04fd430c8", "6ba7b8109dad11d180b400c04fd43_c8", DNS .. "\n" } do
    assert(uuid.validate(value) == false, tostring(value))
  end
  assert(uuid.validate() == false)
end

-- modules: uuid time
--- parse has the version and the variant, the second of v1 and v7, and the node of v1
function M.parse()
  local v7 = assert(uuid.parse(uuid.v7()))
  assert(v7.version == 7 and v7.variant == "RFC4122" and v7.node == nil and math.abs(v7.timestamp - time.now():unix()) <= 2)
  local v1 = assert(uuid.parse(uuid.v1()))
  assert(v1.version == 1 and math.abs(v1.timestamp - time.now():unix()) <= 2 and string.find(v1.node, "^%x%x:%x%x:%x%x:%x%x:%x%x:%x%x$"))
  local v4 = assert(uuid.parse(uuid.v4()))
  assert(v4.version == 4 and v4.timestamp == nil and v4.node == nil)
  assert(uuid.parse(DNS).timestamp == 886630433 and math.type(uuid.parse(DNS).timestamp) == "integer")
end

-- modules: uuid
--- variant names who laid it out
function M.variant()
  assert(uuid.variant(DNS) == "RFC4122" and uuid.variant("00000000-0000-0000-c000-000000000046") == "Microsoft")
  assert(uuid.variant("ffffffff-ffff-ffff-ffff-ffffffffffff") == "Future" and uuid.variant("00000000-0000-0000-0000-000000000000") == "NCS")
end

-- modules: uuid
--- format writes standard, simple and urn, and takes all that validate takes
function M.format()
  assert(uuid.format(string.upper(DNS)) == DNS and uuid.format("{" .. DNS .. "}", "standard") == DNS)
  assert(uuid.format(DNS, "simple") == "6ba7b8109dad11d180b400c04fd430c8" and uuid.format(DNS, "urn") == "urn:uuid:" .. DNS)
  invalid(uuid.format(DNS, "fancy"))
  invalid(uuid.format(DNS, 5))
end

-- modules: uuid
--- What is no UUID is Invalid
function M.no_uuid()
  for _, f in ipairs { uuid.version, uuid.variant, uuid.parse, uuid.format } do
    for _, value in ipairs { "x", "", 5, {} } do invalid(f(value)) end
    invalid(f())
  end
end

return M
