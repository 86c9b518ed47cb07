-- Workflows that the cases of sections 13 to 17 start.
local M = {}

-- Returns its arguments as a list.
function M.echo(...) return { ... } end

-- Returns the first `count` messages.
function M.collect(count)
  local inbox, got = process.inbox(), {}
  for i = 1, count do
    local m = inbox:receive()
    got[i] = { topic = m:topic(), from = m:from(), data = m:payload() and m:payload():data() }
  end
  return got
end

-- Ends when it is told to, or cancelled.
function M.patient(input)
  local go, events = process.listen("go"), process.events()
  local result = channel.select { go:case_receive(), events:case_receive() }
  if result.channel == go then return { go = result.value, input = input } end
  return { type = result.value.type, kind = result.value.kind, reason = result.value.reason }
end

-- Gives up when it is cancelled.
function M.stops()
  process.events():receive()
  return nil, errors.new { message = "stopped", kind = errors.CANCELED, retryable = false }
end

-- Fails with an error of that kind.
function M.fails(kind, retryable)
  return nil, errors.new { message = "failed as told", kind = kind, retryable = retryable, details = { code = 7 } }
end

function M.raises() error("raised as told") end

function M.info() return workflow.info() end

-- Upgrades itself until it has done so three times, and keeps what it was sent meanwhile.
function M.climbs(times)
  if times < 3 then process.upgrade(nil, times + 1) end
  local inbox, got = process.inbox(), {}
  for i = 1, 2 do got[i] = inbox:receive():payload():data() end
  return { times = times, got = got, user = ctx.get("user"), pid = process.pid() }
end

-- What it, an activity and a child of it know of the context.
function M.context(depth)
  local here = { own = ctx.all(), activity = funcs.call("conf.temporal:tell_context") }
  if depth > 0 then
    here.child = process.with_context({ depth = depth }):exec("conf.temporal:context", "conf:worker", depth - 1)
  end
  return here
end

return M
