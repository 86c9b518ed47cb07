local time = require("time")

local function main(request)
    time.sleep(request.patience)
    return {slept = request.patience}
end

return {main = main}
