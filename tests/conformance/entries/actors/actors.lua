local M = {}

-- Answers each message to its sender.
function M.echo()
  for msg in process.inbox():iter() do
    local payload = msg:payload()
    local list = type(payload) == "table" and payload or { payload }
    process.send(msg:from(), "answer", {
      pid = process.pid(), topic = msg:topic(), from = msg:from(),
      first = list[1] and list[1]:data(), second = list[2] and list[2]:data(),
    })
  end
end

-- Tells what it is, then ends.
function M.report(watcher, ...)
  process.send(watcher, "report", { pid = process.pid(), id = process.id(), args = { ... } })
end

function M.context(watcher) process.send(watcher, "context", (require("ctx").all())) end

function M.sum(...)
  local sum = 0
  for i = 1, select("#", ...) do sum = sum + (select(i, ...)) end
  return sum
end

-- Executes another and returns what that does.
function M.executes(id, host, watcher) return process.exec(id, host, watcher) end

-- Says that it waits; returns "canceled" when it is.
function M.waits(watcher)
  local events = process.events()
  process.send(watcher, "waiting", process.pid())
  for event in events:iter() do
    if event.kind == process.event.CANCEL then return "canceled" end
  end
end

function M.waits_for_go() return process.listen("go"):receive() end

-- Tells the watcher each message that it gets, and from whom.
function M.keeper(watcher)
  for msg in process.inbox():iter() do
    process.send(watcher, "kept", { value = msg:payload():data(), from = msg:from() })
  end
end

-- Returns the CANCEL event.
function M.tells_cancel() return (process.events():receive()) end

-- Links a child; tells who asks which it is.
function M.links_and_waits(id)
  local child = assert(process.spawn_linked(id, "conf:processes"))
  for msg in process.inbox():iter() do process.send(msg:payload():data(), "child", child) end
end

function M.fails_when_told()
  process.listen("fail"):receive()
  return nil, "told to fail"
end

function M.spawns_and_ends(id) return process.spawn(id, "conf:processes") end

return M
