-- Answers a request itself: what an article costs.
local http = require("http")

local PRICES: {[string]: integer} = {lamp = 40, desk = 320}

local function main()
    local req, res = http.request(), http.response()
    local article = req:param("article")
    local price = PRICES[article]
    if not price then
        res:set_status(http.STATUS.NOT_FOUND)
        return res:write_json({error = "There is no article " .. article})
    end
    res:write_json({article = article, price = price})
end

return {main = main}
