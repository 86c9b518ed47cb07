local time = require("time")

return function(d)
  time.sleep(d)
  return "slept"
end
