local count = 0
evaluated = (evaluated or 0) + 1
local at_load = evaluated
return {
  up = function()
    count = count + 1
    return count
  end,
  loads = function() return at_load end,
  json = function() return json ~= nil and require("json") == json end,
}
