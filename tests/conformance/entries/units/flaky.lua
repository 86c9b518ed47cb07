-- Tells the tally that it ran, then fails so many times.
local ctx = require("ctx")

return function(tally, times, kind, retryable)
  local answers = process.listen("count")
  assert(process.send(tally, "ran", ctx.get("who")))
  local count = answers:receive()
  if count > times then return count end
  return nil, errors.new { message = "attempt " .. count, kind = kind, retryable = retryable }
end
