--- 13 The workflow module
local M = {}

-- on: workflow
-- modules: workflow
--- info() has the ids, type, queue, namespace, attempt and size of the run
function M.info(env)
  local info = workflow.info()
  assert(process.pid():find(info.workflow_id, 1, true) and #info.run_id == 36)
  assert(info.workflow_type == process.id() and info.task_queue == "conformance" and info.namespace == "default")
  assert(info.attempt == 1 and math.type(info.history_length) == "integer" and math.type(info.history_size) == "integer")
end

-- on: workflow
-- modules: workflow time
--- history_length() and history_size() grow with the run
function M.history_grows()
  local length, size = workflow.history_length(), workflow.history_size()
  assert(length > 0 and size > 0)
  time.sleep("5ms")
  assert(workflow.history_length() > length and workflow.history_size() > size)
  assert(workflow.info().history_length == workflow.history_length())
end

-- on: workflow
-- modules: workflow
--- exec runs a child workflow and returns value, err; the child's error keeps its kind
function M.exec()
  local value, err = workflow.exec("conf.actors:sum_workflow", 1, 2, 3)
  assert(value == 6 and err == nil)
  value, err = workflow.exec("conf.units:results.workflow", "object_error", 1)
  assert(value == nil and err:kind() == "Conflict" and err:message() == "no stock" and err:retryable() == true)
  value, err = workflow.exec("")
  assert(value == nil and err:kind() == "Invalid")
end

-- on: workflow
-- modules: workflow time
--- version gives max in a new run, the same each time; min > max is Invalid
function M.version()
  assert(workflow.version("change", 1, 3) == 3)
  time.sleep("5ms")
  assert(workflow.version("change", 1, 3) == 3 and workflow.version("other", 0, 0) == 0)
  local value, err = workflow.version("change", 3, 1)
  assert(value == nil and err:kind() == "Invalid")
end

-- on: workflow
-- modules: workflow
--- attrs takes memo or search and returns true; neither is Invalid
function M.attrs()
  assert(workflow.attrs({ memo = { stage = "paid", tries = 2 } }) == true)
  for _, wrong in ipairs { {}, { other = 1 } } do
    local ok, err = workflow.attrs(wrong)
    assert(not ok and err:kind() == "Invalid")
  end
  local ok, err = workflow.attrs({ search = { NoSuchAttribute = 1 } })
  assert(not ok and err:kind() == "Invalid", tostring(err))
end

-- on: function process
-- modules: workflow
--- Outside a workflow: info nil, lengths 0, version its max, attrs and exec Invalid
function M.outside()
  assert(workflow.info() == nil and workflow.history_length() == 0 and workflow.history_size() == 0)
  assert(workflow.version("change", 1, 3) == 3)
  local value, err = workflow.version("change", 3, 1)
  assert(value == nil and err:kind() == "Invalid")
  for _, act in ipairs { function() return workflow.exec("conf.actors:sum_workflow") end, function() return workflow.attrs({ memo = { a = 1 } }) end } do
    value, err = act()
    assert(value == nil and err:kind() == "Invalid")
  end
end

return M
