--- 13 The workflow module: misuse
local M = {}

-- modules: workflow
--- version() wants a name and integers in order
function M.version_misuse()
  for _, args in ipairs { { "c", 3, 1 }, { "", 1, 2 }, { "c", 1.5, 2 }, { "c", "1", 2 } } do
    local value, err = workflow.version(table.unpack(args))
    assert(value == nil and err:kind() == errors.INVALID)
  end
end

-- on: workflow
-- modules: workflow
--- attrs takes a memo of any JSON; what is none is Invalid
function M.attrs()
  assert(workflow.attrs { memo = { note = "here", list = { 1, 2 }, deep = { a = true } } } == true)
  for _, bad in ipairs { {}, { memo = "text" }, { search = 5 }, { other = 1 }, { memo = { f = { [2] = 1 } } } } do
    local value, err = workflow.attrs(bad)
    assert(value == nil and err:kind() == errors.INVALID)
  end
  local value, err = workflow.attrs("text")
  assert(value == nil and err:kind() == errors.INVALID)
end

-- on: workflow
-- modules: workflow
--- A search attribute that the namespace does not know is Invalid and named
function M.unknown_search_attribute()
  local value, err = workflow.attrs { search = { ConfNobody = "x" } }
  assert(value == nil and err:kind() == errors.INVALID and string.find(err, "ConfNobody"))
end

return M
