-- Returns what it is given: its only argument, or a list of all of them.
local function main(...)
  if select("#", ...) == 1 then return (...) end
  return { ... }
end

return { main = main }
