local M = {}

-- Goes on as another entry, leaving what is unread.
function M.before()
  local next_id = process.listen("go"):receive()
  process.upgrade(table.unpack(next_id))
end

function M.after(argument)
  local names = {}
  for _, kind in ipairs { "function", "process" } do
    names[#names + 1] = process.registry.lookup("conf5 upgrade " .. kind) == process.pid() and process.pid() or nil
  end
  return { pid = process.pid(), id = process.id(), argument = argument, unread = process.listen("unread"):receive(), name = names[1] }
end

function M.counts_down(n)
  if n == 0 then return "landed" end
  process.upgrade(nil, n - 1)
end

function M.before_workflow() process.upgrade("conf.actors:upgraded_workflow", "an argument", process.pid()) end

function M.after_workflow(argument, pid)
  return { argument = argument, same_pid = pid == process.pid(), unread = process.listen("unread"):receive() }
end

return M
