local uuid = require("uuid")

local function create(name: string, tool: string)
    if tool == "broken" then
        error(errors.new{message = "no account can be made for " .. tool, kind = errors.UNAVAILABLE, retryable = false})
    end
    print("created an account in " .. tool .. " for " .. name)
    return {tool = tool, login = string.lower((name:gsub("%s+", "."))), key = uuid.v4()}
end

local function greet(person, accounts)
    local tools = {}
    for tool in pairs(accounts) do
        tools[#tools + 1] = tool
    end
    print("welcome " .. person.name .. ": " .. table.concat(tools, ", "))
    return {sent = true}
end

return {create = create, greet = greet}
