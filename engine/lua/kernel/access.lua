-- Who acts in this unit, and what it may do (lua-api 12): the permission check of all modules, and what callees get.
local k = ...
local raw = k.raw

local function refusal(action, resource)
  return k.failure("PermissionDenied", "not allowed: " .. resource, false, { action = action, resource = resource })
end

--- The permission check of every module: true; or false and an error (PermissionDenied, not retryable).
-- Both names are strings; `meta` is what policies read as `meta.*`, by default {pid = the asker's}. Costs nothing where
-- nobody acts. It may yield to the host, so call it inside a task, before anything is changed.
function k.allowed(action, resource, meta)
  if not k.checks then return true end
  if k.service("security.check", action, resource, meta or { pid = k.pid }) then return true end
  return false, refusal(action, resource)
end

--- The same for what raises when it is refused: the steps of builders.
function k.must_be_allowed(action, resource, level)
  local ok, err = k.allowed(action, resource)
  if not ok then raw.error(err, level) end
end

local function ids_of(scope)
  local ids = {}
  for i = 1, #scope do ids[i] = scope[i].id end
  return ids
end

--- What a callee gets, by reference: the unit's own context, or nil, with another actor or scope where given.
function k.credentials(actor, scope)
  local own = k.security
  if not (own or actor or scope) then return nil end
  actor, scope = actor or own and own.actor, scope or own and own.scope
  return { actor = actor, scope = scope and ids_of(scope) }
end
