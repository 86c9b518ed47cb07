--- 15.3 Children
local M = {}

-- on: workflow
--- Children are monitored; each EXIT comes once, with the pid that spawn returned
function M.exits(env)
  local pids, seen = {}, 0
  for i = 1, 3 do pids[process.spawn("conf.temporal:echo", env.worker, i)] = i end
  for _ = 1, 3 do
    local event = process.events():receive()
    assert(event.kind == process.event.EXIT and pids[event.from] == event.result.value[1])
    pids[event.from], seen = nil, seen + 1
  end
  assert(seen == 3 and next(pids) == nil)
end

-- on: workflow
-- modules: workflow
--- The host of a child is a worker or a task queue
function M.host_is_worker_or_queue(env)
  local queue = workflow.info().task_queue
  assert(process.exec("conf.temporal:echo", env.worker, 1)[1] == 1)
  assert(process.exec("conf.temporal:echo", queue, 2)[1] == 2)
  local pid, err = process.spawn("conf.temporal:echo", env.process_host)
  assert(pid == nil and err:kind() == errors.INVALID)
end

-- on: workflow
--- The error of a child keeps kind, retryable, message and details, and tells which child it was
function M.errors_of_children(env)
  local value, err = process.exec("conf.temporal:fails", env.worker, "Conflict", true)
  assert(value == nil and err:kind() == "Conflict" and err:retryable() == true and err:message() == "failed as told")
  local details = err:details()
  assert(details.code == 7 and details._wrapper == "child_workflow")
  assert(details._workflow_type == "conf.temporal:fails" and #details._workflow_id > 0 and #details._run_id > 0)
end

-- on: workflow
--- parent_close_policy and wait_for_cancellation are options of children
function M.options(env)
  for _, policy in ipairs { "terminate", "abandon", "request_cancel" } do
    local options = { ["workflow.parent_close_policy"] = policy, ["workflow.wait_for_cancellation"] = true }
    assert(process.with_options(options):exec("conf.temporal:echo", env.worker, policy)[1] == policy)
  end
end

-- on: workflow
--- A child may have a name; one that runs already is AlreadyExists
function M.named(env)
  local name = "conf-child-" .. process.pid():gsub("%W", "")
  local pid = assert(process.with_options({}):with_name(name):spawn("conf.temporal:patient", env.worker))
  assert(string.find(pid, name, 1, true))
  local again, err = process.with_options({}):with_name(name):spawn("conf.temporal:patient", env.worker)
  assert(again == nil and err:kind() == errors.ALREADY_EXISTS)
  assert(process.send(pid, "go", 1))
  assert(process.events():receive().result.value.go == 1)
end

-- on: workflow
--- A child answers its parent by the sender of its messages
function M.talk(env)
  local pid = assert(process.with_options({}):with_message("n", "hi"):spawn("conf.temporal:collect", env.worker, 1))
  local got = process.events():receive().result.value
  assert(got[1].from == process.pid() and got[1].data == "hi" and pid)
end

-- on: workflow
--- Calls, timers and children of one workflow finish in the order in which they do
function M.together(env)
  local pid = assert(process.spawn("conf.temporal:patient", env.worker, "in"))
  local events = process.events()
  assert(channel.select({ events:case_receive() }, true).default)
  process.send(pid, "go", "on")
  local value = events:receive().result.value
  assert(value.go == "on" and value.input == "in")
end

return M
