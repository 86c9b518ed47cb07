local funcs = require("funcs")

local WHO = "conf.security:whoami"

-- What an activity of this workflow sees, and how a call that the scope may forbid ends.
local function main()
  local seen, err = funcs.call(WHO)
  if err then return { denied = err:kind() .. " " .. err:message() } end
  local _, refused = funcs.call("conf.security:secret_function")
  seen.refused = refused and refused:message()
  return seen
end

local function with_child(env)
  return process.exec("conf.security:relay", env.worker)
end

local function upgraded()
  process.upgrade("conf.security:relay")
end

return { main = main, with_child = with_child, upgraded = upgraded }
