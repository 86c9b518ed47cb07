return function(order)
  local decision = process.listen("decision"):receive()
  return { order = order, approved = decision.approved }
end
