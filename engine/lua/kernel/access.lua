-- Who acts in this unit, and what it may do (docs/rights.md#whom-units-act-for): the permission check of all
-- modules, and what callees get.
local k = ...
local raw = k.raw

local function refusal(action, resource)
  return k.failure("PermissionDenied", "not allowed: " .. resource, false, { action = action, resource = resource })
end

--- The permission check of every module: true; or false and an error (PermissionDenied, not retryable).
-- Both names are strings; `meta` is what policies read as `meta.*`, by default {pid = the asker's}. Costs nothing where
-- nobody acts: unit.lua has a shorter one for that. It may yield to the host, so call it inside a task, before anything
-- is changed.
function k.allowed(action, resource, meta)
  if not k.checks then return true end
  if k.service("security.check", action, resource, meta or { pid = k.pid }) then return true end
  return false, refusal(action, resource)
end

--- The same for what raises when it is refused: the steps of builders.
function k.must_be_allowed(action, resource)
  local ok, err = k.allowed(action, resource)
  if not ok then raw.error(err, 0) end
end

--- The state of an actor ({id, meta}) or scope (list of {id, definition}) that code hands over, or an argument error.
function k.security_state(part, v, what, level)
  if k.class_of(v) ~= (part == "actor" and "security.Actor" or "security.Scope") then
    raw.error(what .. ": " .. part .. " (of the security module) expected", (level or 1) + 2)
  end
  return v[k.S]
end

--- Raises where code names keys of a context that are the product's own, as what answers requests in tests.
-- Until version 2 there were none.
function k.refuse_reserved(values)
  if k.version < 2 then return end
  for key in raw.next, k.reveal(values) do
    if raw.type(key) == "string" and raw.string.sub(key, 1, 1) == "@" then
      raw.error("with_context: keys that begin with @ are reserved", 3)
    end
  end
end

local function ids_of(scope)
  local ids = {}
  for i = 1, #scope do ids[i] = scope[i].id end
  return ids
end

--- The unit's own context by reference, with another actor or scope where one is given.
function k.reference(actor, scope)
  local own = k.security or {}
  scope = scope or own.scope
  return { actor = actor or own.actor, scope = scope and ids_of(scope) }
end

--- The pid that a name stands for, which then is to be the target, and the error when the action on it is not allowed.
-- A workflow can't look names up: it is asked for the name.
function k.permitted_target(action, dest)
  if not k.is_workflow and raw.string.sub(dest, 1, 1) ~= "{" then dest = k.ask("names.lookup", dest) or dest end
  local _, err = k.allowed(action, dest)
  return dest, err
end
