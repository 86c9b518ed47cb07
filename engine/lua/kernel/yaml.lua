-- YAML (docs/lua.md#yaml). Keys are always in one order: the named ones first, the rest sorted.
local k = ...
local typeof = k.lib.typeof

-- The names of `field_order` as a list, or nil when it is something else.
local function order_of(options)
  local given = typeof(options) == "table" and options.field_order or nil
  if given == nil then return {} end
  if typeof(given) ~= "table" then return nil end
  local names = {}
  for i, name in k.raw.ipairs(given) do
    if typeof(name) ~= "string" then return nil end
    names[i] = name
  end
  return names
end

k.modules.yaml = k.library {
  --- encode(table[, {field_order = names}]) -> text | nil, err.
  encode = function(value, options)
    if typeof(value) ~= "table" then return nil, k.invalid("yaml.encode: table expected, got " .. typeof(value)) end
    local order = order_of(options)
    if not order then return nil, k.invalid("yaml.encode: field_order must be a list of names") end
    return k.codecs.yaml.encode(value, order)
  end,
  decode = function(text)
    if typeof(text) ~= "string" or text == "" then return nil, k.invalid("yaml.decode: non-empty string expected") end
    return k.codecs.yaml.decode(text)
  end,
}
