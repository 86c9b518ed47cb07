local saga = require("saga")

type Step = { name: string, how: string }

local function main(log: string, steps: { Step }): ({ string }?, any)
  local booking = saga.new(log)
  local ids: { string } = {}
  for _, step in ipairs(steps) do
    local booked, err = booking.step(step.name, step.how)
    if err then return nil, err end
    ids[#ids + 1] = booked!.id
  end
  return ids
end

return { main = main }
