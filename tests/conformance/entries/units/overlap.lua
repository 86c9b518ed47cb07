-- When it ran: with one worker two calls never overlap.
local time = require("time")

return function()
  local from = time.now():unix_nano()
  time.sleep("20ms")
  return { from = from, to = time.now():unix_nano() }
end
