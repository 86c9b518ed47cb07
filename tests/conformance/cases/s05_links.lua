--- 5.3 Links of many
local M = {}

local function ready(env, ...)
  local told = process.listen("ready")
  local pid = assert(process.spawn_monitored("conf.shop:star", env.process_host, process.pid(), ...))
  assert(told:receive() == pid)
  return pid
end

-- on: function process
--- A hub that fails takes every linked member along, but for those that trap links
function M.star(env)
  local events, down = process.events(), process.listen("down")
  local hub = ready(env)
  local members = { ready(env, hub), ready(env, hub), ready(env, hub) }
  local trapping = ready(env, hub, true)
  process.send(hub, "die", "raise")
  local ends = {}
  for _ = 1, 4 do
    local event = events:receive()
    ends[event.from] = event.result.error:message()
  end
  assert(string.find(ends[hub], "the hub broke", 1, true))
  for _, pid in ipairs(members) do assert(string.find(ends[pid], "linked process failed", 1, true)) end
  local seen = down:receive()
  assert(seen.kind == "pid.link.down" and seen.from == hub and string.find(seen.error, "the hub broke", 1, true))
  process.send(trapping, "die", "of age")
  assert(events:receive().result.value == "of age")
end

-- on: function process
--- A break runs along a chain of links, up and down
function M.chain(env)
  local told, pids = process.listen("ready"), {}
  local top = assert(process.spawn_monitored("conf.shop:chain", env.process_host, process.pid(), env.process_host, 4))
  for _ = 1, 5 do
    local member = told:receive()
    pids[member.rest] = member.pid
  end
  assert(pids[4] == top)
  for rest = 0, 3 do assert(process.monitor(pids[rest])) end
  process.send(pids[2], "die")
  for _ = 1, 5 do
    local event = process.events():receive()
    local wanted = event.from == pids[2] and "member 2 broke" or "linked process failed"
    assert(string.find(event.result.error, wanted, 1, true), tostring(event.result.error))
  end
end

return M
