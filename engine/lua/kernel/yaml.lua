-- YAML (lua-api 11). Keys are always in one order: the named ones first, the rest sorted.
local k = ...
local typeof = k.lib.typeof

k.modules.yaml = k.library {
  --- encode(table[, {field_order = names}]) -> text | nil, err.
  encode = function(value, options)
    if typeof(value) ~= "table" then return nil, k.invalid("yaml.encode: table expected, got " .. typeof(value)) end
    return k.codecs.yaml.encode(value, typeof(options) == "table" and options.field_order or nil)
  end,
  decode = function(text)
    if typeof(text) ~= "string" or text == "" then return nil, k.invalid("yaml.decode: non-empty string expected") end
    return k.codecs.yaml.decode(text)
  end,
}
