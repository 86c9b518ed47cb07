-- Waits for the votes of two people, or for what the due date answers by itself.
type Expense = {what: string, amount: number, cost_center?: string}

local function main(expense: Expense)
    local decision = process.listen("decision"):receive()
    local names = {}
    for _, vote in ipairs(decision.votes or {}) do
        names[#names + 1] = vote.user .. ": " .. vote.label
    end
    return {what = expense.what, approved = decision.approved, votes = names}
end

return {main = main}
