local security = require("security")

-- What the callee sees of its own security context.
local function main()
  local actor, scope = security.actor(), security.scope()
  local ids
  if scope then
    ids = {}
    for _, policy in ipairs(scope:policies()) do table.insert(ids, policy:id()) end
  end
  return {
    actor = actor and actor:id(),
    role = actor and actor:meta().role,
    scope = ids and table.concat(ids, " "),
    can = security.can("anything", "at all"),
  }
end

return { main = main }
