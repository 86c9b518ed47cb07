local time = require("time")

local function main(id, step, delay)
    print("begin " .. step .. " of " .. id)
    time.sleep(delay)
    print("effect " .. step .. " of " .. id)
    return step
end

return {main = main}
