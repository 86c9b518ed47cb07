-- The events of a unit: cancel, exit, link down (docs/lua.md#process-events).
local k = ...
local box = k.box

k.unit_options = { trap_links = false, upgradable = false }

function k.open_events()
  if not box.events then
    box.events = k.external(0, "events", "")
    for i = 1, #box.queued_events do k.push(box.events, box.queued_events[i]) end
    box.queued_events = {}
  end
  return box.events
end

function k.raise_event(event)
  if box.events then
    k.push(box.events, event)
  else
    box.queued_events[#box.queued_events + 1] = event
  end
end

-- `type` and `pid` are other names for `kind` and `from`.
local kinds = { EXIT = "pid.exit", LINK_DOWN = "pid.link.down", CANCEL = "pid.cancel" }

local function exit_event(name, pid, at, value, failure)
  return { kind = kinds[name], type = name, from = pid, pid = pid, at = at, result = { value = value, error = failure } }
end

local function cancel_event(sender, reason, at)
  return { kind = kinds.CANCEL, type = "CANCEL", from = sender, pid = sender, at = at, reason = reason }
end

local takers = {
  cancel = function(e) k.raise_event(cancel_event(e[2], e[3], e[4])) end,
  exit = function(e) k.raise_event(exit_event("EXIT", e[2], e[3], e[4], e[5])) end,
  link_down = function(e)
    if k.unit_options.trap_links then
      k.raise_event(exit_event("LINK_DOWN", e[2], e[3], e[4], e[5]))
    else
      k.fail(k.make_error { kind = "Internal", message = "linked process failed", details = { pid = e[2] } })
    end
  end,
}

--- End the unit with a failure from outside of its tasks.
function k.fail(failure)
  k.outcome = k.outcome or { "failed", failure }
end

--- Take an event that is no answer and no message.
function k.take_event(event) takers[event[1]](event) end
