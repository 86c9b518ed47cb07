return function(id)
  if id == 7 then return { id = 7, total = 30 } end
  return nil, errors.new { kind = errors.NOT_FOUND, message = "no order " .. tostring(id), retryable = false }
end
