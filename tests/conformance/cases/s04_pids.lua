--- 4 Pids
local M = {}

local function host_of(pid) return pid:match("^{[^@|]*@([^|]+)|") or pid:match("^{([^@|]+)|") end

--- A pid is text {host|uniq} or {node@host|uniq}; it can be compared, stored and sent
function M.pids_are_text()
  local pid = process.pid()
  assert(type(pid) == "string" and pid:match("^{[^|]+|[^}]+}$"), pid)
  local t = { [pid] = true }
  assert(t[process.pid()])
  process.send(pid, "pid", pid)
  assert(process.inbox():receive():payload():data() == pid)
end

-- on: function
--- A function call's pid has the function's id as its host
function M.function_pids()
  assert(host_of(process.pid()) == process.id(), process.pid())
end

-- on: process
--- A process's pid has the process host's id as its host
function M.process_pids(env)
  assert(host_of(process.pid()) == env.process_host, process.pid())
end

-- on: workflow
-- modules: workflow
--- A workflow's pid is {client@worker|workflow id}
function M.workflow_pids(env)
  assert(process.pid() == "{conf:client@" .. env.worker .. "|" .. workflow.info().workflow_id .. "}", process.pid())
end

--- process.id() is the entry id
function M.entry_id(env)
  assert(process.id() == "conf.s04_pids:entry_id." .. env.kind, process.id())
end

-- on: function process
--- Malformed text that is no name either: NotFound, could not resolve 'x' as PID or registered name
function M.malformed_pids()
  for _, text in ipairs { "nobody", "{", "{x", "a|b", "{a}", "" } do
    for name, act in pairs { send = function(d) return process.send(d, "t") end, cancel = process.cancel,
      terminate = process.terminate, monitor = process.monitor, link = process.link } do
      local ok, err = act(text)
      assert(not ok and err, name .. " '" .. text .. "' did not fail")
      assert(err:kind() == "NotFound" and err:retryable() == false, name .. " '" .. text .. "': " .. err:kind())
      assert(err:message() == "could not resolve '" .. text .. "' as PID or registered name", name .. ": " .. err:message())
    end
  end
end

--- A pid that is gone is NotFound, text contains "not found"
function M.gone_pids(env)
  for _, pid in ipairs { "{" .. env.process_host .. "|0x99999}", "{conf:client@" .. env.worker .. "|no-such-run}" } do
    local ok, err = process.send(pid, "t", 1)
    assert(not ok and err:kind() == "NotFound", tostring(err))
    assert(string.find(err, "not found"), tostring(err))
  end
end

return M
