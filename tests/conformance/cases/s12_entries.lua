--- 12 The security of an entry
local funcs = require("funcs")
local M = {}

-- modules: funcs
--- An entry's own security gives its units an actor and a scope, whoever calls them
function M.declares_its_context()
  local seen = assert(funcs.call("conf.security:who_service"))
  assert(seen.actor == "service:conf" and seen.role == "clerk", "actor")
  assert(seen.scope == "conf.security:callers" and seen.can == false, "scope")
end

return M
