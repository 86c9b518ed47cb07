-- Values of the sql module that say what they are to the database: NULL, and sql.as.
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error

local class = k.class("sql.Value", {}, {
  __tostring = function(self) return self[k.S].kind == "n" and "NULL" or k.std.tostring(self[k.S].value) end,
})
local NULL = k.new(class, { kind = "n", value = false })
local as = {}

local function new(kind, value) return k.new(class, { kind = kind, value = value }) end

local function refuse(name, wanted, v)
  error("sql.as." .. name .. ": " .. wanted .. " expected, got " .. k.lib.typeof(v), 3)
end

local function caster(name, kind, wanted, cast)
  as[name] = function(v)
    if v == nil or v == NULL then return NULL end
    local value = cast(v)
    if value == nil then refuse(name, wanted, v) end
    return new(kind, value)
  end
end

local function number(v)
  if type(v) == "boolean" then return v and 1 or 0 end
  if type(v) == "number" or type(v) == "string" then return raw.tonumber(v) end
end

caster("int", ".", "a whole number", function(v) return raw.math.tointeger(number(v)) end)
caster("float", "f", "a number", number)
caster("text", "t", "text, a number or a boolean", function(v)
  if type(v) == "string" then return v end
  if type(v) == "number" or type(v) == "boolean" then return raw.tostring(v) end
end)
caster("binary", "b", "a string", function(v) return type(v) == "string" and v or nil end)

as["null"] = function() return NULL end

k.sql_parts = { NULL = NULL, as = k.library(as) }
