-- Actors, scopes, policies and tokens as values of Lua code (docs/lua.md#security). Scopes are immutable.
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error

local actor, scope, policy = {}, {}, {}
local actor_class = k.class("security.Actor", actor)
local scope_class = k.class("security.Scope", scope)
local policy_class = k.class("security.Policy", policy)

local function is_a(class, v) return type(v) == "table" and raw.getmetatable(v) == class end
local function actor_of(self) return k.self(self, actor_class, "security.Actor") end
local function scope_of(self) return k.self(self, scope_class, "security.Scope") end
local function policy_of(self) return k.self(self, policy_class, "security.Policy") end

local function want_text(v, what, level)
  if type(v) ~= "string" then error(what .. " (string) expected, got " .. k.std.type(v), (level or 1) + 2) end
end


-- What a documented table of the module calls Invalid although a permission is missing.
local function not_allowed(action, resource)
  local ok, err = k.allowed(action, resource)
  if not ok then return k.failure("Invalid", err:message(), false, err:details()) end
end

local function evaluated(policies, by, action, resource, meta)
  by = k.security_state("actor", by, "evaluate", 2)
  want_text(action, "evaluate: action", 2)
  want_text(resource, "evaluate: resource", 2)
  local verdict, err = k.service("security.evaluate", policies, by, action, resource, meta)
  if err then error(err, 3) end
  return verdict
end

-- --- actors and policies ------------------------------------------------------------------------

function actor.id(self) return actor_of(self).id end
function actor.meta(self) return k.copied(actor_of(self).meta) end

function policy.id(self) return policy_of(self).id end

--- "allow", "deny" or "undefined".
function policy.evaluate(self, ...) return evaluated({ policy_of(self) }, ...) end

-- --- scopes -------------------------------------------------------------------------------------

local function list_without(list, id)
  local rest = {}
  for i = 1, #list do
    if list[i].id ~= id then rest[#rest + 1] = list[i] end
  end
  return rest
end

local function want_policy(v, what)
  if not is_a(policy_class, v) then error(what .. ": policy expected", 3) end
  return v[k.S]
end

local function name_of(v, what)
  if is_a(policy_class, v) then return v[k.S].id end
  want_text(v, what .. ": policy id", 2)
  return v
end

--- A scope with this policy, too.
scope["with"] = function(self, added)
  local list, one = scope_of(self), want_policy(added, "with")
  k.must_be_allowed("security.scope.create", "with")
  local changed = list_without(list, one.id)
  changed[#changed + 1] = one
  return k.new(scope_class, changed)
end

--- A scope without the policy of that id.
function scope.without(self, id)
  local list, name = scope_of(self), name_of(id, "without")
  k.must_be_allowed("security.scope.create", "without")
  return k.new(scope_class, list_without(list, name))
end

function scope.contains(self, id)
  local list, name = scope_of(self), name_of(id, "contains")
  for i = 1, #list do
    if list[i].id == name then return true end
  end
  return false
end

function scope.policies(self)
  local list, objects = scope_of(self), {}
  for i = 1, #list do objects[i] = k.new(policy_class, list[i]) end
  return objects
end

--- "deny" when a policy denies, else "allow" when one allows, else "undefined".
function scope.evaluate(self, ...) return evaluated(scope_of(self), ...) end

-- --- tokens -------------------------------------------------------------------------------------

local store = {}
local store_class = k.class("security.TokenStore", store)

local function open_store(self, action)
  local state = k.self(self, store_class, "security.TokenStore")
  if state.closed then return nil, k.failure("Internal", "token store is closed", false) end
  local err = not_allowed(action, state.id)
  if err then return nil, err end
  return state.id
end

local function ids_of(list)
  local ids = {}
  for i = 1, #list do ids[i] = list[i].id end
  return ids
end

--- A new token of an actor and a scope: text, err. `options` are {expiration=, meta=}.
function store.create(self, by, within, options)
  by, within = k.security_state("actor", by, "create"), k.security_state("scope", within, "create")
  if options ~= nil and (type(options) ~= "table" or k.is_object(options)) then error("create: options (table) expected", 2) end
  local id, err = open_store(self, "security.token.create")
  if err then return nil, err end
  return k.ask("security.token.create", id, by, ids_of(within), options)
end

--- Whom a token stands for: actor, scope, err.
function store.validate(self, token)
  want_text(token, "validate: token")
  local id, err = open_store(self, "security.token.validate")
  if err then return nil, nil, err end
  local found
  found, err = k.ask("security.token.validate", id, token)
  if err then return nil, nil, err end
  return k.new(actor_class, found.actor), k.new(scope_class, found.scope), nil
end

--- Make a token worthless: whether it was worth something, err.
function store.revoke(self, token)
  want_text(token, "revoke: token")
  local id, err = open_store(self, "security.token.revoke")
  if err then return nil, err end
  return k.ask("security.token.revoke", id, token)
end

function store.close(self)
  k.self(self, store_class, "security.TokenStore").closed = true
  return true
end

-- --- the module ---------------------------------------------------------------------------------

local lib = {}

--- Who acts in this unit, or nil.
function lib.actor()
  local own = k.security and k.security.actor
  return own and k.new(actor_class, own) or nil
end

--- Under which policies, or nil.
function lib.scope()
  local own = k.security and k.security.scope
  return own and k.new(scope_class, own) or nil
end

--- Whether this unit may; false without actor or scope.
function lib.can(action, resource, meta)
  want_text(action, "action")
  want_text(resource, "resource")
  local own = k.security
  if not own or not own.actor or not own.scope then return false end
  return (k.service("security.check", action, resource, meta)) == true
end

function lib.new_actor(id, meta)
  want_text(id, "actor id")
  if meta ~= nil and (type(meta) ~= "table" or k.is_object(meta)) then error("new_actor: meta (table) expected", 2) end
  k.must_be_allowed("security.actor.create", id)
  local made, err = k.service("security.actor", id, meta)
  if err then error("new_actor: " .. err:message(), 2) end
  return k.new(actor_class, made)
end

function lib.new_scope(policies)
  if policies ~= nil and (type(policies) ~= "table" or k.is_object(policies)) then error("new_scope: list of policies expected", 2) end
  local list = {}
  for i = 1, policies and #policies or 0 do
    local one = want_policy(policies[i], "new_scope")
    list = list_without(list, one.id)
    list[#list + 1] = one
  end
  k.must_be_allowed("security.scope.create", "custom")
  return k.new(scope_class, list)
end

local function found(action, service, id)
  if id == "" then return nil, k.invalid(service .. ": id must not be empty") end
  local err = not_allowed(action, id)
  if err then return nil, err end
  return k.ask(service, id)
end

--- A policy of the registry: policy, err.
function lib.policy(id)
  want_text(id, "policy id")
  local one, err = found("security.policy.get", "security.policy", id)
  if err then return nil, err end
  return k.new(policy_class, one)
end

--- The policies of a group: scope, err.
function lib.named_scope(id)
  want_text(id, "group id")
  local list, err = found("security.policy_group.get", "security.group", id)
  if err then return nil, err end
  return k.new(scope_class, list)
end

--- A token store of the registry: store, err. Raises when it is not allowed.
function lib.token_store(id)
  want_text(id, "token store id")
  if id == "" then return nil, k.invalid("token store id must not be empty") end
  k.must_be_allowed("security.token_store.get", id)
  local _, err = k.ask("security.token_store", id)
  if err then return nil, err end
  return k.new(store_class, { id = id })
end

k.modules.security = k.library(lib)
