-- Counts messages; answers each with the count.
return function()
  local count = 0
  for msg in process.inbox():iter() do
    if msg:topic() == "stop" then return count end
    count = count + 1
    process.send(msg:from(), "count", count)
  end
end
