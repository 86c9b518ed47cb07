-- Steps that are undone, the last one first, when a later one fails.
local funcs = require("funcs")

type Done = { name: string, id: string }

local M = {}

function M.new(log: string)
  local done: { Done } = {}
  local saga = {}

  function saga.step(name: string, how: string): (any, error?)
    local booked, err = funcs.call("conf.shop:book", log, name, how)
    if err then
      for i = #done, 1, -1 do funcs.call("conf.shop:undo", log, done[i].name, done[i].id) end
      return nil, err
    end
    table.insert(done, { name = name, id = booked.id })
    return booked
  end

  return saga
end

return M
