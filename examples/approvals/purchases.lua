local function place_order(purchase, budget: string)
    print("ordered " .. purchase.item .. " on the budget of the " .. budget)
    return {number = "PO-" .. string.upper(string.sub(purchase.item, 1, 3)), budget = budget, price = purchase.price}
end

local function notify(purchase, text: string)
    print("told " .. (purchase.requester or "the requester") .. ": " .. text)
    return {sent = true}
end

return {place_order = place_order, notify = notify}
