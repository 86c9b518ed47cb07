--- 9 Errors
local M = {}

--- The kinds are these words
function M.kinds()
  local kinds = { NOT_FOUND = "NotFound", ALREADY_EXISTS = "AlreadyExists", INVALID = "Invalid", PERMISSION_DENIED = "PermissionDenied",
    UNAVAILABLE = "Unavailable", INTERNAL = "Internal", CANCELED = "Canceled", CONFLICT = "Conflict", TIMEOUT = "Timeout",
    RATE_LIMITED = "RateLimited", UNKNOWN = "" }
  for name, kind in pairs(kinds) do assert(errors[name] == kind, name) end
  assert(not pcall(function() errors.NEW = 1 end), "read only")
  assert(require("errors") == errors)
end

--- A plain error has its message, no kind, and no opinion on trying again
function M.plain()
  local e = errors.new("broken")
  assert(type(e) == "userdata" and e:message() == "broken" and e:kind() == "" and e:retryable() == nil and e:details() == nil)
  assert(errors.new(""):message() == "")
end

--- A table gives kind, retryable and details; any text is a kind
function M.full()
  local e = errors.new { message = "m", kind = errors.CONFLICT, retryable = true, details = { id = 7, list = { 1, 2 } } }
  assert(e:kind() == "Conflict" and e:retryable() == true and e:details().id == 7 and e:details().list[2] == 2)
  assert(errors.new { message = "m", kind = "MyOwn" }:kind() == "MyOwn" and errors.new { message = "m", retryable = false }:retryable() == false)
end

--- Fields of the wrong type are ignored, but for the message, which must be a text
function M.wrong_types()
  local e = errors.new { message = "m", kind = 5, retryable = "yes", details = "x" }
  assert(e:kind() == "" and e:retryable() == nil and e:details() == nil)
  assert(errors.new { message = "m", details = {} }:details() == nil, "empty details are none")
  for _, argument in ipairs { 5, true, {}, { message = 5 }, { kind = "Invalid" }, print } do assert(not pcall(errors.new, argument)) end
  assert(not pcall(errors.new) and not pcall(errors.new, errors.new("x")))
end

--- Details are copies: who changes them changes nothing
function M.details_are_copies()
  local given = { list = { 1 } }
  local e = errors.new { message = "m", details = given }
  given.list[1] = 2
  e:details().list[1] = 3
  assert(e:details().list[1] == 1)
end

--- tostring is the message, and errors join with text on both sides and with each other
function M.text()
  local e = errors.new { message = "m", kind = "Timeout" }
  assert(tostring(e) == "m" and "a " .. e == "a m" and e .. " b" == "m b" and e .. e == "mm" and e .. 1 == "m1")
  assert(not pcall(function() return e .. {} end) and not pcall(function() return nil .. e end))
end

--- Functions of string take an error where they want text
function M.string_functions()
  local e = errors.new("thing not found")
  assert(string.find(e, "not found", 1, true) and string.match(e, "%w+") == "thing" and string.len(e) == 15)
  assert(string.gsub(e, "thing", "it") == "it not found" and string.format("%s!", e) == "thing not found!")
  assert(string.upper(e) == "THING NOT FOUND" and string.sub(e, 1, 5) == "thing" and string.rep(e, 2, ",") == e .. "," .. e)
end

--- An error can't be changed, and other things have no methods of errors
function M.sealed()
  local e = errors.new("x")
  assert(not pcall(function() e.message = "y" end) and not pcall(e.kind, {}) and not pcall(e.message, "text"))
  assert(not pcall(function() for _ in pairs(e) do end end))
end

--- kind, retryable and details with a value give another error that has it, and leave the first as it is
function M.builders()
  local plain = errors.new("no such order")
  local err = plain:kind(errors.NOT_FOUND):retryable(false):details { id = 7 }
  assert(err:kind() == "NotFound" and err:retryable() == false and err:details().id == 7 and err:message() == "no such order")
  assert(plain:kind() == "" and plain:retryable() == nil and plain:details() == nil)
  assert(err:retryable(true):retryable() == true and err:retryable() == false)
  assert(errors.wrap(errors.wrap(err, "a"):kind("Late"), "b"):message() == "a: no such order", "keeps its context")
  for method, value in pairs { kind = 5, retryable = "yes", details = "text" } do
    assert(not pcall(err[method], err, value), method)
  end
end

--- stack tells where the error was made
function M.stack()
  local e = errors.new("x")
  assert(e:stack() ~= "" and string.find(e:stack(), "s09_errors", 1, true))
  local stack = errors.call_stack(e)
  assert(type(stack.thread) == "string" and #stack.frames > 0)
  local frame = stack.frames[1]
  assert(string.find(frame.source, "s09_errors", 1, true) and frame.line > 0 and frame.level == 0 and frame.name and frame.type)
  assert(errors.call_stack("text") == nil and errors.call_stack(nil) == nil)
end

--- wrap keeps kind, retryable and details, and shows the message; the context comes out when it is wrapped again
function M.wrap()
  local inner = errors.new { message = "a", kind = errors.TIMEOUT, retryable = true, details = { id = 1 } }
  local b = errors.wrap(inner, "b")
  assert(b:message() == "a" and tostring(b) == "a" and b:kind() == "Timeout" and b:retryable() == true and b:details().id == 1)
  local c = errors.wrap(b, "c")
  assert(c:message() == "b: a" and errors.wrap(c, "d"):message() == "c: b: a")
  assert(errors.wrap("text", "x"):message() == "text" and errors.wrap("text", "x"):kind() == "")
  assert(errors.wrap(errors.wrap("a", errors.new("why")), "z"):message() == "why: a")
end

--- wrap of anything else, or with anything else, raises
function M.wrap_misuse()
  for _, value in ipairs { 5, true, {} } do
    assert(not pcall(errors.wrap, value, "x") and not pcall(errors.wrap, "x", value))
  end
  assert(not pcall(errors.wrap) and not pcall(errors.wrap, errors.new("x")))
end

--- The context is a prefix of the message once the error has left the unit
function M.wrap_at_a_boundary()
  process.send(process.pid(), "t", errors.wrap(errors.new { message = "a", kind = "Conflict" }, "b"))
  local got = process.inbox():receive():payload():data()
  assert(got:message() == "b: a" and got:kind() == "Conflict")
end

--- is compares kinds exactly, and is false for what is no error
function M.is()
  local e = errors.new { message = "m", kind = "NotFound" }
  assert(errors.is(e, errors.NOT_FOUND) and not errors.is(e, "notfound") and not errors.is(e, "Invalid") and not errors.is(e))
  assert(errors.is(errors.new("x"), errors.UNKNOWN) and errors.is(errors.wrap(e, "c"), "NotFound"))
  assert(not errors.is(nil, "") and not errors.is("NotFound", "NotFound") and not errors.is({}, ""))
end

--- pcall returns what was raised as it is: texts with their place, objects the same object
function M.pcall()
  local e = errors.new("x")
  local ok, got = pcall(error, e)
  assert(not ok and got == e)
  ok, got = pcall(function() error("here") end)
  assert(not ok and string.find(got, "s09_errors.*:%d+: here$"), got)
  ok, got = pcall(error, { code = 5 })
  assert(not ok and got.code == 5)
  ok, got = xpcall(function() error(e) end, function(raised) return { raised } end)
  assert(not ok and got[1] == e)
  assert(select("#", pcall(error)) == 2 and select(2, pcall(error)) == nil)
end

return M
