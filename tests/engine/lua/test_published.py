"""Libraries written as published ones are: classes with metamethods, an inspector, a strict mode, clocks."""

from __future__ import annotations

import pytest

from engine.testing import Driver

KINDS = ("function", "process", "workflow")
LIBRARIES = r"""
package.preload.class = function(name)
  local class = {_VERSION = "class 1.0"}
  local function index(f)
    if f == nil then return nil end
    return function(self, key)
      local value = self.class.__instance[key]
      if value ~= nil then return value end
      return f(self, key)
    end
  end
  local function propagate(c, key, f)
    f = key == "__index" and index(f) or f
    c.__instance[key] = f
    for sub in pairs(c.subclasses) do if rawget(sub.__declared, key) == nil then propagate(sub, key, f) end end
  end
  local function declare(c, key, f)
    c.__declared[key] = f
    if f == nil and c.super then f = c.super.__instance[key] end
    propagate(c, key, f)
  end
  local function made(label, super)
    local dict = {}
    dict.__index = dict
    local c = {name = label, super = super, static = {}, __instance = dict, __declared = {}, subclasses = {}}
    setmetatable(c.static, {__index = function(_, key)
      local result = rawget(dict, key)
      if result == nil and super then return super.static[key] end
      return result
    end})
    return setmetatable(c, {__index = c.static, __tostring = function() return "class " .. label end,
      __call = function(self, ...) return self:new(...) end, __newindex = declare})
  end
  local Mixin = {
    __tostring = function(self) return "instance of " .. tostring(self.class) end,
    initialize = function() end,
    static = {
      new = function(self, ...)
        assert(type(self) == "table", "Make sure that you are using 'Class:new' instead of 'Class.new'")
        local instance = setmetatable({class = self}, self.__instance)
        instance:initialize(...)
        return instance
      end,
      subclass = function(self, label)
        local sub = made(label, self)
        for key, f in pairs(self.__instance) do
          if not (key == "__index" and type(f) == "table") then propagate(sub, key, f) end
        end
        sub.initialize = function(instance, ...) return self.initialize(instance, ...) end
        return sub
      end,
    },
  }
  local function include(c)
    for key, f in pairs(Mixin) do if key ~= "static" then c[key] = f end end
    for key, f in pairs(Mixin.static) do c.static[key] = f end
    return c
  end
  setmetatable(class, {__call = function(_, label, super)
    return super and super:subclass(label) or include(made(label))
  end})
  return class
end

package.preload.inspect = function()
  local rank = {number = 1, boolean = 2, string = 3, table = 4}
  local function before(a, b)
    local ta, tb = type(a), type(b)
    if ta == tb and (ta == "string" or ta == "number") then return a < b end
    return (rank[ta] or 9) < (rank[tb] or 9)
  end
  local function quoted(text)
    if text:match('"') and not text:match("'") then return "'" .. text .. "'" end
    return '"' .. text:gsub('"', '\\"'):gsub("[%c\127]", function(c) return ("\\%d"):format(c:byte()) end) .. '"'
  end
  local function shown(value, seen)
    if type(value) == "string" then return quoted(value) end
    if type(value) ~= "table" then return tostring(value) end
    if seen[value] then return "<cycle>" end
    seen[value] = true
    local parts, keys = {}, {}
    for i = 1, rawlen and rawlen(value) or #value do parts[i] = shown(rawget(value, i), seen) end
    for key in next, value do
      if not (math.type(key) == "integer" and 1 <= key and key <= #value) then keys[#keys + 1] = key end
    end
    table.sort(keys, before)
    for _, key in ipairs(keys) do
      local named = type(key) == "string" and key:match("^[_%a][_%a%d]*$")
      local label = named and key or "[" .. shown(key, seen) .. "]"
      parts[#parts + 1] = ("%s = %s"):format(label, shown(rawget(value, key), seen))
    end
    seen[value] = nil
    return "{" .. table.concat(parts, ", ") .. "}"
  end
  return setmetatable({inspect = shown}, {__call = function(_, value) return shown(value, {}) end})
end
"""


def run(body: str, kind: str) -> Driver:
    return Driver.of_source(f"return function() {LIBRARIES} {body} end", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_library_inherits_and_its_metamethods_do(kind: str) -> None:
    body = """
    local class = require("class")
    local Animal = class("Animal")
    function Animal:initialize(name) self.name = name end
    function Animal:__lt(other) return self.name < other.name end
    Animal.__len = function(self) return #self.name end
    local Dog = class("Dog", Animal)
    function Dog:speak() return self.name .. " barks" end
    local rex, ann = Dog("Rex"), Dog:new("Ann")
    return {rex:speak(), ann < rex, #rex, tostring(Dog), tostring(rex), rex.class.super == Animal,
      package.loaded.class == class, class == require("class"), class._VERSION}
    """
    told = ["Rex barks", True, 3, "class Dog", "instance of class Dog", True, True, True, "class 1.0"]
    assert run(body, kind).value == told


@pytest.mark.parametrize("kind", KINDS)
def test_an_inspector_shows_tables_in_one_order(kind: str) -> None:
    body = """
    local inspect = require("inspect")
    local t = {1, "a\\nb", {x = 1, ["y z"] = 2.5}, [10] = true, [false] = 'say "hi"'}
    t.self = t
    return inspect(t)
    """
    shown = """{1, "a\\10b", {x = 1, ["y z"] = 2.5}, [10] = true, [false] = 'say "hi"', self = <cycle>}"""
    assert run(body, kind).value == shown


@pytest.mark.parametrize("kind", KINDS)
def test_the_clock_goes_on_with_the_time_of_the_run(kind: str) -> None:
    driver = run(
        "local time = require('time') local from = os.clock() time.sleep('90s') return os.clock() - from", kind
    )
    driver.advance(90)
    assert driver.value == 90


@pytest.mark.parametrize("kind", KINDS)
def test_weeks_are_counted_as_in_c(kind: str) -> None:
    assert run("return os.date('!%U %W %V', os.time({year = 2024, month = 6, day = 15}))", kind).value == "23 24 24"
