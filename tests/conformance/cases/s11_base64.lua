--- 11 Small modules: base64
local M = {}

local function invalid(value, err)
  assert(value == nil and err:kind() == errors.INVALID and err:retryable() == false)
end

-- modules: base64
--- Text and bytes become standard base64 with padding, and come back
function M.round_trip()
  assert(base64.encode("Hello, World!") == "SGVsbG8sIFdvcmxkIQ==" and base64.encode("\255\254\253") == "//79")
  for size = 0, 70 do
    local bytes = {}
    for i = 1, size do bytes[i] = string.char(i * 37 % 256) end
    local data = table.concat(bytes)
    assert(base64.decode(base64.encode(data)) == data, size)
  end
end

-- modules: base64
--- Nothing is nothing
function M.empty()
  assert(base64.encode("") == "" and base64.decode("") == "")
end

-- modules: base64
--- Line breaks may stand in the text
function M.line_breaks()
  assert(base64.decode("SGVs\r\nbG8s\n") == "Hello,")
end

-- modules: base64
--- Wrong characters, bad padding and what is no string are Invalid
function M.refuses()
  for _, text in ipairs { "a", "abc", "ab=c", "ab==cd==", "====", "SGVs bG8=", "SGVsbG8_", "\255\255\255\255" } do
    invalid(base64.decode(text))
  end
  for _, value in ipairs { 7, true, {} } do
    invalid(base64.encode(value))
    invalid(base64.decode(value))
  end
  invalid(base64.encode())
end

return M
