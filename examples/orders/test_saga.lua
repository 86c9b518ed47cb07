-- A test entry (`manage.py testentries --suite orders`): fails when it raises, returns an error, or false.
local function order(fail_at: string)
    return {order_id = "test-" .. fail_at, amount = 10, items = {"lamp"}, fail_at = fail_at, step_delay = "1ms"}
end

local function run(fail_at: string)
    return process.exec("app.orders:order_processor", "app:temporal_worker", order(fail_at))
end

local function main()
    local shipped = assert(run("none"))
    assert(shipped.status == "shipped" and shipped.payment.amount == 10, "a good order ships")
    for _, step in ipairs({"inventory", "payment", "shipping"}) do
        local result, err = run(step)
        assert(result == nil, step .. " must fail the order")
        assert(string.find(err, step .. " refused"), "the order fails with the reason of " .. step)
    end
    return true
end

return {main = main}
