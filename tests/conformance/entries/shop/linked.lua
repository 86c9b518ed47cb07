-- Processes that link each other, and die when told.
local M = {}

--- Links `hub`, when there is one; `trap` tells of what happens to it instead of dying.
function M.star(boss: string, hub: string?, trap: boolean?)
  assert(process.set_options({ trap_links = trap == true }))
  if hub then assert(process.link(hub)) end
  local events, die = process.events(), process.listen("die")
  process.send(boss, "ready", process.pid())
  while true do
    local got = channel.select { events:case_receive(), die:case_receive() }
    if got.channel == die then
      if got.value == "raise" then error("the hub broke", 0) end
      return got.value
    end
    process.send(boss, "down", { kind = got.value.kind, from = got.value.from, error = tostring(got.value.result.error) })
  end
end

--- Each member spawns and links the next one.
function M.chain(boss: string, host: string, rest: integer)
  if rest > 0 then assert(process.spawn_linked("conf.shop:chain", host, boss, host, rest - 1)) end
  process.send(boss, "ready", { pid = process.pid(), rest = rest })
  process.listen("die"):receive()
  error("member " .. rest .. " broke", 0)
end

return M
