--- 12 Actors, scopes, policies and what they allow
local security = require("security")
local funcs = require("funcs")
local M = {}

local NS = "conf.security:"

local function scope_of(...)
  local list = {}
  for _, name in ipairs({ ... }) do
    local policy, err = security.policy(NS .. name)
    assert(not err, err)
    table.insert(list, policy)
  end
  return security.new_scope(list)
end

-- A caller with an actor and a scope of these policies.
local function as(meta, ...)
  return funcs.new():with_actor(security.new_actor("user:ann", meta)):with_scope(scope_of(...))
end

local function guarded(caller, ...)
  local result, err = caller:call(NS .. "guarded", ...)
  assert(not err, err)
  return result
end

-- on: function process
-- modules: security funcs
--- Without a security context there is no actor and no scope, nothing can be asked, and everything is allowed
function M.no_context()
  assert(security.actor() == nil and security.scope() == nil, "no context")
  assert(security.can("read", "document:1") == false, "can needs both")
  assert(funcs.call(NS .. "whoami"), "but calls are allowed")
end

-- on: function process
-- modules: security funcs
--- An actor has an id and a copy of its meta
function M.actor_values()
  local meta = { role = "reader", tags = { "a", "b" } }
  local actor = security.new_actor("user:1", meta)
  meta.role = "admin"
  assert(type(actor) == "userdata", type(actor))
  assert(actor:id() == "user:1" and actor:meta().role == "reader", "what it was made of")
  actor:meta().role = "admin"
  assert(actor:meta().role == "reader" and actor:meta().tags[2] == "b", "meta() is a copy")
  assert(next(security.new_actor("user:2"):meta()) == nil, "meta is optional")
end

-- on: function process
-- modules: security funcs
--- Arguments of a wrong type raise
function M.misuse_raises()
  local cyclic = {}
  cyclic.me = cyclic
  local actor, scope = security.new_actor("u"), security.new_scope()
  for i, misuse in ipairs({
    function() security.new_actor() end,
    function() security.new_actor("") end,
    function() security.new_actor("u", "meta") end,
    function() security.new_actor("u", cyclic) end,
    function() security.new_scope({ "policy" }) end,
    function() security.can("read") end,
    function() security.policy(1) end,
    function() scope:with("id") end,
    function() scope:evaluate("u", "read", "doc") end,
    function() scope.evaluate(actor, actor, "read", "doc") end,
    function() funcs.new():with_actor("u") end,
    function() funcs.new():with_actor(scope) end,
    function() funcs.new():with_scope(actor) end,
    function() process.with_options({}):with_actor(nil) end,
    function() process.with_options({}):with_scope({}) end,
  }) do
    assert(not pcall(misuse), "misuse " .. i .. " must raise")
  end
end

-- on: function process
-- modules: security funcs
--- Scopes are immutable; with, without, contains and policies work by the policies' ids
function M.scope_values()
  local empty = security.new_scope()
  local readers = assert(security.policy(NS .. "readers"))
  assert(readers:id() == NS .. "readers", readers:id())
  local one = empty:with(readers)
  assert(not empty:contains(NS .. "readers") and one:contains(NS .. "readers"), "with makes another scope")
  assert(#one:with(readers):policies() == 1, "a policy is in a scope once")
  assert(#one:without(NS .. "readers"):policies() == 0 and #one:policies() == 1, "without makes another scope")
  assert(one:policies()[1]:id() == NS .. "readers", "policies")
end

-- on: function process
-- modules: security funcs
--- A policy applies when action, resource and all conditions do
function M.evaluation()
  local scope = scope_of("readers")
  local ann, bob = security.new_actor("ann", { role = "reader" }), security.new_actor("bob", { role = "guest" })
  local mine = { owner = "ann" }
  assert(scope:evaluate(ann, "page.read", "document:1", mine) == "allow", "allowed")
  assert(scope:evaluate(ann, "read", "document:1", mine) == "allow", "the second pattern")
  assert(scope:evaluate(ann, "write", "document:1", mine) == "undefined", "another action")
  assert(scope:evaluate(ann, "read", "image:1", mine) == "undefined", "another resource")
  assert(scope:evaluate(bob, "read", "document:1", { owner = "bob" }) == "undefined", "another role")
  assert(scope:evaluate(ann, "read", "document:1", { owner = "bob" }) == "undefined", "another owner")
  assert(scope:evaluate(ann, "read", "document:1") == "undefined", "no meta")
  assert(scope:policies()[1]:evaluate(ann, "read", "document:1", mine) == "allow", "one policy alone")
end

-- on: function process
-- modules: security funcs
--- deny beats allow beats undefined, in any order; an empty scope says nothing
function M.deny_wins()
  local ann = security.new_actor("ann")
  for _, scope in ipairs({ scope_of("everything", "no_secrets"), scope_of("no_secrets", "everything") }) do
    assert(scope:evaluate(ann, "read", "secret:1") == "deny", "denied")
    assert(scope:evaluate(ann, "read", "other:1") == "allow", "allowed")
  end
  assert(security.new_scope():evaluate(ann, "read", "x") == "undefined", "empty")
end

-- on: function process
-- modules: security funcs
--- A named scope holds the policies of a group
function M.named_scope()
  local scope = assert(security.named_scope(NS .. "careful"))
  assert(#scope:policies() == 2, #scope:policies())
  assert(scope:contains(NS .. "everything") and scope:contains(NS .. "no_secrets"), "its members")
end

-- on: function process
-- modules: security funcs
--- What is not in the registry is an error, not retryable
function M.missing_things()
  for name, arg in pairs({ policy = "none", named_scope = "none", token_store = "none" }) do
    local value, err = security[name](NS .. arg)
    assert(value == nil and err:kind() == errors.INTERNAL and err:retryable() == false, name)
    value, err = security[name]("")
    assert(value == nil and err:kind() == errors.INVALID, name .. " of nothing")
  end
  local value, err = security.policy(NS .. "whoami")
  assert(value == nil and err, "an entry that is no policy")
end

-- on: function process
-- modules: security funcs
--- The callee gets actor and scope of its executor, and hands them on
function M.executor()
  local seen = assert(as({ role = "reader" }, "everything"):call(NS .. "whoami"))
  assert(seen.actor == "user:ann" and seen.role == "reader", "actor")
  assert(seen.scope == NS .. "everything" and seen.can == true, "scope")
  local handed_on = guarded(as({ role = "reader" }, "callers"), "call", NS .. "whoami").value
  assert(handed_on.actor == "user:ann" and handed_on.scope == NS .. "callers" and handed_on.can == false, "handed on")
  assert(security.actor() == nil, "the caller stays who it was")
end

-- on: function process
-- modules: security funcs
--- An entry's own actor replaces the one of the caller; its policies come in addition to the caller's
function M.entry_context_merges()
  local seen = assert(as({ role = "reader" }, "everything"):call(NS .. "who_service"))
  assert(seen.actor == "service:conf" and seen.role == "clerk", "another actor")
  assert(seen.scope == NS .. "everything " .. NS .. "callers" and seen.can == true, "both scopes")
  seen = assert(as({ role = "reader" }, "callers"):call(NS .. "who_more"))
  assert(seen.actor == "user:ann" and seen.role == "reader", "the caller's actor")
  assert(seen.scope == NS .. "callers " .. NS .. "everything " .. NS .. "no_secrets", "a group in addition")
end

-- on: function process
-- modules: security funcs
--- An executor is immutable: each step makes another one
function M.executor_is_immutable()
  local plain = funcs.new()
  local acting = plain:with_actor(security.new_actor("user:ann"))
  assert(assert(plain:call(NS .. "whoami")).actor == nil, "the first one is as it was")
  local seen = assert(acting:with_options({}):with_context({ a = 1 }):call(NS .. "whoami"))
  assert(seen.actor == "user:ann" and seen.scope == nil, "later steps keep the actor")
end

-- on: function process
-- modules: security funcs
--- A future's function acts for the same actor
function M.async()
  local future = assert(as(nil, "everything"):async(NS .. "whoami"))
  local seen = future:response():receive():data()
  assert(seen.actor == "user:ann" and seen.scope == NS .. "everything", "inherited")
end

-- on: function process
-- modules: security funcs
--- With an actor but no scope nothing is checked, and can() is false
function M.actor_alone()
  local caller = funcs.new():with_actor(security.new_actor("user:ann"))
  assert(assert(caller:call(NS .. "whoami")).can == false, "can needs both")
  assert(guarded(caller, "call", NS .. "whoami").value.actor == "user:ann", "calls are allowed")
end

-- on: function process
-- modules: security funcs
--- Processes get the spawner's actor and scope, by spawn and by exec
function M.spawner(env)
  local spawner = process.with_options({}):with_actor(security.new_actor("user:ann", { role = "reader" }))
    :with_scope(scope_of("everything"))
  local seen = assert(spawner:exec(NS .. "who_process", env.process_host))
  assert(seen.actor == "user:ann" and seen.role == "reader" and seen.scope == NS .. "everything", "exec")
  local pid = assert(spawner:spawn_monitored(NS .. "who_process", env.process_host))
  local event = process.events():receive()
  assert(event.from == pid and event.result.value.actor == "user:ann", "spawn")
  local plain = assert(process.exec(NS .. "who_process", env.process_host))
  assert(plain.actor == nil and plain.scope == nil, "this unit has none to hand on")
end

-- on: function process
-- modules: security funcs
--- What a scope does not allow is PermissionDenied, named and not retryable; a deny beats what is allowed
function M.calls_are_checked()
  for _, how in ipairs({ "call", "async" }) do
    local refused = guarded(as(nil, "values_only"), how, NS .. "whoami")
    assert(refused.kind == errors.PERMISSION_DENIED and refused.retryable == false, how)
    assert(refused.message == "not allowed: " .. NS .. "whoami", refused.message)
  end
  assert(guarded(as(nil, "everything", "no_secrets"), "call", NS .. "whoami").value, "allowed")
  assert(guarded(as(nil, "everything", "no_secrets"), "call", NS .. "secret_function").kind == "PermissionDenied", "denied")
end

-- on: function process
-- modules: security funcs
--- Steps of executors return nil and the error, steps of spawners raise it
function M.builders_are_checked()
  for action, raises in pairs({
    executor_context = false, executor_actor = false, executor_scope = false,
    spawner_context = true, spawner_options = true,
  }) do
    local refused = guarded(as(nil, "readers"), action)
    assert(refused.kind == "PermissionDenied" and (refused.raised == true) == raises, action)
    assert(guarded(as(nil, "everything"), action).value == true, action)
  end
  assert(guarded(as(nil, "spawners"), "spawner_actor").value == true, "allowed by process.security")
  assert(guarded(as(nil, "callers"), "spawner_scope").raised == true, "refused")
end

-- on: function process
-- modules: security funcs
--- Every operation of process asks for its own permission
function M.process_is_checked(env)
  local mine, process_id = process.pid(), NS .. "who_process"
  local nobody = as(nil, "values_only")
  for action, args in pairs({
    spawn = { process_id, env.process_host }, exec = { process_id, env.process_host },
    spawn_monitored = { process_id, env.process_host }, spawn_linked = { process_id, env.process_host },
    send = { mine }, cancel = { mine }, terminate = { mine }, monitor = { mine }, unmonitor = { mine },
    link = { mine }, unlink = { mine }, register = { "name" }, unregister = { "name" },
  }) do
    local refused = guarded(nobody, action, table.unpack(args))
    assert(refused.kind == "PermissionDenied", action .. ": " .. tostring(refused.kind))
    assert(refused.message == "not allowed: " .. args[1], refused.message)
  end
end

-- on: function process
-- modules: security funcs
--- Monitored and linked spawns, and the host, need permissions of their own
function M.spawn_permissions(env)
  local caller, id = as(nil, "spawners"), NS .. "who_process"
  assert(guarded(caller, "spawn", id, env.process_host).value, "spawn and host suffice")
  assert(guarded(caller, "spawn_monitored", id, env.process_host).kind == "PermissionDenied", "monitored")
  assert(guarded(caller, "spawn_linked", id, env.process_host).kind == "PermissionDenied", "linked")
end

-- on: function process
-- modules: security funcs
--- A registered name is allowed or not by the pid that it stands for
function M.names_are_resolved_before_the_check()
  local name = "s12 " .. process.pid()
  assert(process.registry.register(name))
  local refused = guarded(as(nil, "values_only"), "send", name)
  assert(refused.message == "not allowed: " .. process.pid(), refused.message)
  local inbox = process.inbox()
  assert(guarded(as(nil, "everything"), "send", name).value == true, "sent")
  assert(inbox:receive():topic() == "hello", "received")
end

-- on: function process
-- modules: security funcs
--- The security module asks for permissions itself: making values raises, finding them returns an error
function M.the_module_is_checked()
  local caller = as(nil, "readers")
  for action, arg in pairs({ new_actor = "user:bob", new_scope = "", scope_with = "", scope_without = "", token_store = NS .. "tokens" }) do
    local refused = guarded(caller, action, arg)
    assert(refused.raised and refused.kind == "PermissionDenied", action)
  end
  for action, arg in pairs({ policy = "everything", named_scope = "all" }) do
    local refused = guarded(caller, action, NS .. arg)
    assert(not refused.raised and refused.kind == errors.INVALID and refused.retryable == false, action)
    assert(refused.message == "not allowed: " .. NS .. arg, refused.message)
  end
  assert(guarded(as(nil, "callers"), "policy", NS .. "everything").value == NS .. "everything", "allowed")
end

-- on: function process
-- modules: security funcs
--- can() asks the unit's own scope, with what is known of the resource
function M.can_uses_the_scope()
  local caller = as({ role = "editor" }, "readers")
  assert(guarded(caller, "can", "read", "document:7", { owner = "user:ann" }).value == true, "owner")
  assert(guarded(caller, "can", "read", "document:7", { owner = "user:bob" }).value == false, "not the owner")
  assert(guarded(caller, "can", "delete", "document:7", { owner = "user:ann" }).value == false, "another action")
end

-- on: function process
-- modules: security funcs time
--- A token stands for its actor and scope until it is revoked
function M.tokens()
  for _, name in ipairs({ "tokens", "signed_tokens" }) do
    local store = assert(security.token_store(NS .. name))
    local token, err = store:create(security.new_actor("user:ann", { role = "reader" }), scope_of("readers"), { meta = { device = "x" } })
    assert(not err and type(token) == "string" and #token >= 43, "create")
    local actor, scope, problem = store:validate(token)
    assert(not problem and actor:id() == "user:ann" and actor:meta().role == "reader", "actor")
    assert(scope:contains(NS .. "readers") and #scope:policies() == 1, "scope")
    assert(scope:evaluate(actor, "read", "document:1", { owner = "user:ann" }) == "allow", "the scope is whole")
    assert(store:revoke(token) == true and store:revoke(token) == false, "revoke")
    actor, scope, problem = store:validate(token)
    assert(actor == nil and scope == nil and problem:kind() == errors.INTERNAL, "revoked")
  end
end

-- on: function process
-- modules: security funcs time
--- A token that was changed, is of another store, or has expired, is worth nothing
function M.bad_tokens()
  local plain, signed = assert(security.token_store(NS .. "tokens")), assert(security.token_store(NS .. "signed_tokens"))
  local ann, scope = security.new_actor("user:ann"), security.new_scope()
  local token = assert(signed:create(ann, scope))
  assert(string.find(token, "%.%x+$"), "a keyed store signs")
  local text = string.match(token, "^[^.]+")
  local short = assert(plain:create(ann, scope, { expiration = 1 }))
  require("time").sleep("20ms")
  local bad = { [signed] = { text, text .. ".00", token .. "0", "", "x" }, [plain] = { token, text, short, "nonsense" } }
  for store, tokens in pairs(bad) do
    for i, wrong in ipairs(tokens) do
      local actor, _, err = store:validate(wrong)
      assert(actor == nil and err:message() == "token validation failed" and err:retryable() == false, i)
    end
  end
  assert(signed:validate(token), "the right one is")
end

-- on: function process
-- modules: security funcs
--- Expirations are durations or milliseconds, days included; a closed store answers nothing
function M.token_store_use()
  local store = assert(security.token_store(NS .. "tokens"))
  local ann, scope = security.new_actor("user:ann"), security.new_scope()
  for _, expiration in ipairs({ "90m", "7d", 5000 }) do assert(store:create(ann, scope, { expiration = expiration })) end
  for _, expiration in ipairs({ "soon", -1, "-1h" }) do
    local token, err = store:create(ann, scope, { expiration = expiration })
    assert(token == nil and err:kind() == errors.INVALID, tostring(expiration))
  end
  assert(store:close() == true and store:close() == true, "close")
  local token, err = store:create(ann, scope)
  assert(token == nil and err:kind() == errors.INTERNAL and err:message() == "token store is closed", "closed")
  assert(not pcall(store.create, store, "ann", scope), "misuse raises")
end

-- on: function process
-- modules: security funcs
--- A store whose key is not set makes no tokens
function M.missing_key()
  local store = assert(security.token_store(NS .. "no_key"))
  local token, err = store:create(security.new_actor("user:ann"), security.new_scope())
  assert(token == nil and string.find(err, "WIPPY_NO_SUCH_KEY", 1, true), tostring(err))
end

-- on: function process
-- modules: security funcs
--- A workflow acts for whoever started it, and so do its activities, its children and its successors
function M.workflows_inherit(env)
  local spawner = process.with_options({}):with_actor(security.new_actor("user:ann", { role = "reader" }))
    :with_scope(scope_of("everything", "no_secrets"))
  for _, id in ipairs({ "relay", "relay_child", "relay_upgrade" }) do
    local seen, err = spawner:exec(NS .. id, env.worker, env)
    assert(not err, err)
    assert(seen.actor == "user:ann" and seen.role == "reader", id .. ": " .. tostring(seen.denied))
    assert(seen.scope == NS .. "everything " .. NS .. "no_secrets", id)
    assert(seen.refused == "not allowed: " .. NS .. "secret_function", id .. " is checked, too")
  end
end

-- on: function process
-- modules: security funcs
--- What a workflow may not do, it is refused
function M.workflows_are_checked(env)
  local spawner = process.with_options({}):with_actor(security.new_actor("user:ann")):with_scope(scope_of("readers"))
  local seen = assert(spawner:exec(NS .. "relay", env.worker, env))
  assert(seen.denied == "PermissionDenied not allowed: " .. NS .. "whoami", tostring(seen.denied))
end

return M
