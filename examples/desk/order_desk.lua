-- Send it an order:   process.send("order_desk", "order", {order_id = "o-1", amount = 20})
-- It starts the workflow, watches it, and tells the sender how it ended.
local logger = require("logger")
local time = require("time")

local function place(order)
    return process.with_context({placed_by = "order_desk"})
        :with_name("desk-" .. order.order_id)
        :spawn("app.orders:order_processor", "app:temporal_worker", order)
end

local function tell(customer: string, order_id: string, result)
    if customer ~= "" then
        process.send(customer, "order_done", {order_id = order_id, value = result.value, error = result.error and tostring(result.error)})
    end
end

local function take_order(desk, message)
    local order = message:payload():data()
    local pid, err = place(order)
    if not pid then
        logger:error("order refused", {order_id = order.order_id, reason = tostring(err)})
        return
    end
    desk.open[pid] = {order_id = order.order_id, customer = message:from()}
    logger:info("order placed", {order_id = order.order_id, pid = pid})
end

local function close_order(desk, event)
    local order = desk.open[event.pid]
    if order then
        desk.open[event.pid] = nil
        logger:info("order done", {order_id = order.order_id, failed = event.result.error ~= nil})
        tell(order.customer, order.order_id, event.result)
    end
end

local function main()
    process.registry.register("order_desk")
    local desk = {open = {}}
    local orders = process.listen("order", {message = true})
    local events = process.events()
    logger:info("order desk is open", {at = time.now():format_rfc3339()})
    while true do
        local got = channel.select{orders:case_receive(), events:case_receive()}
        if got.channel == orders then
            take_order(desk, got.value)
        elseif got.value.type == "EXIT" then
            close_order(desk, got.value)
        elseif got.value.type == "CANCEL" then
            logger:info("order desk closes", {reason = got.value.reason})
            return
        end
    end
end

return {main = main}
