local M = {}

function M.book(log: string, name: string, how: string): ({ id: string }?, any)
  assert(process.send(log, "log", "book " .. name))
  if how == "decline" then
    return nil, errors.new { message = name .. " was declined", kind = errors.PERMISSION_DENIED, retryable = false }
  end
  if how == "raise" then error(name .. " broke", 0) end
  return { id = name .. "-1" }
end

function M.undo(log: string, name: string, id: string): boolean
  assert(process.send(log, "log", "undo " .. name .. " " .. id))
  return true
end

return M
