--- 15.1 Start
local M = {}

local count = 0
-- A workflow id that no other case, and no other unit of this case, uses.
local function fresh(env)
  count = count + 1
  return "conf-" .. env.kind .. "-" .. process.pid():gsub("%W", "") .. "-" .. count
end

local function finished(pid)
  local events = process.events()
  while true do
    local event = events:receive()
    if event.kind == process.event.EXIT and event.from == pid then return event.result end
  end
end

--- A pid is the client, the worker and the workflow id
function M.pid(env)
  local id = fresh(env)
  local pid = assert(process.with_options({}):with_name(id):spawn_monitored("conf.temporal:echo", env.worker, 1))
  assert(pid == "{conf:client@conf:worker|" .. id .. "}", pid)
  assert(finished(pid).value[1] == 1)
end

--- Without a name each start is a workflow of its own
function M.generated_ids(env)
  local one = assert(process.spawn_monitored("conf.temporal:echo", env.worker, 1))
  local two = assert(process.spawn_monitored("conf.temporal:echo", env.worker, 2))
  assert(one ~= two)
  assert(finished(two).value[1] == 2)
end

--- All arguments arrive, nil among them
function M.arguments(env)
  local value = assert(process.exec("conf.temporal:echo", env.worker, 1, "two", { 3 }, false))
  assert(value[1] == 1 and value[2] == "two" and value[3][1] == 3 and value[4] == false)
end

-- on: function process
--- A name that is taken leads to the workflow that runs; its input is ignored, the messages are delivered
function M.use_existing(env)
  local id = fresh(env)
  local first = assert(process.with_options({}):with_name(id):with_message("n", 1)
    :spawn_monitored("conf.temporal:collect", env.worker, 3))
  local second, err = process.with_options({}):with_name(id):with_message("n", 2):with_message("n", 3)
    :spawn("conf.temporal:collect", env.worker, 99)
  assert(err == nil and second == first)
  local got = finished(first).value
  assert(#got == 3 and got[1].data == 1 and got[2].data == 2 and got[3].data == 3)
end

--- id_conflict_policy fail, or execution_error_when_already_started, make it AlreadyExists
function M.fail_when_taken(env)
  local id = fresh(env)
  local pid = assert(process.with_options({ ["workflow.id"] = id }):spawn("conf.temporal:patient", env.worker))
  local policies = {
    { ["workflow.id"] = id, ["workflow.id_conflict_policy"] = "fail" },
    { ["temporal.workflow.id"] = id, ["temporal.workflow.execution_error_when_already_started"] = true },
  }
  for _, options in ipairs(policies) do
    local again, err = process.with_options(options):spawn("conf.temporal:patient", env.worker)
    assert(again == nil and err:kind() == errors.ALREADY_EXISTS and #err:message() > 0)
  end
  assert(process.send(pid, "go"))
end

-- on: function process
--- id_conflict_policy terminate_existing ends the other
function M.terminate_existing(env)
  local id = fresh(env)
  local first = assert(process.with_options({ ["workflow.id"] = id }):spawn("conf.temporal:patient", env.worker, "old"))
  local second = assert(process.with_options({ ["workflow.id"] = id, ["workflow.id_conflict_policy"] = "terminate_existing" })
    :spawn("conf.temporal:patient", env.worker, "new"))
  assert(first == second)
  assert(process.monitor(second))
  assert(process.send(second, "go", 1))
  assert(finished(second).value.input == "new")
end

-- on: function process
--- id_reuse_policy reject_duplicate refuses an id that was used, allow_duplicate_failed_only one that went well
function M.reuse(env)
  local id = fresh(env)
  assert(process.with_options({ ["workflow.id"] = id }):exec("conf.temporal:echo", env.worker, 1))
  for _, policy in ipairs { "reject_duplicate", "allow_duplicate_failed_only" } do
    local pid, err = process.with_options({ ["workflow.id"] = id, ["workflow.id_reuse_policy"] = policy })
      :spawn("conf.temporal:echo", env.worker, 2)
    assert(pid == nil and err:kind() == errors.ALREADY_EXISTS, policy)
  end
  assert(process.with_options({ ["workflow.id"] = id }):exec("conf.temporal:echo", env.worker, 3)[1] == 3)
end

--- meta.options are the defaults of an entry
function M.defaults_of_meta(env)
  local id = fresh(env)
  local pid = assert(process.with_options({}):with_name(id):spawn("conf.temporal:optional", env.worker))
  local again, err = process.with_options({}):with_name(id):spawn("conf.temporal:optional", env.worker)
  assert(again == nil and err:kind() == errors.ALREADY_EXISTS)
  assert(process.send(pid, "go"))
end

--- An option with a value that is none of its own is Invalid, by its name, and nothing starts
function M.bad_options(env)
  local bad = {
    id_conflict_policy = "maybe", id_reuse_policy = "never", parent_close_policy = "ignore", run_timeout = "soon",
    execution_timeout = true, id = 7, memo = "text", cron_schedule = "whenever", priority = -1, enable_eager_start = "yes",
    retry_policy = { maximum_attempts = -1 }, search_attributes = { a = { b = 1 } }, versioning_override = "newest",
    namespace = "elsewhere", summary = string.rep("x", 500),
  }
  for name, value in pairs(bad) do
    for _, prefix in ipairs { "workflow.", "temporal.workflow." } do
      local pid, err = process.with_options({ [prefix .. name] = value }):spawn("conf.temporal:patient", env.worker)
      assert(pid == nil and err:kind() == errors.INVALID and err:retryable() == false, name)
    end
  end
end

--- Options that are good are taken
function M.good_options(env)
  local options = {
    ["workflow.execution_timeout"] = "1h", ["workflow.run_timeout"] = 600000, ["temporal.workflow.task_timeout"] = "20s",
    ["workflow.retry_policy"] = { initialInterval = 1000, maximum_attempts = 2, backoffCoefficient = 1.5 },
    ["workflow.memo"] = { note = "n", list = { 1 } }, ["workflow.summary"] = "s", ["workflow.details"] = "d",
    ["workflow.priority"] = { priority_key = 2 }, ["workflow.enable_eager_start"] = true, ["workflow.namespace"] = "default",
    ["workflow.versioning_intent"] = "unspecified",
  }
  assert(process.with_options(options):exec("conf.temporal:echo", env.worker, "ok")[1] == "ok")
end

--- A workflow that runs longer than run_timeout or execution_timeout fails with Timeout
function M.timeouts(env)
  for _, name in ipairs { "run_timeout", "execution_timeout" } do
    local value, err = process.with_options({ ["workflow." .. name] = 1000 }):exec("conf.temporal:patient", env.worker)
    assert(value == nil and err:kind() == errors.TIMEOUT and err:retryable() == false, name)
  end
end

--- The type of a workflow may be named by its meta
function M.type_of_meta(env)
  local info = assert(process.exec("conf.temporal:named", env.worker))
  assert(info.workflow_type == "ConformanceType")
end

--- Startup messages come first, in order, from the spawner
function M.startup_messages(env)
  local pid = assert(process.with_options({}):with_message("a", 1):with_message("b", { x = 2 }):with_message("c")
    :spawn_monitored("conf.temporal:collect", env.worker, 4))
  process.send(pid, "late", 4)
  local got = finished(pid).value
  assert(got[1].topic == "a" and got[1].data == 1 and got[1].from == process.pid())
  assert(got[2].topic == "b" and got[2].data.x == 2)
  assert(got[3].topic == "c" and got[3].data == nil)
  assert(got[4].topic == "late")
end

--- An entry that is missing, or no workflow, is refused
function M.unknown_entries(env)
  local pid, err = process.spawn("conf.temporal:nothing", env.worker)
  assert(pid == nil and err:kind() == errors.NOT_FOUND)
end

-- on: function process
--- The context goes along into workflows, their activities and their children
function M.context(env)
  local told = assert(process.with_context({ user = "ann", n = 1, flag = true, list = { 1, 2 }, fn = function() end })
    :exec("conf.temporal:context", env.worker, 1))
  assert(told.own.user == "ann" and told.own.n == 1 and told.own.flag == true and told.own.list[2] == 2)
  assert(told.own.fn == nil, "functions do not cross")
  assert(told.activity.user == "ann" and told.child.own.user == "ann")
  assert(told.child.own.depth == 1 and told.own.depth == nil, "a child's context is its own")
end

return M
