-- Functions that the cases of sections 14 to 17 call.
local M = {}

function M.answer(...) return { n = select("#", ...), first = (...), pid = process.pid(), id = process.id() } end

function M.tell_context() return ctx.all() end

function M.fail(kind, retryable)
  return nil, errors.new { message = "failed as told", kind = kind, retryable = retryable, details = { code = 7, list = { 1, 2 } } }
end

function M.crash() error("crashed as told") end

function M.linger(duration) time.sleep(duration) return "over" end

-- Tells `who` how it was cancelled.
function M.until_canceled(who)
  process.send(who, "began")
  local event = process.events():receive()
  process.send(who, "ended", event.type)
  return event.type
end

-- Fails until the attempt `good`, as `who` counts them.
function M.tries(who, good, kind)
  local replies = process.listen("attempt")
  process.send(who, "try", process.pid())
  local attempt = replies:receive()
  if attempt >= good then return attempt end
  return nil, errors.new { message = "attempt " .. attempt, kind = kind or "Unavailable" }
end

-- Counts attempts for `tries`, until it is asked how many there were.
function M.tally()
  local tries, over, attempts = process.listen("try"), process.listen("over"), 0
  while true do
    local result = channel.select { over:case_receive(), tries:case_receive() }
    if result.channel == over then return process.send(result.value, "count", attempts) end
    attempts = attempts + 1
    process.send(result.value, "attempt", attempts)
  end
end

function M.job(x) return x * 2 end

return M
