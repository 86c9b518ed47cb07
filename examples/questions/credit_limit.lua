-- Takes an answer only when it will do, and says why not.
type Request = {customer: string, most?: number}

local function main(request: Request)
    local most = request.most or 10000
    local inbox = process.inbox()
    while true do
        local message = inbox:receive()
        local limit = message:payload():data().limit
        if limit <= most then
            process.send(message:from(), "ok", {customer = request.customer, limit = limit})
            return {customer = request.customer, limit = limit}
        end
        process.send(message:from(), "nak", "at most " .. most .. " euros are allowed")
    end
end

return {main = main}
