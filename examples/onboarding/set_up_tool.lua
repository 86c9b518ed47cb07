local funcs = require("funcs")

local function main(request)
    local account, err = funcs.call("app.onboarding:create_account", request.name, request.tool)
    if err then
        return nil, err
    end
    return account
end

return {main = main}
