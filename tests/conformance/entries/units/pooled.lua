-- Calls itself so many levels deep.
local funcs = require("funcs")

return function(id, depth)
  if depth == 0 then return 0 end
  local below, err = funcs.call(id, id, depth - 1)
  if err then return nil, err end
  return below + 1
end
