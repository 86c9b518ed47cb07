local funcs = require("funcs")
local time = require("time")

type Person = {name: string, tools?: {string}, patience?: string}

-- Start a child workflow per tool: pid -> tool.
local function start_tools(person: Person)
    local started = {}
    for _, tool in ipairs(person.tools or {"mail"}) do
        local pid, err = process.spawn("app.onboarding:set_up_tool", "app:temporal_worker", {name = person.name, tool = tool})
        if not pid then
            return nil, err
        end
        started[pid] = tool
    end
    return started
end

-- Collect an EXIT from each child: accounts by tool, and what went wrong.
local function wait_for_tools(started)
    local accounts, failures, open = {}, {}, 0
    for _ in pairs(started) do
        open = open + 1
    end
    local events = process.events()
    while open > 0 do
        local event = events:receive()
        local tool = event.type == "EXIT" and started[event.pid]
        if tool then
            open = open - 1
            accounts[tool] = event.result.value
            if event.result.error then
                failures[tool] = tostring(event.result.error)
            end
        end
    end
    return accounts, failures
end

-- A day passes, unless somebody checks in earlier.
local function wait_a_day(patience: string)
    local early = process.listen("check_in")
    local day = time.after(patience)
    return channel.select{early:case_receive(), day:case_receive()}.channel == early
end

local function main(person: Person)
    local started, err = start_tools(person)
    if not started then
        return nil, err
    end
    local accounts, failures = wait_for_tools(started)
    funcs.call("app.onboarding:greet", person, accounts)
    local early = wait_a_day(person.patience or "24h")
    local feedback = process.listen("feedback"):receive()
    return {name = person.name, accounts = accounts, failures = failures, checked_in_early = early, mood = feedback.mood, note = feedback.note}
end

return {main = main}
