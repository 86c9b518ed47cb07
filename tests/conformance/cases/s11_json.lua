--- 11 Small modules: json
local M = {}

local function refused(kind, value, err)
  assert(value == nil, "a value was returned")
  assert(err:kind() == kind and err:retryable() == false, "kind is " .. err:kind() .. ": " .. err:message())
end

-- modules: json
--- Plain values become JSON; whole numbers have no fraction, NaN and infinities are null
function M.scalars()
  local texts = { ["null"] = { nil }, ["true"] = { true }, ["5"] = { 5 }, ["-1.5"] = { -1.5 }, ["1e+300"] = { 1e300 },
    ["9223372036854775807"] = { math.maxinteger }, ["-9223372036854775808"] = { math.mininteger }, ['"é"'] = { "é" },
    ['"a\\nb\\u0000\\"\\\\"'] = { 'a\nb\0"\\' } }
  for text, value in pairs(texts) do assert(json.encode(value[1]) == text, text .. " is " .. tostring(json.encode(value[1]))) end
  assert(json.encode() == "null" and json.encode(7.0) == "7" and json.encode(-0.0) == "0")
  assert(json.encode(0 / 0) == "null" and json.encode({ math.huge, -math.huge }) == "[null,null]")
end

-- modules: json
--- 1..n is an array, names are an object with sorted keys, an empty table is an array
function M.tables()
  assert(json.encode({}) == "[]" and json.encode({ 1, { 2 }, { x = {} } }) == '[1,[2],{"x":[]}]')
  assert(json.encode({ b = 1, a = 2, ["é"] = 3, [""] = 4 }) == '{"":4,"a":2,"b":1,"é":3}')
  local shared = { 1 }
  assert(json.encode({ shared, shared }) == "[[1],[1]]", "the same table twice is no circle")
  assert(json.encode({ [1] = "a", [2] = "b", [3] = nil }) == '["a","b"]')
end

-- modules: json
--- What came as an object stays one when it is empty, and what came as an array stays an array
function M.empty_tables_stay()
  assert(json.encode(json.decode("{}")) == "{}" and json.encode(json.decode("[]")) == "[]")
  assert(json.encode(json.decode('{"a":{},"b":[],"c":[{}]}')) == '{"a":{},"b":[],"c":[{}]}')
  local t = json.decode('{"a":1}')
  t.a = nil
  assert(json.encode(t) == "{}" and next(t) == nil and getmetatable(t) == nil)
  assert(json.encode(setmetatable(t, { __index = { z = 1 } })) == "{}" and t.z == 1)
  assert(json.encode(setmetatable(t, nil)) == "{}" and t.z == nil)
  local copy = {}
  for key, value in pairs(t) do copy[key] = value end
  assert(json.encode(copy) == "[]", "a copy is a new table")
end

-- modules: json
--- A table whose names were all removed is an object, one whose elements were is an array
function M.tables_that_were_emptied()
  local names, list = { a = 1 }, { 1, 2 }
  names.a = nil
  table.remove(list)
  table.remove(list)
  assert(json.encode({ names, list, {} }) == "[{},[],[]]" and next(names) == nil and next(list) == nil)
  assert(json.encode({ names, list, {} }) == "[{},[],[]]", "asking changes nothing")
end

-- modules: json
--- object and array say what an empty table is
function M.object_and_array()
  assert(json.encode({ json.object(), json.array() }) == "[{},[]]")
  local t = {}
  assert(json.object(t) == t and json.encode(t) == "{}" and getmetatable(t) == nil)
  assert(json.encode(json.array(t)) == "[]" and json.encode(json.array(json.decode("{}"))) == "[]")
  assert(json.encode(json.object({ 1 })) == "[1]" and json.encode(json.array({ a = 1 })) == '{"a":1}')
  assert(json.encode(table.freeze(json.object())) == "{}")
  assert(not pcall(json.object, 7) and not pcall(json.array, "x"))
end

-- modules: json
--- Holes, mixed keys, circles, texts that are not UTF-8 and more than 128 levels are Internal
function M.encode_refuses()
  refused(errors.INTERNAL, json.encode({ 1, nil, 3 }))
  refused(errors.INTERNAL, json.encode({ 1, a = 2 }))
  refused(errors.INTERNAL, json.encode({ [5] = 1 }))
  refused(errors.INTERNAL, json.encode({ [true] = 1 }))
  refused(errors.INTERNAL, json.encode({ [1.5] = 1 }))
  refused(errors.INTERNAL, json.encode("\255"))
  local loop = {}
  loop.loop = { loop }
  refused(errors.INTERNAL, json.encode(loop))
  local function nested(levels)
    local t = {}
    for _ = 2, levels do t = { t } end
    return t
  end
  assert(json.encode(nested(128)) == string.rep("[", 128) .. string.rep("]", 128))
  refused(errors.INTERNAL, json.encode(nested(130)))
  refused(errors.INTERNAL, json.encode(nested(5000)))
end

-- modules: json
--- decode gives Lua values: null is nil, whole numbers are integers
function M.decodes()
  local v = assert(json.decode('{"a": [1, 2.5, null, 3], "b": null, "c": {"d": [], "e": "\\u00e9\\ud83d\\ude00"}, "f": 1e2}'))
  assert(v.a[1] == 1 and math.type(v.a[1]) == "integer" and v.a[2] == 2.5 and v.a[3] == nil and v.a[4] == 3 and v.b == nil)
  assert(#v.c.d == 0 and v.c.e == "é😀" and v.f == 100 and json.decode("null") == nil and json.decode(" true ") == true)
  assert(json.decode("9223372036854775807") == math.maxinteger and math.type(json.decode("9223372036854775808")) == "float")
  assert(json.decode('{"a":1,"a":2}').a == 2 and json.decode('"\\u0000"') == "\0")
end

-- modules: json
--- An empty text and no text are Invalid, bad syntax is Internal
function M.decode_refuses()
  refused(errors.INVALID, json.decode(""))
  refused(errors.INVALID, json.decode())
  for _, value in ipairs { 5, true, {} } do refused(errors.INVALID, json.decode(value)) end
  for _, text in ipairs { "{", "[1,]", "{a:1}", "'x'", "NaN", "Infinity", "-Infinity", "01", "1 2", '"\n"', "\255", " ", "tru", string.rep("[", 100000) } do
    refused(errors.INTERNAL, json.decode(text))
  end
end

-- modules: json
--- What decode reads, encode writes
function M.round_trip()
  for _, text in ipairs { '{"a":[1,2.5,"x",true,{"b":[]}]}', "[[[]]]", '"\\\\u"', "-7", '{"":""}' } do
    assert(json.encode(json.decode(text)) == text, text)
  end
end

-- modules: json
--- validate tells whether a value fits a schema, given as a table or as JSON
function M.validate()
  local schema = { type = "object", required = { "name" }, properties = { name = { type = "string", minLength = 1 },
    age = { type = "integer", minimum = 0 }, tags = { type = "array", items = { type = "string" } } } }
  local ok, err = json.validate(schema, { name = "Anna", age = 7, tags = {} })
  assert(ok == true and err == nil)
  for _, data in ipairs { { name = "" }, { age = 7 }, { name = "A", age = -1 }, { name = "A", age = 1.5 }, { name = "A", tags = { 1 } }, "text" } do
    ok, err = json.validate(schema, data)
    assert(ok == false and err:kind() == errors.INVALID and err:retryable() == false)
  end
  assert(json.validate('{"type": "number", "minimum": 0}', 42) and not json.validate('{"type": "number"}', "x"))
  assert(json.validate({ type = "null" }, nil))
end

-- modules: json
--- An empty table is the array or the object that the schema wants, in schemas too
function M.validate_empty_tables()
  assert(json.validate({ type = "object" }, {}) and json.validate({ type = "array" }, {}) and json.validate({}, { 1 }))
  assert(json.validate({ type = "object", properties = {}, required = {} }, { a = 1 }))
  assert(json.validate({ type = "array", items = { type = "object" } }, { {}, { a = 1 } }))
  assert(json.validate({ properties = { any = {} }, additionalProperties = false }, { any = 5 }))
  assert(not json.validate({ properties = { a = { type = "object", required = { "x" } } } }, { a = {} }))
end

-- modules: json
--- A schema that is none is Invalid
function M.bad_schema()
  for _, schema in ipairs { { type = "nothing" }, { minimum = "x" }, '{"type": 5}', "{", 5, { ["$ref"] = "http://example.com/x" } } do
    local ok, err = json.validate(schema, 1)
    assert(not ok and (err:kind() == errors.INVALID or err:kind() == errors.INTERNAL), tostring(err))
  end
end

-- modules: json
--- validate_string reads the text first: bad text is Invalid
function M.validate_string()
  local schema = { type = "object", properties = { id = { type = "integer" } } }
  assert(json.validate_string(schema, '{"id": 7}') == true)
  for _, text in ipairs { '{"id": "7"}', "{", "", "[]" } do
    local ok, err = json.validate_string(schema, text)
    assert(ok == false and err:kind() == errors.INVALID, text)
  end
  assert(json.validate_string(schema, 5) == false)
end

return M
