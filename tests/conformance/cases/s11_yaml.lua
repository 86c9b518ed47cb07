--- 11 Small modules: yaml
local M = {}

local function refused(kind, value, err)
  assert(value == nil, "a value was returned")
  assert(err:kind() == kind, "kind is " .. err:kind() .. ": " .. err:message())
end

-- modules: yaml
--- Mappings, lists and plain values are read with their types
function M.decodes()
  local v = assert(yaml.decode("name: test\ncount: 42\nratio: 3.5\non: true\nnone: null\ntags:\n  - lua\n  - [a, {b: c}]\n'1': x\n1: y"))
  assert(v.name == "test" and v.count == 42 and math.type(v.count) == "integer" and v.ratio == 3.5)
  assert(v.on == true and v.none == nil and v.tags[1] == "lua" and v.tags[2][2].b == "c" and v["1"] == "x" and v[1] == "y")
  assert(yaml.decode("just text") == "just text" and yaml.decode("[]")[1] == nil)
  assert(yaml.decode("# nothing") == nil)
end

-- modules: yaml
--- A date is text, and yes is text: only what YAML 1.2 calls a value is one
function M.plain_text()
  local v = yaml.decode("when: 2024-02-29\nat: 2024-02-29T10:00:00Z\nanswer: yes\nhex: 0x1F\nbin: !!binary aGk=")
  assert(v.when == "2024-02-29" and v.at == "2024-02-29T10:00:00Z" and v.answer == "yes" and v.hex == 31 and v.bin == "hi")
end

-- modules: yaml
--- Aliases are copies, and << merges, with the own keys first
function M.aliases()
  local v = yaml.decode("base: &b {x: 1, y: 2}\ncopy: *b\nmore:\n  <<: *b\n  y: 3\n")
  assert(v.copy.x == 1 and v.more.x == 1 and v.more.y == 3)
  v.copy.x = 9
  assert(v.base.x == 1, "no sharing")
end

-- modules: yaml
--- Aliases that grow without end, or into themselves, are refused
function M.alias_bombs()
  local lines = { "a0: &a0 [x, x, x, x, x, x, x, x, x, x]" }
  for i = 1, 12 do
    local parts = {}
    for n = 1, 10 do parts[n] = "*a" .. (i - 1) end
    lines[#lines + 1] = "a" .. i .. ": &a" .. i .. " [" .. table.concat(parts, ", ") .. "]"
  end
  refused(errors.INTERNAL, yaml.decode(table.concat(lines, "\n")))
  refused(errors.INTERNAL, yaml.decode("a: &a [*a, *a]"))
  refused(errors.INTERNAL, yaml.decode("a: &a {<<: [*a, *a]}"))
end

-- modules: yaml
--- Bad syntax, keys that stand twice and tags are Internal; an empty text and no text are Invalid
function M.refuses()
  for _, text in ipairs { "a: [", "a: 1\na: 2", "!!set {a}", "!thing x", "a\n\tb: c", "? [1]\n: 2", "a: " .. string.rep("9", 500),
    string.rep("[", 3000), "--- a\n--- b", "\255\254" } do
    refused(errors.INTERNAL, yaml.decode(text))
  end
  refused(errors.INVALID, yaml.decode(""))
  refused(errors.INVALID, yaml.decode(7))
  refused(errors.INVALID, yaml.decode())
end

-- modules: yaml
--- Tables become block style with sorted keys, the same each time
function M.encodes()
  assert(yaml.encode({ b = { 1, 2.5, { x = 1 } }, a = "yes", c = {} }) == "a: yes\nb:\n- 1\n- 2.5\n- x: 1\nc: []\n")
  assert(yaml.encode({ "one", true }) == "- one\n- true\n")
end

-- modules: yaml
--- field_order names the keys that come first, in each mapping
function M.field_order()
  local text = yaml.encode({ zebra = 1, alpha = 2, name = "n", kind = { zebra = 1, name = 2 } },
    { field_order = { "name", "kind" }, sort_unordered = true })
  assert(text == "name: n\nkind:\n  name: 2\n  zebra: 1\nalpha: 2\nzebra: 1\n", text)
  refused(errors.INVALID, yaml.encode({ a = 1 }, { field_order = { 1 } }))
end

-- modules: yaml
--- Every text comes back as it was
function M.texts_come_back()
  for _, text in ipairs { "", " ", "yes", "null", "~", "1", "0x1", "1e3", ".5", "2024-01-01", "a: b", "- x", "#c", "l1\nl2\n", "\n",
    "\t", "é", "\226\128\168", "\194\133", "'", '"', "%x", "---", "...", "<<", "=", "\7", "a\rb", "x\n\n", "\239\187\191", "\0" } do
    local written = assert(yaml.encode({ k = text }))
    assert(yaml.decode(written).k == text, string.format("%q", written))
  end
end

-- modules: yaml
--- Only tables can be written; cycles and too many levels can't
function M.encode_refuses()
  for _, value in ipairs { "text", 7, true } do refused(errors.INVALID, yaml.encode(value)) end
  refused(errors.INVALID, yaml.encode())
  local loop = {}
  loop.loop = loop
  refused(errors.INTERNAL, yaml.encode(loop))
  local deep = {}
  for _ = 1, 100 do deep = { deep } end
  refused(errors.INTERNAL, yaml.encode(deep))
end

return M
