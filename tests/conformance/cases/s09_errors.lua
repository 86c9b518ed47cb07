--- 9 Errors
local M = {}

--- The constants of kinds
function M.constants()
  for name, kind in pairs {
    NOT_FOUND = "NotFound", ALREADY_EXISTS = "AlreadyExists", INVALID = "Invalid", PERMISSION_DENIED = "PermissionDenied",
    UNAVAILABLE = "Unavailable", INTERNAL = "Internal", CANCELED = "Canceled", CONFLICT = "Conflict", TIMEOUT = "Timeout",
    RATE_LIMITED = "RateLimited", UNKNOWN = "",
  } do
    assert(errors[name] == kind, name)
  end
end

--- errors.new("msg"): kind "", retryable nil, details nil
function M.new_of_text()
  local err = errors.new("plain")
  assert(err:message() == "plain" and err:kind() == "" and err:retryable() == nil and err:details() == nil)
  assert(type(err) == "userdata")
end

--- errors.new{...} takes message, kind, retryable and details; any kind text is accepted
function M.new_of_a_table()
  local err = errors.new { message = "m", kind = "Custom", retryable = false, details = { a = { b = 1 } } }
  assert(err:message() == "m" and err:kind() == "Custom" and err:retryable() == false and err:details().a.b == 1)
  assert(errors.new { message = "m", retryable = true }:retryable() == true)
  assert(errors.new { message = "m", details = {} }:details() == nil, "empty details are nil")
end

--- A missing or non-text message, or another argument, raises; a kind of a wrong type is ignored
function M.new_misuse()
  for _, wrong in ipairs { {}, { kind = "Invalid" }, { message = 7 }, { message = {} }, 7, true } do
    assert(not pcall(errors.new, wrong))
  end
  assert(not pcall(errors.new))
  assert(errors.new { message = "m", kind = 7 }:kind() == "")
end

--- tostring is the message only; .. works with text on both sides and with another error
function M.text()
  local err = errors.new { message = "broken", kind = "Internal" }
  assert(tostring(err) == "broken" and "is " .. err == "is broken" and err .. "!" == "broken!" and err .. err == "brokenbroken")
  assert(1 .. err == "1broken")
end

--- stack() is text that names where the error was made
function M.stack()
  local stack = errors.new("here"):stack()
  assert(type(stack) == "string" and stack:find("s09_errors"), stack)
  local _, err = process.registry.lookup("")
  assert(err:stack() ~= "")
end

--- details() is a copy
function M.details_are_a_copy()
  local err = errors.new { message = "m", details = { a = 1 } }
  err:details().a = 2
  assert(err:details().a == 1)
end

--- wrap keeps kind, retryable and details; message and tostring show only the message
function M.wrap()
  local inner = errors.new { message = "a", kind = "Conflict", retryable = true, details = { x = 1 } }
  local err = errors.wrap(inner, "b")
  assert(err:message() == "a" and tostring(err) == "a")
  assert(err:kind() == "Conflict" and err:retryable() == true and err:details().x == 1)
  assert(inner:message() == "a" and err ~= inner)
end

--- The context becomes a prefix at the next wrap
function M.wrap_again()
  assert(errors.wrap(errors.wrap(errors.new("a"), "b"), "c"):message() == "b: a")
  assert(errors.wrap(errors.wrap(errors.wrap("a", "b"), "c"), "d"):message() == "c: b: a")
end

--- Wrapping text gives that text as message; the context may be an error; other types raise
function M.wrap_of_text()
  local err = errors.wrap("text", "context")
  assert(err:message() == "text" and err:kind() == "")
  assert(errors.wrap(err, errors.new("outer")):message() == "context: text")
  assert(errors.wrap(errors.wrap("a", errors.new("b")), "c"):message() == "b: a")
  for _, wrong in ipairs { 7, {}, true } do
    assert(not pcall(errors.wrap, wrong, "x") and not pcall(errors.wrap, "x", wrong))
  end
  assert(not pcall(errors.wrap, nil, "x") and not pcall(errors.wrap, "x"))
end

-- modules: funcs
--- The context becomes a prefix when the error crosses a unit boundary
function M.wrap_crosses()
  local got = funcs.call("conf.units:echo", { err = errors.wrap(errors.new("a"), "b") })
  assert(got.err:message() == "b: a", got.err:message())
end

--- errors.is compares the kind exactly; false for nil, text and tables
function M.is()
  local err = errors.new { message = "m", kind = "Timeout" }
  assert(errors.is(err, errors.TIMEOUT) == true and errors.is(err, "timeout") == false and errors.is(err, errors.INVALID) == false)
  assert(errors.is(errors.wrap(err, "c"), "Timeout") == true)
  for _, other in ipairs { "text", {}, 7, false } do assert(errors.is(other, "Timeout") == false) end
  assert(errors.is(nil, "Timeout") == false and errors.is(errors.new("m"), errors.UNKNOWN) == true)
end

--- call_stack gives {thread, frames = {{level, source, line, name, type}}}, nil for what is no error
function M.call_stack()
  local function inner() return errors.new("deep") end
  local stack = errors.call_stack((inner()))
  assert(type(stack.thread) == "string" and #stack.frames > 0)
  local frame = stack.frames[1]
  assert(type(frame.level) == "number" and frame.source:find("s09_errors") and type(frame.line) == "number" and frame.line > 0)
  assert(type(frame.name) == "string" and type(frame.type) == "string")
  assert(errors.call_stack("text") == nil and errors.call_stack(nil) == nil and errors.call_stack({}) == nil)
end

--- Functions of string accept an error where they want text
function M.string_functions_take_errors()
  local err = errors.new("order 7 not found")
  assert(string.find(err, "not found") == 9 and string.match(err, "%d+") == "7" and string.len(err) == 17)
  assert(string.upper(err) == "ORDER 7 NOT FOUND" and string.lower(err) == "order 7 not found")
  assert(string.sub(err, 1, 5) == "order" and string.gsub(err, "7", "8") == "order 8 not found")
  assert(string.format("%s!", err) == "order 7 not found!" and string.rep(err, 2, "/") == "order 7 not found/order 7 not found")
  assert(string.reverse(errors.new("ab")) == "ba" and string.byte(err) == 111)
  local words = {}
  for word in string.gmatch(err, "%a+") do words[#words + 1] = word end
  assert(table.concat(words, ",") == "order,not,found")
  assert(table.concat({ "a", errors.new("b") }, "-") == "a-b")
end

--- error(err) through pcall gives the same object; a string gets its position
function M.pcall_of_errors()
  local err = errors.new("x")
  local ok, got = pcall(error, err)
  assert(not ok and got == err)
  ok, got = pcall(function() error("plain") end)
  assert(type(got) == "string" and got:find("^conf%.s09_errors:"), got)
end

--- An error cannot be changed, and methods need `:`
function M.errors_are_sealed()
  local err = errors.new("x")
  assert(not pcall(function() err.kind = 1 end))
  assert(not pcall(err.kind) and not pcall(err.message, {}))
end

return M
