return function()
  local first, second = require("a"), require("b")
  return {
    same = first == second and a == first,
    counted = { first.up(), second.up(), c.up() },
    json_inside = first.json(),
    json_outside = json ~= nil,
    leaked = evaluated ~= nil,
    loads = first.loads(),
  }
end
