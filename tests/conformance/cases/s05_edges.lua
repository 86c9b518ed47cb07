--- 5.1 Odd texts, and values too large
local M = {}

local ODD = { "é", "日本語 😀", " ", "a b\tc", "line\nbreak", "nul\0byte", "{x|y}", "%s %d", "../..", "a:b|c@d", "'\"`$(x)", string.rep("t", 900) }
local BIG = 3000000

local function invalid(value, err)
  assert(not value, "a value was returned")
  assert(err:kind() == errors.INVALID and err:retryable() == false, "kind is " .. err:kind() .. ": " .. err:message())
  return err
end

--- A topic is any text: what listens to it gets what is sent
function M.odd_topics()
  for _, topic in ipairs(ODD) do
    local ch = assert(process.listen(topic))
    assert(process.send(process.pid(), topic, topic))
    assert(ch:receive() == topic)
    process.unlisten(ch)
  end
end

--- A topic that is not UTF-8 is Invalid, to send and to listen to
function M.broken_topics()
  for _, topic in ipairs { "\255", "a\192\128", "\237\160\128" } do
    invalid(process.send(process.pid(), topic, 1))
    invalid(process.listen(topic))
  end
end

-- on: function process
--- Odd topics reach processes and workflows
function M.odd_topics_travel(env)
  local heard = process.listen("heard")
  for _, target in ipairs { { "conf.edges:listener", env.process_host }, { "conf.edges:listener.workflow", env.worker } } do
    for i = 1, #ODD, 4 do
      local pid = assert(process.spawn(target[1], target[2]))
      assert(process.send(pid, ODD[i], "x"))
      local got = heard:receive()
      assert(got[1] == ODD[i] and got[2] == "string" and got[3] == 1, target[1])
    end
  end
end

-- on: function process
--- A name is any text in UTF-8 that does not begin as a pid does; another is Invalid, or raises in a builder
function M.odd_names(env)
  for _, text in ipairs(ODD) do
    local name = "n" .. text .. process.pid() -- a name is taken only once on a node
    local pid = assert(process.with_context({}):with_name(name):spawn("conf.edges:listener", env.process_host))
    assert(process.registry.lookup(name) == pid, name)
    assert(process.send(name, "t"))
  end
  invalid(process.registry.register("\255"))
  invalid(process.registry.register("{x|y}"))
  local spawner = process.with_context({})
  assert(not pcall(spawner.with_name, spawner, "\255"))
end

-- on: function process
--- A workflow's id is any text that Temporal takes; a longer one is an error
function M.odd_workflow_ids(env)
  for i = 1, 11, 3 do
    local id = "edges " .. process.pid() .. ODD[i]
    local pid = assert(process.with_context({}):with_name(id):spawn("conf.edges:listener.workflow", env.worker))
    assert(string.find(pid, id, 1, true))
    assert(process.send(pid, "t", "x"))
    assert(process.listen("heard"):receive()[1] == "t")
  end
  invalid(process.with_context({}):with_name(string.rep("n", 2000)):spawn("conf.edges:listener.workflow", env.worker))
end

-- modules: funcs
--- Ids of nothing are errors, whatever they are made of
function M.odd_ids(env)
  for _, id in ipairs { "é:ü", "a:\0", "\255:\255", "a:" .. string.rep("x", 3000), "{a@b|c}:d", "a:b c" } do
    local value, err = funcs.new():with_options({ ["activity.retry_policy"] = { maximum_attempts = 1 } }):call(id)
    assert(value == nil and (err:kind() == errors.NOT_FOUND or err:kind() == errors.INVALID), err:kind() .. ": " .. err:message())
    value, err = process.exec(id, env.kind == "workflow" and env.worker or env.process_host)
    assert(value == nil and (err:kind() == errors.NOT_FOUND or err:kind() == errors.INVALID), err:kind() .. ": " .. err:message())
  end
end

--- What is no pid and no name can't be reached
function M.odd_destinations()
  for _, dest in ipairs { "", " ", "{", "}", "{}", "{|}", "{a|}", "{@|x}", "{a@|x}", "{|x}", "é", "\0", "{a@b|c", "a@b|c}", string.rep("{", 500), "\255" } do
    local ok, err = process.send(dest, "t", 1)
    assert(not ok and (err:kind() == errors.NOT_FOUND or err:kind() == errors.INVALID), dest .. " " .. tostring(err and err:kind()))
  end
end

-- on: function process
-- modules: funcs
--- Three megabytes go from actor to actor
function M.large_between_actors(env)
  local big = string.rep("x", BIG)
  assert(funcs.call("conf.edges:length", big) == BIG and #funcs.call("conf.edges:repeat", "x", BIG) == BIG)
  local pid = process.spawn("conf.edges:listener", env.process_host)
  assert(process.send(pid, "t", big))
  assert(process.listen("heard"):receive()[3] == BIG)
end

-- on: function process
--- Three megabytes don't fit into a start or a signal: Invalid, and the workflow goes on
function M.large_to_a_workflow(env)
  local big = string.rep("x", BIG)
  local err = invalid(process.exec("conf.edges:length.workflow", env.worker, big))
  assert(string.find(err, "too large"), err)
  local pid = assert(process.spawn("conf.edges:listener.workflow", env.worker))
  err = invalid(process.send(pid, "t", big))
  assert(string.find(err, "too large"), err)
  assert(process.send(pid, "t", "small"))
  assert(process.listen("heard"):receive()[3] == 5)
end

-- on: workflow
-- modules: funcs
--- Three megabytes don't fit into an activity, a child or a signal, nor into a result: errors, and the run goes on
function M.large_from_a_workflow(env)
  local big = string.rep("x", BIG)
  invalid(funcs.call("conf.edges:length", big))
  invalid(process.exec("conf.edges:length.workflow", env.worker, big))
  local pid = assert(process.spawn("conf.edges:listener.workflow", env.worker))
  invalid(process.send(pid, "t", big))
  local value, err = funcs.call("conf.edges:repeat", "x", BIG)
  assert(value == nil and err:kind() == errors.INVALID, tostring(err))
  assert(process.send(pid, "t", "small"))
  assert(process.listen("heard"):receive()[3] == 5)
  assert(funcs.call("conf.edges:length", "small") == 5)
end

-- on: workflow
-- modules: funcs
--- Bytes and odd values reach activities and come back as they went
function M.values_through_temporal()
  for _, value in ipairs { "\255\0\254", "é", "\0", "", 7, 1.5, math.mininteger, math.maxinteger, true, { a = { 1, "\255" } }, { { {} } } } do
    local got = assert(funcs.call("conf.units:echo", value))
    assert(type(got) == type(value) and (type(value) == "table" or got == value), tostring(value))
  end
  local nested = funcs.call("conf.units:echo", { a = { 1, "\255\254" }, ["$bytes"] = "x" })
  assert(nested.a[2] == "\255\254" and nested["$bytes"] == "x")
  local one = funcs.call("conf.units:echo", { ["$failure"] = { message = "m" } })
  assert(type(one) == "table" and one["$failure"].message == "m")
end

return M
